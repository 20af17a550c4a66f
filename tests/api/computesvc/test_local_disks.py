"""Servers with disks that are files of their host: made, moved, gone."""
import pytest

from computesvc.db import local_disks
from computesvc.db.models import Server
from computesvc.host.progress import LONGEST, SECONDS, Progress
from svckit import operations
from tests.api.computesvc.world import World

GIB, MIB = 1 << 30, 1 << 20


@pytest.fixture
def world(tmp_path):
    world = World(f'sqlite:///{tmp_path}/computesvc.db', tmp_path / 'hosts', hosts=('host1', 'host2'))
    world.flavor('small', disk=1, swap=1, **{'OS-FLV-EXT-DATA:ephemeral': 1})
    world.flavor('large', disk=2, swap=2, **{'OS-FLV-EXT-DATA:ephemeral': 2})
    world.flavor('other', disk=1, swap=1, vcpus=2, **{'OS-FLV-EXT-DATA:ephemeral': 1})
    return world


def new(world, **values):
    """A server on host1 with root, ephemeral disk and swap; its id."""
    server_id = world.post('/servers', {'server': {
        'name': 's1', 'flavorRef': 'small', 'networks': 'none', 'host': 'host1',
        'imageRef': world.images.add(b'x' * MIB), **values}}, roles='admin').json['server']['id']
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE', world.server(server_id)
    return server_id


def files(world, host):
    """name -> size of each disk's file on a host; of several of one name the last."""
    folder = world.folder / host if host != 'host1' else world.folder
    return {path.name: path.stat().st_size for path in sorted((folder / 'servers').rglob('*.raw*'))}


def plugged(world, host, server_id):
    """target -> size, of what the guest shows."""
    return {disk['target']: disk['size'] for disk in world.hypervisors[host].disks(server_id).values()}


def row(world, server_id):
    with world.service.db.reader() as session:
        return session.get(Server, server_id)


SMALL = {'root.raw': GIB, 'ephemeral0.raw': GIB, 'swap.raw': MIB}
LARGE = {'root.raw': 2 * GIB, 'ephemeral0.raw': 2 * GIB, 'swap.raw': 2 * MIB}


def test_a_server_has_its_flavors_disks_until_it_is_deleted(world):
    server_id = new(world)
    assert files(world, 'host1') == SMALL
    assert plugged(world, 'host1', server_id) == {'vda': GIB, 'vdb': GIB, 'vdc': MIB}
    volume_id = world.attach(server_id)
    shown = world.get(f'/servers/{server_id}/os-volume_attachments/{volume_id}')['volumeAttachment']
    assert shown['device'] == '/dev/vdd'
    world.act(server_id, 'os-stop')
    world.run()
    world.act(server_id, 'os-start')
    world.run()
    assert plugged(world, 'host1', server_id) == {'vda': GIB, 'vdb': GIB, 'vdc': MIB, 'vdd': GIB}
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run()
    assert files(world, 'host1') == {} and not list((world.folder / 'servers').iterdir())


def test_a_server_that_cannot_be_made_leaves_no_disk(world):
    world.hypervisor.faults.fail('power_on', times=9)
    server_id = world.post('/servers', {'server': {
        'name': 's1', 'flavorRef': 'small', 'networks': 'none', 'host': 'host1',
        'imageRef': world.images.add(b'x')}}, roles='admin').json['server']['id']
    for _ in range(9):
        world.hurry()
        world.run()
    assert world.server(server_id)['status'] == 'ERROR' and files(world, 'host1') == {}


def test_disks_move_with_their_server_and_those_left_go_at_the_confirmation(world):
    server_id = new(world)
    world.act(server_id, 'resize', {'flavorRef': 'large'})
    world.run()
    assert world.server(server_id)['status'] == 'VERIFY_RESIZE'
    assert files(world, 'host1') == SMALL and files(world, 'host2') == LARGE
    assert plugged(world, 'host2', server_id) == {'vda': 2 * GIB, 'vdb': 2 * GIB, 'vdc': 2 * MIB}
    assert not list(world.folder.rglob('*.psk')), 'nobody can read them any more'
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert files(world, 'host1') == {} and files(world, 'host2') == LARGE
    # And back again, with what it has now.
    world.act(server_id, 'migrate', roles='admin')
    world.run()
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert files(world, 'host1') == LARGE and files(world, 'host2') == {}
    assert plugged(world, 'host1', server_id) == {'vda': 2 * GIB, 'vdb': 2 * GIB, 'vdc': 2 * MIB}


def test_a_revert_finds_the_old_disks(world):
    server_id = new(world)
    before = row(world, server_id)
    world.act(server_id, 'resize', {'flavorRef': 'large'})
    world.run()
    world.act(server_id, 'revertResize')
    world.run()
    after = row(world, server_id)
    assert (after.root_disk, after.local_disks, after.host) == (before.root_disk, before.local_disks, 'host1')
    assert files(world, 'host1') == SMALL and files(world, 'host2') == {}
    assert plugged(world, 'host1', server_id) == {'vda': GIB, 'vdb': GIB, 'vdc': MIB}


@pytest.mark.parametrize('word', ['confirmResize', 'revertResize'])
def test_on_one_host_the_old_disks_stay_beside_the_new_ones(world, word):
    world.conf.set_override('allow_resize_to_same_host', True)
    server_id = new(world)
    disable(world, 'host2')
    world.act(server_id, 'resize', {'flavorRef': 'large'})
    world.run()
    assert row(world, server_id).host == 'host1' and world.server(server_id)['status'] == 'VERIFY_RESIZE'
    assert len(list((world.folder / 'servers').rglob('*.raw'))) == 6
    assert plugged(world, 'host1', server_id) == {'vda': 2 * GIB, 'vdb': 2 * GIB, 'vdc': 2 * MIB}
    world.act(server_id, word, status=204 if word == 'confirmResize' else 202)
    world.run()
    left = LARGE if word == 'confirmResize' else SMALL
    assert files(world, 'host1') == left and len(list((world.folder / 'servers').rglob('*.raw'))) == 3
    assert sorted(plugged(world, 'host1', server_id).values()) == sorted(left.values())


def disable(world, host):
    service = next(one for one in world.get('/os-services', roles='admin')['services'] if one['host'] == host)
    answer = world.call('PUT', f'/v2.1/os-services/{service["id"]}', {'status': 'disabled'}, roles='admin')
    assert answer.status == 200, answer.raw


def test_a_pull_that_fails_for_good_leaves_the_server_where_it_was(world):
    server_id = new(world)
    world.hypervisors['host2'].faults.fail('fetch', times=9)
    world.act(server_id, 'resize', {'flavorRef': 'large'})
    for _ in range(9):
        world.hurry()
        world.run()
    shown = world.server(server_id)
    assert shown['status'] == 'ACTIVE' and shown['progress'] == 0
    assert files(world, 'host1') == SMALL and files(world, 'host2') == {}
    assert world.hypervisor.power_state(server_id) == 'running' and not list(world.folder.rglob('*.psk'))


# ------------------------------------------------------------------ how far it is

@pytest.fixture
def pulling(world):
    """A server whose disks are being pulled; its id, and its operation."""
    server_id = new(world)
    world.hypervisors['host2'].faults.fail('fetch', times=1)
    world.act(server_id, 'resize', {'flavorRef': 'large'})
    world.run()
    with world.service.db.reader() as session:
        op = operations.live(session, f'server:{server_id}')
    return server_id, op


def test_the_server_and_its_operation_show_how_far_the_pull_is(world, pulling):
    server_id, op = pulling
    tell = Progress(world.agents['host2'].desk, op)
    assert tell(42.7) is True
    assert world.server(server_id)['progress'] == 42
    shown = world.get(f'/servers/{server_id}/operations/{op.id}', roles='admin')['operation']
    step = next(step for step in shown['steps'] if step['name'] == 'pull_disks')
    assert step['progress'] == '42 percent' and step['state'] == 'running'
    world.hurry()
    world.run()
    assert world.server(server_id)['status'] == 'VERIFY_RESIZE'


def test_a_pull_learns_that_nobody_waits_for_it(world, pulling):
    server_id, op = pulling
    tells = [Progress(world.agents['host2'].desk, op) for _ in range(3)]
    assert tells[0](10) is True
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    assert tells[1](20) is False
    world.hurry()
    world.run()
    assert tells[2](30) is False, 'the operation is another one\'s, or over'
    assert files(world, 'host1') == {} and files(world, 'host2') == {}


def test_the_conductor_is_told_now_and_then_and_may_be_away():
    now, told = [0.0], []

    def desk(method, **said):
        told.append(said['percent'])
        if len(told) == 2:
            raise ConnectionError
        return {'wanted': True}
    tell = Progress(desk, operations.Op(
        id='1', name='', version=1, subject=None, params={}, notes={}, state='', position=0, attempts=0, lease=1),
        clock=lambda: now[0])
    for percent in range(100):
        assert tell(percent) is True
        now[0] += SECONDS / 8
    assert told == [*range(0, 100, 8)]
    told.clear()
    now[0] += SECONDS
    for _ in range(1 + 4 * 8):
        tell(99)
        now[0] += LONGEST / 8
    assert told == [99] * 5, 'what does not change is told more rarely'


# ------------------------------------------------------------------ what is left behind

def test_exports_and_disks_that_nobody_needs_go_with_the_next_sweep(world, pulling):
    server_id, op = pulling
    agent = world.agent
    agent.sweep()
    assert agent.tools.local_disks.exports() == [op.params['migration']], 'it is being pulled'
    world.hurry()
    world.run()
    there = world.agents['host2'].tools.local_disks
    agent.tools.local_disks.export(server_id, [], 'given-up')
    there.make_blanks('of-a-server-unknown', [])
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    agent.tools.local_disks.make_blanks(server_id, [{'name': 'swap', 'device': '/dev/vdc', 'size': 1, 'format': None}])
    for one in world.agents.values():
        one.sweep()
    assert files(world, 'host1') == {} and agent.tools.local_disks.exports() == []
    assert files(world, 'host2') == LARGE


# ------------------------------------------------------------------ with another flavor

def shape(disks):
    return [(disk['name'], disk['device'], disk['size']) for disk in disks]


def flavor(disk=1, ephemeral=0, swap=0):
    return {'disk': disk, 'ephemeral': ephemeral, 'swap': swap}


ROOT = {'name': 'root', 'device': '/dev/vda', 'size': GIB, 'format': None, 'path': '/root.raw'}
FIRST, SECOND = local_disks.ephemeral(0, '/dev/vdb', GIB), local_disks.ephemeral(1, '/dev/vdc', GIB)
SWAP = local_disks.swap('/dev/vdd', MIB)


@pytest.mark.parametrize('there, old, new, wanted', [
    ([ROOT], flavor(), flavor(disk=3), [('root', '/dev/vda', 3 * GIB)]),
    ([ROOT], flavor(disk=1), flavor(disk=0), [('root', '/dev/vda', GIB)]),
    ([FIRST, SECOND], flavor(ephemeral=3), flavor(ephemeral=3), shape([FIRST, SECOND])),
    ([FIRST, SECOND], flavor(ephemeral=3), flavor(ephemeral=5), [*shape([FIRST]), ('ephemeral1', '/dev/vdc', 4 * GIB)]),
    ([FIRST, SECOND], flavor(ephemeral=3), flavor(ephemeral=1), shape([FIRST, SECOND])),
    ([SWAP], flavor(swap=4), flavor(swap=4), shape([SWAP])),
    ([SWAP], flavor(swap=4), flavor(swap=2), [('swap', '/dev/vdd', 2 * MIB)]),
    ([SWAP], flavor(swap=4), flavor(), []),
    ([ROOT], flavor(), flavor(ephemeral=1, swap=1),
     [('root', '/dev/vda', GIB), ('ephemeral0', '/dev/vdc', GIB), ('swap', '/dev/vdd', MIB)]),
])
def test_disks_follow_the_flavor_but_never_shrink(there, old, new, wanted):
    found = local_disks.with_flavor(there, old, new, {'/dev/vdb'})
    assert shape(found) == wanted and not any('path' in disk for disk in found)
