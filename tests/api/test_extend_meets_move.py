"""A volume grows while its server is anywhere between here and there: its guest sees the new size where it runs.

Both services with their real operations; hosts are memory hypervisors, volumes are files, and so a guest that was
plugged in too early sees the old size until somebody grows its disk.
"""
import pytest

from computesvc.host import base
from tests.api.cloud import Cloud
from volsvc.drivers.base import DriverError


@pytest.fixture
def cloud(tmp_path):
    made = Cloud(tmp_path)
    yield made
    made.close()


# Those after which something is other than before: where the devices are, what the guest is, what is on record.
RESIZE = ['schedule', 'begin', 'make_connections', 'shut_down', 'disconnect_source', 'migrated', 'connect_devices',
          'spawn', 'complete_volumes', 'record', 'release_source', 'settle']
REVERT = ['gather', 'make_connections', 'shut_down', 'disconnect_source', 'connect_devices', 'bring_back', 'record',
          'settle']
SHELVE = ['begin', 'shut_down', 'record_shelved', 'leave_host', 'keep_volumes', 'record_offloaded']
UNSHELVE = ['schedule', 'make_connections', 'connect_devices', 'spawn', 'complete_volumes', 'record']
OFFLOAD, START = ['begin', 'leave_host', 'record_offloaded'], ['power_on', 'record', 'record']


def well(cloud, server_id, volumes):
    """It runs once, its guest sees each volume's size, every growth ended well, and nothing is under way."""
    host = cloud.host(server_id)
    assert not cloud.leftovers()
    assert cloud.running(server_id) == [host]
    for volume_id, size in volumes.items():
        assert cloud.seen(server_id, volume_id) == size
        assert cloud.attached(volume_id) == [host]
        assert set(cloud.told(volume_id)) <= {'done', 'cancelled'}      # one whose attachment went begins anew
    assert {result for result, _ in cloud.growths(server_id)} <= {'Success'}


def migrate(cloud, server_id, **kw):
    cloud.act(server_id, 'migrate', None, roles='admin', **kw)


def grow_before(cloud, operation, step, volume_id, size):
    """Watch for the step; what is returned is filled once it has come."""
    came = []

    def grow():
        came.append(step)
        cloud.extend(volume_id, size)
    cloud.before(operation, step, grow)
    return came


# ------------------------------------------------------------------ while it is being resized

def test_before_each_step_of_a_migration(cloud):
    """One server goes to and fro; each time its volume grows just before another step."""
    server_id, (volume_id,) = cloud.boot()
    for size, step in enumerate(RESIZE, start=2):
        there = cloud.host(server_id)
        came = grow_before(cloud, 'resize-server', step, volume_id, size)
        migrate(cloud, server_id)
        assert came == [step] and cloud.host(server_id) != there, step
        assert cloud.server(server_id)['status'] == 'VERIFY_RESIZE', step
        well(cloud, server_id, {volume_id: size})
        cloud.act(server_id, 'confirmResize', status=204)
        well(cloud, server_id, {volume_id: size})
        assert cloud.server(server_id)['status'] == 'ACTIVE', step


def test_before_each_step_of_a_revert(cloud):
    server_id, (volume_id,) = cloud.boot()
    there = cloud.host(server_id)
    for size, step in enumerate(REVERT, start=2):
        migrate(cloud, server_id)
        came = grow_before(cloud, 'revert-resize', step, volume_id, size)
        cloud.act(server_id, 'revertResize')
        assert came == [step] and cloud.host(server_id) == there, step
        assert cloud.server(server_id)['status'] == 'ACTIVE', step
        well(cloud, server_id, {volume_id: size})


def test_a_resize_on_the_same_host(cloud):
    server_id, (volume_id,) = cloud.boot()
    cloud.compute.conf.set_override('allow_resize_to_same_host', True)
    cloud.compute.service.db.run(lambda session: _disable(session, 'host2'))
    cloud.compute.flavor('large', disk=1)
    cloud.compute.flavor('larger', disk=1, ram=128)
    for size, step in enumerate(('begin', 'spawn', 'settle'), start=2):
        grow_before(cloud, 'resize-server', step, volume_id, size)
        cloud.act(server_id, 'resize', {'flavorRef': 'larger' if size % 2 else 'large'})
        assert (cloud.host(server_id), cloud.server(server_id)['status']) == ('host1', 'VERIFY_RESIZE')
        well(cloud, server_id, {volume_id: size})
        cloud.act(server_id, 'confirmResize', status=204)
        well(cloud, server_id, {volume_id: size})


def _disable(session, host):
    from sqlalchemy import update

    from computesvc.db.models import Service
    session.execute(update(Service).where(Service.host == host).values(disabled=True))


@pytest.mark.parametrize('method, step', [('define', 'migrated'), ('power_on', 'spawn')])
def test_a_resize_that_is_given_up(cloud, method, step):
    """The server is back where it was, and the growth goes on there."""
    server_id, (volume_id,) = cloud.boot()
    cloud.compute.hypervisors['host2'].faults.fail(method, times=100, error=base.HostError('cannot be done'))
    grow_before(cloud, 'resize-server', step, volume_id, 3)
    migrate(cloud, server_id)
    assert (cloud.host(server_id), cloud.server(server_id)['status']) == ('host1', 'ACTIVE')
    well(cloud, server_id, {volume_id: 3})


def test_several_volumes_several_times(cloud):
    """The latest size is what counts, and every growth has its end."""
    server_id, volumes = cloud.boot(volumes=3)

    def grow():
        for volume_id in volumes[:2]:
            cloud.extend(volume_id, 2)
        cloud.extend(volumes[0], 4)
    cloud.before('resize-server', 'disconnect_source', grow)
    migrate(cloud, server_id)
    well(cloud, server_id, dict(zip(volumes, (4, 2, 1), strict=True)))
    assert len(cloud.growths(server_id)) >= 3


def test_a_backend_that_is_slow(cloud):
    """The volume is still extending while its server goes all the way."""
    server_id, (volume_id,) = cloud.boot()
    driver, extend = cloud.volumes.driver, cloud.volumes.driver.extend
    driver.extend = lambda *args: (_ for _ in ()).throw(DriverError('not yet'))
    cloud.before('resize-server', 'begin', lambda: cloud.ask_to_extend(volume_id, 2))
    seen = []

    def ready():
        seen.append(cloud.volumes.get(f'/volumes/{volume_id}')['volume']['status'])
        driver.extend = extend
    cloud.before('resize-server', 'record', ready)
    migrate(cloud, server_id)
    assert seen == ['extending'] and cloud.server(server_id)['status'] == 'VERIFY_RESIZE'
    well(cloud, server_id, {volume_id: 2})


def test_a_volume_that_another_server_has_too(cloud):
    """That one sees the new size at once, on the host that the first one leaves or where it arrives."""
    shared = cloud.volume(multiattach=True)
    (first, _), (second, _), (third, _) = (cloud.boot(volumes=0) for _ in range(3))
    assert [cloud.host(id) for id in (first, second, third)] == ['host1', 'host2', 'host1']
    for server_id in (first, second, third):
        plug(cloud, server_id, shared)
        cloud.settle()

    def grow():
        cloud.extend(shared, 2)
        cloud.compute.run()
        assert cloud.seen(second, shared) == cloud.seen(third, shared) == 2
    cloud.before('resize-server', 'migrated', grow)
    migrate(cloud, first)
    assert not cloud.leftovers() and [cloud.seen(id, shared) for id in (first, second, third)] == [2, 2, 2]
    assert sorted(cloud.attached(shared)) == ['host1', 'host2', 'host2']
    cloud.extend(shared, 3)
    cloud.act(first, 'revertResize')
    assert [cloud.seen(id, shared) for id in (first, second, third)] == [3, 3, 3]
    assert sorted(cloud.attached(shared)) == ['host1', 'host1', 'host2']


# ------------------------------------------------------------------ in VERIFY_RESIZE

@pytest.mark.parametrize('end, status, host, code', [('confirmResize', 'ACTIVE', 'host2', 204),
                                                     ('revertResize', 'ACTIVE', 'host1', 202)])
def test_in_verify_resize(cloud, end, status, host, code):
    server_id, (volume_id,) = cloud.boot()
    migrate(cloud, server_id)
    cloud.extend(volume_id, 2)
    cloud.settle()
    assert cloud.server(server_id)['status'] == 'VERIFY_RESIZE'
    well(cloud, server_id, {volume_id: 2})
    cloud.act(server_id, end, status=code)
    assert (cloud.server(server_id)['status'], cloud.host(server_id)) == (status, host)
    well(cloud, server_id, {volume_id: 2})


# ------------------------------------------------------------------ stopped, paused, shelved

@pytest.mark.parametrize('move', [False, True])
def test_a_stopped_server(cloud, move):
    """Also one that moves: it starts on the other host with the new size."""
    server_id, (volume_id,) = cloud.boot()
    cloud.act(server_id, 'os-stop')
    if move:
        grow_before(cloud, 'resize-server', 'pull_disks', volume_id, 2)
        migrate(cloud, server_id)
        assert cloud.running(server_id) == []
        cloud.act(server_id, 'confirmResize', status=204)
    else:
        cloud.extend(volume_id, 2)
        cloud.settle()
    assert cloud.server(server_id)['status'] == 'SHUTOFF' and not cloud.leftovers()
    cloud.act(server_id, 'os-start')
    assert cloud.host(server_id) == ('host2' if move else 'host1')
    well(cloud, server_id, {volume_id: 2})


def test_a_stopped_server_whose_host_started_anew(cloud):
    """Its device is gone until the server starts; the growth does not fail for that."""
    server_id, (volume_id,) = cloud.boot()
    cloud.act(server_id, 'os-stop')
    path = cloud.volumes.driver.folder / f'volume-{volume_id}'
    cloud.extend(volume_id, 2)
    path.rename(f'{path}.away')
    cloud.settle()
    assert [details for _, details in cloud.growths(server_id)] == ['The server sees the new size at its next start.']
    (path.parent / f'{path.name}.away').rename(path)
    cloud.act(server_id, 'os-start')
    well(cloud, server_id, {volume_id: 2})


def test_a_paused_server(cloud):
    server_id, (volume_id,) = cloud.boot()
    cloud.act(server_id, 'pause')
    cloud.extend(volume_id, 2)
    cloud.settle()
    assert cloud.server(server_id)['status'] == 'PAUSED'
    well(cloud, server_id, {volume_id: 2})
    cloud.act(server_id, 'unpause')
    well(cloud, server_id, {volume_id: 2})


def test_a_server_that_is_shelved_on_its_host(cloud):
    cloud.compute.conf.set_override('shelved_offload_time', 3600)
    server_id, (volume_id,) = cloud.boot()
    cloud.act(server_id, 'shelve')
    assert (cloud.server(server_id)['status'], cloud.host(server_id)) == ('SHELVED', 'host1')
    cloud.extend(volume_id, 2)
    cloud.settle()
    assert cloud.attached(volume_id) == ['host1']
    cloud.act(server_id, 'unshelve')
    well(cloud, server_id, {volume_id: 2})


def test_a_server_that_is_shelved_on_no_host(cloud):
    """Nobody has to be told; it sees the new size where it is unshelved."""
    server_id, (volume_id,) = cloud.boot()
    cloud.act(server_id, 'shelve')
    assert (cloud.server(server_id)['status'], cloud.host(server_id)) == ('SHELVED_OFFLOADED', None)
    cloud.extend(volume_id, 2)
    cloud.settle()
    assert cloud.told(volume_id) == ['done'] and cloud.attached(volume_id) == [None]
    cloud.act(server_id, 'unshelve')
    well(cloud, server_id, {volume_id: 2})


@pytest.mark.parametrize('stays, ways', [
    (0, [('shelve', 'shelve-server', SHELVE), ('unshelve', 'unshelve-server', UNSHELVE)]),
    (3600, [('shelve', 'shelve-server', SHELVE[:3]), ('unshelve', 'start-shelved', START)]),
    (3600, [('shelve', None, OFFLOAD), ('shelveOffload', 'offload-server', OFFLOAD), ('unshelve', None, OFFLOAD)])])
def test_before_each_step_of_shelving_and_back(cloud, stays, ways):
    """Off its host at once, not at all, or later: its guest sees each new size when it is back."""
    server_id, (volume_id,) = cloud.boot()
    cloud.compute.conf.set_override('shelved_offload_time', stays)
    size = 1
    for turn in range(len(ways[0][2])):
        for action, operation, steps in ways:
            size += bool(operation)
            came = grow_before(cloud, operation, steps[turn], volume_id, size)
            cloud.act(server_id, action, roles='admin')
            assert came == ([steps[turn]] if operation else []), operation
        assert cloud.server(server_id)['status'] == 'ACTIVE', turn
        well(cloud, server_id, {volume_id: size})


# ------------------------------------------------------------------ a growth that waits for its host

@pytest.mark.parametrize('position', ['grow_device', 'grow_guest_disk'])
def test_resized_while_a_growth_waits_for_the_host(cloud, position):
    """The host is away when the volume grows; then it is asked to give the server away."""
    server_id, (volume_id,) = cloud.boot()
    conductor, away = cloud.compute.conductor.worker, cloud.compute.agents['host1'].worker
    if position == 'grow_guest_disk':
        cloud.compute.hypervisors['host1'].faults.fail('resize_disk', times=1, error=base.HostError('not now'))
    cloud.extend(volume_id, 2)
    cloud.compute.run(conductor)
    if position == 'grow_guest_disk':
        away.run_due()
    assert len(cloud.leftovers()) == 2 and cloud.growths(server_id)[0][0] is None
    migrate(cloud, server_id, settle=False)
    for _ in range(3):
        cloud.compute.run(conductor, cloud.compute.agents['host2'].worker)
    assert cloud.host(server_id) == 'host1', 'nothing can move before the host is back'
    cloud.settle()
    assert (cloud.server(server_id)['status'], cloud.host(server_id)) == ('VERIFY_RESIZE', 'host2')
    well(cloud, server_id, {volume_id: 2})


def test_the_sweep_lets_a_moving_server_be(cloud):
    """Nothing is compared, nor grown, while devices come and go."""
    server_id, (volume_id,) = cloud.boot()
    agent, compared = cloud.compute.agents['host1'], []
    cloud.before('resize-server', 'export_disks', lambda: compared.append((agent.sweep(), agent.notices)))
    migrate(cloud, server_id)
    assert compared == [(0, [])]
    well(cloud, server_id, {volume_id: 1})


# ------------------------------------------------------------------ volumes that come and go meanwhile

def plug(cloud, server_id, volume_id, status=200):
    answer = cloud.compute.call('POST', f'/v2.1/servers/{server_id}/os-volume_attachments',
                                {'volumeAttachment': {'volumeId': volume_id}})
    assert answer.status == status, answer.raw
    return answer


def unplug(cloud, server_id, volume_id, status=202):
    answer = cloud.compute.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{volume_id}')
    assert answer.status == status, answer.raw
    return answer


def test_none_comes_or_goes_while_a_server_moves(cloud):
    """409, as long as it is RESIZE or REVERT_RESIZE."""
    server_id, (volume_id,) = cloud.boot()
    other = cloud.volume()
    refused = []

    def ask():
        for answer in (plug(cloud, server_id, other, 409), unplug(cloud, server_id, volume_id, 409)):
            refused.append(answer.message.split()[-1])
    for step in ('schedule', 'begin', 'export_disks', 'connect_devices', 'spawn', 'settle'):
        cloud.before('resize-server', step, ask)
    migrate(cloud, server_id)
    for step in ('gather', 'settle'):
        cloud.before('revert-resize', step, ask)
    cloud.act(server_id, 'revertResize')
    assert refused[::2] == refused[1::2] == [
        'resize_prep', 'resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish', 'resize_finish',
        'resize_reverting', 'resize_reverting']
    well(cloud, server_id, {volume_id: 1})
    assert cloud.volumes.get(f'/volumes/{other}')['volume']['status'] == 'available'


def test_a_move_waits_for_volumes_on_their_way(cloud):
    """One is being attached, another being detached, when the server is asked to move."""
    server_id, (kept, leaving) = cloud.boot(volumes=2)
    coming = cloud.volume()
    plug(cloud, server_id, coming)
    unplug(cloud, server_id, leaving)
    migrate(cloud, server_id)
    assert cloud.server(server_id)['status'] == 'VERIFY_RESIZE'
    well(cloud, server_id, {kept: 1, coming: 1})
    assert cloud.volumes.get(f'/volumes/{leaving}')['volume']['status'] == 'available'


@pytest.mark.parametrize('end, code', [('confirmResize', 204), ('revertResize', 202)])
def test_volumes_that_come_and_go_in_verify_resize(cloud, end, code):
    """They are the server's on whichever host it ends."""
    server_id, (kept, leaving) = cloud.boot(volumes=2)
    migrate(cloud, server_id)
    coming = cloud.volume()
    plug(cloud, server_id, coming)
    unplug(cloud, server_id, leaving)
    cloud.settle()
    well(cloud, server_id, {kept: 1, coming: 1})
    cloud.extend(coming, 2)
    cloud.act(server_id, end, status=code)
    well(cloud, server_id, {kept: 1, coming: 2})
    assert cloud.volumes.get(f'/volumes/{leaving}')['volume']['status'] == 'available'
    for name, hypervisor in cloud.compute.hypervisors.items():
        assert (name == cloud.host(server_id)) == (server_id in hypervisor.servers())
