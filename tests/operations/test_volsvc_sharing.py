"""Several servers of one host have a volume, and come and go at the same moment: the host reaches it for as long."""
import pytest

from svckit import operations
from tests.operations.volsvc_world import World
from volsvc import errors
from volsvc.db import attachments
from volsvc.db.models import VolumeType
from volsvc.operations import connect_attachment, delete_attachment, extend_volume

CONNECTOR = {'host': 'host1'}


@pytest.fixture
def world(tmp_path):
    return World(f'sqlite:///{tmp_path}/volsvc.sqlite', tmp_path, attachment_wait=0.1)


@pytest.fixture
def volume(world):
    with world.db.transaction() as session:
        session.add(VolumeType(name='shared', extra_specs={'multiattach': '<is> True'}))
    return world.made(volume_type='shared')


def reaching(world, volume):
    return world.driver.volumes[volume.id]['connected']


def begin(world, ask):
    """Ask, and let the worker do nothing yet."""
    with pytest.raises(errors.BackendSilent):
        ask()


def begin_connect(world, volume):
    attachment = connect_attachment.reserve(world.context(), volume, world.nova.boot())
    begin(world, lambda: connect_attachment.connect(world.context(), attachment, CONNECTOR))
    return attachment


def begin_delete(world, volume, which=0):
    with world.db.reader() as session:
        attachment = attachments.of_volume(session, volume.id)[which]
    begin(world, lambda: delete_attachment.request(world.context(roles=['service']), attachment))


def step(world, name):
    """One step of the operation with that name, and no more."""
    op = world.operations(name)[-1]
    definition = world.service.registry[op.name, op.version]
    body = definition.steps[op.position].run
    return body(operations.store.Context(world.worker.workers[0].runner.tools), op)


def test_one_comes_while_the_other_goes(world, volume):
    """The second is connected, and not recorded yet, when the first is disconnected."""
    world.connected(volume)
    begin_connect(world, volume)
    step(world, 'connect-attachment')
    begin_delete(world, volume)
    step(world, 'delete-attachment')
    assert reaching(world, volume) == ['host1']
    world.run()
    assert reaching(world, volume) == ['host1']
    assert len(world.row(volume.id).attachments) == 1


def test_both_go(world, volume):
    for _ in range(2):
        world.connected(volume)
    for which in range(2):
        begin_delete(world, volume, which)
    world.run()
    assert reaching(world, volume) == [] and world.row(volume.id).status == 'available'


def test_a_host_that_is_down_holds_up_nobody(world, volume):
    """Each server is told by itself: the growth ends for one while the other has yet to hear."""
    servers = [world.connected(volume, host=host)[0] for host in ('host1', 'host2')]
    world.nova.busy = True
    extend_volume.request(world.context(), world.row(volume.id), 2)
    world.run()
    for action in world.nova.actions.values():
        if action['server'] == servers[0]:
            action['result'] = 'Success'
    world.clock.ahead += 60
    with world.db.transaction() as session:
        due = operations.models.OPERATIONS
        session.execute(due.update().where(due.c.due_at.is_not(None)).values(due_at=0))
    world.run()
    assert {op.params['server_id']: op.state for op in world.operations('tell-server')} == {
        servers[0]: 'done', servers[1]: 'running'}
    assert (world.row(volume.id).size, world.row(volume.id).status) == (2 << 30, 'in-use')


def test_one_that_fails_to_come_leaves_the_other_alone(world, volume):
    world.connected(volume)
    begin_connect(world, volume)
    op = world.operations('connect-attachment')[-1]
    step(world, 'connect-attachment')
    connect_attachment.unexport_volume(operations.store.Context(world.worker.workers[0].runner.tools), op)
    assert reaching(world, volume) == ['host1']
