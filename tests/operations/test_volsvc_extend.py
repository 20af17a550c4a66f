"""How an extend ends when something goes wrong, and how servers are told: the parts that the API does not show."""
import os
import subprocess

import pytest

from svckit import operations
from svckit.operations import Refused
from tests.operations.volsvc_world import GIB, World
from volsvc.db import attachments
from volsvc.drivers.base import DriverError, NoSpace
from volsvc.operations import delete_attachment, delete_volume, extend_volume


@pytest.fixture
def world(tmp_path):
    return World(f'sqlite:///{tmp_path}/volsvc.sqlite', tmp_path)


@pytest.fixture
def used(world):
    volume = world.made()
    world.connected(volume)
    return world.row(volume.id)


def settle(world):
    """Until nothing moves, however long its pauses are."""
    for _ in range(60):
        world.run()
        due = operations.models.OPERATIONS
        with world.db.transaction() as session:
            session.execute(due.update().where(due.c.due_at.is_not(None)).values(due_at=0, lease_until=None))
        if not [op for op in world.operations() if op.state in ('running', 'undoing')]:
            return


def silence(world):
    """The compute service is broken from now on."""
    world.nova.broken = {'POST .': 503, 'GET .': 503}


def extend(world, volume, size=2):
    extend_volume.request(world.context(), world.row(volume.id), size)


def last(world, name='extend-volume'):
    return world.operations(name)[-1]


class Faults:
    """A driver's method that fails `times` times (None: for good), before or after it has done its work.

    The first `good` calls do not fail.
    """

    def __init__(self, driver, method, error, times=None, after=False, good=0):
        self.work, self.error, self.left, self.after, self.good = getattr(driver, method), error, times, after, good
        setattr(driver, method, self)

    def __call__(self, *args):
        if self.good:
            self.good -= 1
            return self.work(*args)
        if self.left is not None:
            if not self.left:
                return self.work(*args)
            self.left -= 1
        if self.after:
            self.work(*args)
        raise self.error


class TestBackend:
    def test_fails_now_and_then(self, world, used):
        Faults(world.driver, 'extend', DriverError('the array is busy'), times=2)
        extend(world, used)
        settle(world)
        found = world.row(used.id)
        assert (found.size, found.status, world.messages()) == (2 * GIB, 'in-use', [])

    def test_fails_for_good(self, world, used):
        Faults(world.driver, 'extend', DriverError('the array is on fire'))
        extend(world, used)
        settle(world)
        found = world.row(used.id)
        assert (found.size, found.status) == (1 * GIB, 'error_extending')
        assert world.used() == {'volumes': 1, 'gigabytes': 1, 'volumes___DEFAULT__': 1, 'gigabytes___DEFAULT__': 1}
        assert 'keeps its size: the array is on fire' in world.messages()[0]
        assert last(world).state == 'undone'

    def test_grew_although_it_said_otherwise(self, world, used):
        """All attempts are over when the backend shows that the first had done it: it goes on, not back."""
        Faults(world.driver, 'extend', DriverError('timed out'), after=True)
        Faults(world.driver, 'size', DriverError('timed out'), times=4, good=1)
        extend(world, used)
        settle(world)
        found = world.row(used.id)
        assert (found.size, found.status, last(world).state) == (2 * GIB, 'in-use', 'done')
        assert world.used()['gigabytes'] == 2
        assert [id for _, id in world.nova.told()] == [used.id]
        with world.db.reader() as session:
            details = [row.detail or '' for row in operations.events(session, last(world).id)]
        assert any('not undone' in detail for detail in details)

    def test_refuses(self, world, used):
        Faults(world.driver, 'extend', Refused('it has snapshots'))
        extend(world, used)
        settle(world)
        assert world.row(used.id).status == 'in-use'
        assert world.used()['gigabytes'] == 1
        assert 'it has snapshots' in world.messages()[0]

    def test_refuses_what_had_failed_before(self, world, used):
        Faults(world.driver, 'extend', DriverError('no'))
        extend(world, used)
        settle(world)
        Faults(world.driver, 'extend', Refused('it has snapshots'))
        extend(world, used)
        settle(world)
        assert world.row(used.id).status == 'error_extending'
        assert world.used()['gigabytes'] == 1

    def test_says_too_little(self, world, used):
        world.driver.extend = lambda volume, size: None
        extend(world, used)
        settle(world)
        assert world.row(used.id).status == 'error_extending'
        assert 'after growing' in last(world).error


class TestUnknownSize:
    @pytest.fixture
    def stuck(self, world, used):
        Faults(world.driver, 'size', DriverError('the array does not answer'))
        extend(world, used)
        settle(world)
        return used

    def test_is_stuck_and_says_so(self, world, stuck):
        op = last(world)
        assert (op.state, op.subject) == ('stuck', f'volume:{stuck.id}')
        assert world.row(stuck.id).status == 'error_extending'
        assert 'the array does not answer' in world.messages()[0] and op.id in world.messages()[0]
        # Nobody knows, so nobody gets it.
        assert world.used()['gigabytes'] == 2

    def test_resumed_by_an_operator(self, world, stuck):
        world.driver.size = world.driver.size.work
        world.db.run(lambda session: operations.retry(session, last(world).id))
        settle(world)
        assert (last(world).state, world.row(stuck.id).status) == ('undone', 'error_extending')
        assert world.used()['gigabytes'] == 1

    def test_its_owner_extends_again(self, world, stuck):
        world.driver.size = world.driver.size.work
        extend(world, stuck, 3)
        settle(world)
        found = world.row(stuck.id)
        assert (found.size, found.status, world.used()['gigabytes']) == (3 * GIB, 'in-use', 3)
        assert [op.state for op in world.operations('extend-volume')] == ['cancelled', 'done']

    def test_its_owner_deletes_it(self, world, stuck):
        world.driver.size = world.driver.size.work
        with world.db.reader() as session:
            attachment, = attachments.of_volume(session, stuck.id)
        with world.db.transaction() as session:
            session.delete(attachments.get(session, attachment.id))
        delete_volume.request(world.context(), world.row(stuck.id))
        settle(world)
        assert world.used() == {}
        assert world.driver.volumes == {}


class TestFullDisk:
    @pytest.fixture
    def folder(self, tmp_path):
        if os.geteuid():
            pytest.skip('only root can mount a small file system')
        folder = tmp_path / 'disk'
        folder.mkdir()
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder], capture_output=True)
        if mounted.returncode:
            pytest.skip('no file system can be mounted')
        yield folder
        subprocess.run(['umount', '-l', folder], check=True)

    def test_fills_up_under_a_growing_volume(self, tmp_path, folder):
        world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, enabled_backends=['file'],
                      file__path=str(folder / 'v'),
                      file__max_over_subscription_ratio=1000.0)
        volume = world.made()
        path = folder / 'v' / f'volume-{volume.id}'
        with open(path, 'r+b') as file:
            file.write(b'kept')
        world.driver.thin = False               # as with preallocation = full, on a disk that had room when asked
        extend(world, volume)
        settle(world)
        found = world.row(volume.id)
        assert (found.size, found.status, path.stat().st_size) == (GIB, 'available', GIB)
        assert 'full' in world.messages()[0] and str(folder) not in world.messages()[0]
        assert path.open('rb').read(4) == b'kept'
        assert world.used()['gigabytes'] == 1

    def test_message_of_a_driver_that_is_full(self, world, used):
        grow = world.driver.extend
        Faults(world.driver, 'extend', NoSpace('The storage backend is full; the volume is as it was before.'))
        extend(world, used)
        settle(world)
        assert (world.row(used.id).status, world.row(used.id).size) == ('in-use', GIB)
        assert world.used()['gigabytes'] == 1
        assert world.messages() == ['The volume was not extended to 2 GiB and keeps its size: '
                                    'The storage backend is full; the volume is as it was before.']
        world.driver.extend = grow
        extend(world, world.row(used.id))
        settle(world)
        assert (world.row(used.id).status, world.row(used.id).size) == ('in-use', 2 * GIB)

    def test_a_driver_that_says_it_is_full_and_grew_nevertheless(self, world, used):
        def extend_and_complain(volume, size):
            world.driver.volumes[volume.id]['size'] = size
            raise NoSpace('The storage backend is full.')
        world.driver.extend = extend_and_complain
        extend(world, used)
        settle(world)
        assert (world.row(used.id).status, world.row(used.id).size) == ('in-use', 2 * GIB)


class TestTelling:
    def test_compute_that_is_down_for_long(self, world, used):
        extend(world, used)
        world.worker.workers[0].run_due()
        silence(world)
        settle(world)
        op = last(world, 'tell-server')
        assert (op.state, op.position) == ('running', 0)
        assert 'compute service' in op.error
        assert world.row(used.id).status == 'in-use' and world.row(used.id).size == 2 * GIB
        assert len(world.messages()) == 1 and 'does not show the new size yet' in world.messages()[0]
        world.nova.broken = {}
        settle(world)
        assert last(world, 'tell-server').state == 'done'
        assert world.nova.told() == [(op.params['server_id'], used.id)]

    def test_host_that_fails_and_then_does_not(self, world, used):
        world.nova.result, world.nova.details = 'Error', 'a path is gone'
        extend(world, used)
        world.run()
        assert 'a path is gone' in last(world, 'tell-server').error
        world.nova.result, world.nova.details, world.nova.busy = 'Success', None, False
        world.clock.ahead += 10
        settle(world)
        assert last(world, 'tell-server').state == 'done'
        assert len(world.nova.told()) == 2

    def test_host_that_fails_for_good(self, world, used):
        world.nova.result, world.nova.details = 'Error', 'a path is gone'
        extend(world, used)
        for _ in range(10):
            settle_once(world)
        op = last(world, 'tell-server')
        assert (op.state, op.refused, len(world.nova.told())) == ('undone', True, 4)
        assert 'a path is gone' in world.messages()[0]
        assert world.row(used.id).size == 2 * GIB

    def test_event_that_was_forgotten_is_sent_again(self, world, used):
        world.nova.busy = True
        extend(world, used)
        world.run()
        world.nova.actions.clear()
        world.clock.ahead += 120
        world.nova.result, world.nova.details, world.nova.busy = 'Success', None, False
        settle(world)
        assert last(world, 'tell-server').state == 'done'
        assert [id for _, id in world.nova.told()] == [used.id]

    def test_host_that_takes_an_hour(self, world, used):
        world.nova.busy = True
        extend(world, used)
        world.run()
        world.clock.ahead += 3600
        for _ in range(5):
            settle_once(world)
        op = last(world, 'tell-server')
        assert (op.state, op.position, len(world.nova.told())) == ('running', 1, 1)
        assert 'has not grown the disk yet' in op.error
        world.nova.finish(result=None, details='No path answers.')
        settle_once(world)
        assert last(world, 'tell-server').error.endswith('as soon as it can. No path answers.')
        world.nova.finish()
        settle(world)
        assert last(world, 'tell-server').state == 'done'

    @pytest.mark.parametrize('change, outcome', [
        (lambda nova, id: nova.servers.pop(id), 'The server is gone.'),
        (lambda nova, id: nova.servers[id].update(host=None), 'on no host'),
    ])
    def test_nobody_to_tell(self, world, used, change, outcome):
        extend(world, used)
        world.worker.workers[0].run_due()
        change(world.nova, next(iter(world.nova.servers)))
        settle(world)
        op = last(world, 'tell-server')
        assert op.state == 'done' and outcome in op.notes['outcome']

    def test_second_extend_takes_the_first_ones_place(self, world, used):
        silence(world)
        extend(world, used, 2)
        world.run()
        extend(world, used, 3)
        world.run()
        told, = world.operations('tell-server')
        assert told.params['size'] == 3 * GIB
        assert told.parent_id == last(world).id and told.request_id == last(world).request_id
        world.nova.broken = {}
        settle(world)
        assert len(world.nova.told()) == 1

    def test_each_of_several_servers(self, world):
        with world.db.transaction() as session:
            from volsvc.db.models import VolumeType
            session.add(VolumeType(name='shared', extra_specs={'multiattach': '<is> True'}))
        volume = world.made(volume_type='shared')
        servers = {world.connected(volume, host=host)[0] for host in ('host1', 'host2')}
        extend(world, volume)
        world.run()
        assert {server for server, _ in world.nova.told()} == servers
        assert world.row(volume.id).status == 'in-use'

    def test_one_that_lost_the_volume_meanwhile(self, world, used):
        silence(world)
        extend(world, used)
        world.run()
        with world.db.reader() as session:
            attachment, = attachments.of_volume(session, used.id)
        with_worker(world, lambda: delete_attachment.request(world.context(roles=['service']), attachment))
        assert last(world, 'tell-server').state == 'cancelled'
        found = world.row(used.id)
        assert (found.status, found.size, found.attachments) == ('available', 2 * GIB, [])

    def test_detached_while_it_grows(self, world, used):
        extend(world, used)
        with world.db.reader() as session:
            attachment, = attachments.of_volume(session, used.id)
        with_worker(world, lambda: delete_attachment.request(world.context(roles=['service']), attachment),
                    only='delete-attachment')
        settle(world)
        assert (world.row(used.id).status, world.row(used.id).size) == ('available', 2 * GIB)
        assert world.nova.told() == []


def settle_once(world):
    due = operations.models.OPERATIONS
    world.run()
    world.clock.ahead += 300
    with world.db.transaction() as session:
        session.execute(due.update().where(due.c.due_at.is_not(None)).values(due_at=0))


def with_worker(world, ask, only=None):
    """Ask while the worker runs what the request waits for."""
    sleep = world.clock.sleep
    world.clock.sleep = lambda seconds: world.worker.workers[0].run_due()
    try:
        ask()
    finally:
        world.clock.sleep = sleep
