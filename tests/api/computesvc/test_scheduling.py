"""Where a new server goes, what it holds there, and what its user is told when it goes nowhere."""
import pytest
from sqlalchemy import update

from computesvc.cmd import manage
from computesvc.db import claims
from computesvc.db.models import Claim, Hypervisor, Server, Service
from computesvc.host import base
from computesvc.operations.boot_server import OLD
from svckit import operations
from tests.api.computesvc.world import World

ADMIN = {'roles': 'admin'}
NONE = 'No valid host was found. '


@pytest.fixture
def world(tmp_path):
    made = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, hosts=('host1', 'host2'))
    yield made
    made.service.db.dispose()


def change(world, model, host, **values):
    world.service.db.run(lambda session: session.execute(update(model).where(model.host == host).values(**values)))


def used(world, host):
    """(vcpus, MiB, GiB, servers) as administrators see them."""
    shown = next(h for h in world.get('/os-hypervisors/detail', version='2.87', **ADMIN)['hypervisors']
                 if h['hypervisor_hostname'] == host)
    return shown['vcpus_used'], shown['memory_mb_used'], shown['local_gb_used'], shown['running_vms']


def host_of(world, server_id):
    return world.server(server_id, **ADMIN)['OS-EXT-SRV-ATTR:host']


def fault(world, server_id):
    """The fault, which the action's event says as well."""
    server = world.server(server_id)
    assert server['status'] == 'ERROR'
    action = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions'][0]
    event = world.get(f"/servers/{server_id}/os-instance-actions/{action['request_id']}", **ADMIN)
    assert event['instanceAction']['events'][0]['details'] == server['fault']['message']
    return server['fault']['message']


def test_a_server_holds_room_until_it_is_deleted(world):
    ids = [world.boot(flavorRef='2') for _ in range(3)]
    assert [host_of(world, id) for id in ids] == ['host1', 'host2', 'host1']
    assert (used(world, 'host1'), used(world, 'host2')) == ((2, 4096, 0, 2), (1, 2048, 0, 1))
    image = world.images.add(b'x')
    ids.append(world.post('/servers', {'server': {'name': 's', 'flavorRef': '2', 'networks': 'none',
                                                  'imageRef': image}}).json['server']['id'])
    assert used(world, 'host2')[2] == 0
    world.run()
    assert used(world, 'host2') == (2, 4096, 20, 2)         # its root disk is the host's
    for id in ids:
        world.call('DELETE', f'/v2.1/servers/{id}')
    world.run()
    assert used(world, 'host1') == used(world, 'host2') == (0, 0, 0, 0)


def test_a_server_that_could_not_be_made_holds_nothing(world):
    for hypervisor in world.hypervisors.values():
        hypervisor.faults.fail('define', times=100, error=base.HostError('cannot be done'))
    server_id = world.boot()
    for _ in range(8):
        world.hurry()
        world.run()
    assert world.server(server_id)['status'] == 'ERROR'
    assert used(world, 'host1') == used(world, 'host2') == (0, 0, 0, 0)


def test_each_refusal_is_named(world):
    world.add_host('host3')
    change(world, Service, 'host1', disabled=True)
    change(world, Service, 'host2', seen_at=0)
    change(world, Hypervisor, 'host3', memory_mb=32)
    assert fault(world, world.boot()) == (
        f'{NONE}Of 3 hosts, these filters refused: enabled (1), alive (1), memory (1).')
    change(world, Service, 'host2', seen_at=1e12)
    assert host_of(world, world.boot()) == 'host2'
    change(world, Service, 'host3', zone='far')
    assert fault(world, world.boot(availability_zone='far')) == (
        f'{NONE}Of 3 hosts, these filters refused: enabled (1), zone (1), memory (1).')


def test_a_host_named_by_an_administrator(world):
    assert host_of(world, _pinned(world, 'host2')) == 'host2'
    change(world, Service, 'host2', disabled=True)
    assert 'wanted_host (1)' in fault(world, _pinned(world, 'host2'))


def _pinned(world, host):
    answer = world.post('/servers', {'server': {
        'name': 's', 'flavorRef': '42', 'networks': 'none', 'imageRef': '', 'host': host, 'block_device_mapping_v2': [
            {'boot_index': 0, 'uuid': world.volumes.add(1), 'source_type': 'volume', 'destination_type': 'volume'}]}},
        **ADMIN)
    world.run()
    return answer.json['server']['id']


def test_a_flavor_that_asks_for_what_one_host_has(world):
    body = {'flavor': {'name': 'special', 'ram': 64, 'vcpus': 1, 'disk': 0, 'id': 'special'}}
    world.post('/flavors', body, 200, **ADMIN)
    world.post('/flavors/special/os-extra_specs', {'extra_specs': {'capabilities:gpu': '>= 2'}}, 200, **ADMIN)
    assert 'capabilities (2)' in fault(world, world.boot(flavorRef='special'))
    change(world, Hypervisor, 'host2', capabilities={'gpu': 2})
    assert host_of(world, world.boot(flavorRef='special')) == 'host2'


def test_a_host_that_refuses_is_followed_by_the_next(world):
    world.add_host('host3')
    for host in ('host1', 'host2'):
        world.hypervisors[host].faults.fail('capabilities', times=2)
    server_id = world.boot()
    while host_of(world, server_id) != 'host3':
        world.hurry()
        world.run()
    assert world.server(server_id)['status'] == 'ACTIVE'
    assert {name: list(h.servers()) for name, h in world.hypervisors.items()} == {
        'host1': [], 'host2': [], 'host3': [server_id]}
    assert used(world, 'host1') == used(world, 'host2') == (0, 0, 0, 0)
    assert used(world, 'host3') == (1, 128, 0, 1)


def test_a_host_that_has_less_than_was_reported(world):
    for host in ('host1', 'host2'):
        change(world, Hypervisor, host, memory_mb=999999)
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': {'ram': -1}}, **ADMIN)
    world.post('/flavors', {'flavor': {'name': 'big', 'ram': 300000, 'vcpus': 1, 'disk': 0, 'id': 'big'}}, 200, **ADMIN)
    assert fault(world, world.boot(flavorRef='big')) == f'{NONE}A chosen host has less memory than the server needs.'


def test_all_hosts_refuse(world):
    for hypervisor in world.hypervisors.values():
        hypervisor.faults.fail('capabilities', times=2)
    server_id = world.boot()
    for _ in range(3):
        world.hurry()
        world.run()
    assert fault(world, server_id) == f'{NONE}A chosen host could not be asked.'
    assert used(world, 'host1') == used(world, 'host2') == (0, 0, 0, 0)
    assert {v['status'] for v in world.volumes.volumes.values()} == {'available'}


def test_a_boot_from_before_hosts_were_asked_goes_on(world):
    """Version 1 of the operation, as it may be left in the database by a conductor that has been replaced."""
    server_id = world.boot(run=False)
    with world.service.db.transaction() as session:
        op = operations.live(session, f'server:{server_id}')
        params = {name: value for name, value in op.params.items() if name != 'wish'}
        params |= {'zone': None, 'wanted_host': None, 'wanted_node': None}
        operations.cancel(session, f'server:{server_id}', 'replaced')
        operations.start(session, OLD[0], subject=f'server:{server_id}', params=params, project_id='p1')
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE' and used(world, 'host1')[0] == 1


def test_a_host_that_holds_room_keeps_its_service(world):
    _pinned(world, 'host1')
    services = world.get('/os-services', **ADMIN)['services']
    ids = {service['host']: service['id'] for service in services if service['binary'] == 'nova-compute'}
    assert world.call('DELETE', f"/v2.1/os-services/{ids['host1']}", **ADMIN).status == 409
    assert world.call('DELETE', f"/v2.1/os-services/{ids['host2']}", **ADMIN).status == 204


# ------------------------------------------------------------------ the books, and an operator who looks at them

def test_books_that_are_wrong_are_put_right(world, tmp_path, capsys):
    file = tmp_path / 'computesvc.conf'
    file.write_text(f'[database]\nconnection = sqlite:///{tmp_path}/compute.sqlite\n')

    def run(verb):
        return manage.main(['--config-file', str(file), 'claims', verb]), capsys.readouterr().out.splitlines()
    _, lost, moved = (_pinned(world, 'host1') for _ in range(3))
    assert run('check') == (0, ['All is well.'])

    def spoil(session):
        claims.release(session, f'server:{lost}')
        session.add(Claim(key='server:gone', host='host2', server_id='gone', vcpus=1, memory_mb=64, disk_gb=3))
        session.execute(update(Server).where(Server.id == moved).values(host='host2'))
        session.execute(update(Hypervisor).where(Hypervisor.host == 'host2').values(vcpus_used=7))
    world.service.db.run(spoil)
    wrong = sorted([
        'host2: server:gone holds 1 processors, 64 MiB, 3 GiB, but its server is not there.',
        f'host1: server:{moved} holds 1 processors, 128 MiB, 0 GiB, but its server takes 1 processors, 128 MiB, 0 GiB '
        'on host2.',
        f'host1: server:{lost} holds nothing, but its server takes 1 processors, 128 MiB, 0 GiB.',
        'host2: 7 processors, 0 MiB, 0 GiB are recorded as taken, its claims add up to 1 processors, 64 MiB, 3 GiB.'])
    status, said = run('check')
    assert (status, sorted(said)) == (1, wrong)
    assert run('repair')[0] == 0
    assert run('check') == (0, ['All is well.'])
    assert (used(world, 'host1'), used(world, 'host2')) == ((2, 256, 0, 2), (1, 128, 0, 1))


def test_a_server_at_work_is_left_alone_by_the_check(world):
    server_id = world.boot(run=False)
    world.run(world.conductor.worker)
    world.service.db.run(lambda session: claims.release(session, f'server:{server_id}'))
    with world.service.db.reader() as session:
        assert claims.differences(session) == []


# ------------------------------------------------------------------ servers that move

def large(world, disk=0):
    world.flavor('large', ram=1024, vcpus=2, disk=disk)
    return {'flavorRef': 'large'}


def books(world):
    """What the hosts have given out, and what an operator would be told about it."""
    with world.service.db.reader() as session:
        assert claims.differences(session) == []
    return used(world, 'host1'), used(world, 'host2')


NOTHING, SMALL, LARGE = (0, 0, 0, 0), (1, 128, 0, 1), (2, 1024, 0, 1)


@pytest.mark.parametrize('end, code, after', [('confirmResize', 204, (NOTHING, LARGE)),
                                              ('revertResize', 202, (SMALL, NOTHING))])
def test_a_server_holds_room_on_both_hosts_until_its_user_has_decided(world, end, code, after):
    server_id = world.boot()
    world.act(server_id, 'resize', large(world))
    world.run()
    assert books(world) == (SMALL, LARGE)
    world.act(server_id, end, status=code)
    world.run()
    assert books(world) == after


def test_local_disks_take_room_too(world):
    """Root and swap, whole GiB; the larger ones where the server goes."""
    world.flavor('one', disk=1, swap=512)
    world.flavor('other', disk=1, swap=1025)
    image = world.images.add(b'x')
    server_id = world.post('/servers', {'server': {'name': 's', 'flavorRef': 'one', 'networks': 'none',
                                                   'imageRef': image}}).json['server']['id']
    world.run()
    world.act(server_id, 'resize', {'flavorRef': 'other'})
    world.run()
    assert books(world) == ((1, 64, 2, 1), (1, 64, 3, 1))
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert books(world) == (NOTHING, (1, 64, 3, 1))


def test_a_host_that_is_down_keeps_what_it_held_until_it_is_cleaned(world):
    server_id = world.boot()
    world.act(server_id, 'resize', large(world))
    world.run()
    world.act(server_id, 'confirmResize', status=204)
    world.run(world.conductor.worker, world.agents['host2'].worker)
    assert world.server(server_id)['status'] == 'ACTIVE' and books(world) == (SMALL, LARGE)
    world.run()
    assert books(world) == (NOTHING, LARGE)


def test_a_host_that_is_down_for_good_is_not_waited_for(world):
    """Nor is it forgotten what it should not have, if it comes back after all."""
    server_id = world.boot()
    world.act(server_id, 'resize', large(world))
    world.run()
    world.act(server_id, 'confirmResize', status=204)
    there = [world.conductor.worker, world.agents['host2'].worker]
    world.run(*there)
    service = next(s for s in world.get('/os-services', **ADMIN)['services'] if s['host'] == 'host1'
                   and s['binary'] == 'nova-compute')
    path = f"/v2.1/os-services/{service['id']}"
    assert world.call('DELETE', path, **ADMIN).status == 409
    world.call('PUT', path, {'forced_down': True}, **ADMIN)
    assert world.call('DELETE', path, **ADMIN).status == 204
    with world.service.db.reader() as session:
        assert claims.differences(session) == [] and not operations.queries.find(session, 'live')
    assert world.hypervisors['host1'].servers() == {server_id: 'shutdown'}
    world.agents['host1'].heartbeat()
    world.agents['host1'].sweep()
    assert world.hypervisors['host1'].servers() == {}
    assert books(world) == (NOTHING, LARGE)


@pytest.mark.parametrize('when', ['while it moves', 'before it is confirmed', 'given up', 'shelved'])
def test_what_is_over_holds_nothing(world, when):
    server_id = world.boot()
    if when == 'given up':
        world.hypervisors['host2'].faults.fail('define', times=100, error=base.HostError('cannot be done'))
    world.act(server_id, *(['shelve'] if when == 'shelved' else ['resize', large(world)]))
    world.run(*([world.conductor.worker] if when == 'while it moves' else []))
    if when == 'given up':
        for _ in range(8):
            world.hurry()
            world.run()
        assert world.server(server_id)['status'] == 'ACTIVE' and books(world) == (SMALL, NOTHING)
    if when == 'shelved':
        assert books(world) == (NOTHING, NOTHING)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    for _ in range(3):
        world.hurry()
        world.run()
    assert books(world) == (NOTHING, NOTHING)


def test_two_resizes_never_take_the_same_room(world):
    """There is room for one on the other host; the other server stays as it was, and is told why."""
    first, second = _pinned(world, 'host1'), _pinned(world, 'host1')
    change(world, Hypervisor, 'host2', memory_mb=1500)
    wish = large(world)
    for server_id in (first, second):
        world.act(server_id, 'resize', wish)
    world.run()
    shown = {server_id: world.server(server_id) for server_id in (first, second)}
    moved, stayed = sorted(shown, key=lambda id: shown[id]['status'], reverse=True)
    assert (shown[moved]['status'], shown[stayed]['status']) == ('VERIFY_RESIZE', 'ACTIVE')
    action = world.get(f'/servers/{stayed}/os-instance-actions')['instanceActions'][0]
    event = world.get(f"/servers/{stayed}/os-instance-actions/{action['request_id']}", **ADMIN)['instanceAction']
    assert event['events'][0]['details'] == (
        f'{NONE}Of 2 hosts, these filters refused: other_host (1), memory (1).')
    assert books(world) == ((2, 256, 0, 2), LARGE)
    world.act(moved, 'revertResize')
    world.run()
    world.act(stayed, 'resize', wish)
    world.run()
    assert (world.server(stayed)['status'], host_of(world, stayed)) == ('VERIFY_RESIZE', 'host2')


def test_the_next_host_is_tried_by_a_resize_too(world):
    world.add_host('host3')
    server_id = _pinned(world, 'host1')
    world.hypervisors['host2'].faults.fail('capabilities', times=2)
    world.act(server_id, 'resize', large(world))
    for _ in range(3):
        world.run()
        world.hurry()
    assert (world.server(server_id)['status'], host_of(world, server_id)) == ('VERIFY_RESIZE', 'host3')
    assert books(world) == (SMALL, NOTHING) and used(world, 'host3') == LARGE
