"""Moves that are refused, that come to nothing, or that have to do without a host."""
import pytest
from sqlalchemy import update

from computesvc.conductor import absence
from computesvc.db.models import Service
from tests.api.computesvc import moving
from tests.api.computesvc.moving import (
    ADMIN,
    attached_at,
    boot,
    die_in,
    events,
    guests,
    migrations,
    resize,
    resized,
    silence,
    state,
    used,
)


@pytest.fixture
def world(tmp_path):
    yield from moving.two_hosts(tmp_path)


@pytest.mark.parametrize('flavor, sentence', [
    ('small', 'must change flavor'), ('nothing', 'Flavor nothing could not be found'), ('', ''), ({}, '')])
def test_flavors_that_will_not_do(world, flavor, sentence):
    server_id = boot(world)
    assert sentence in resize(world, server_id, flavor, status=400).message
    assert state(world, server_id)[:2] == ('ACTIVE', None)


def test_a_root_disk_never_gets_smaller(world):
    world.flavor('disk2', disk=2)
    world.flavor('disk1', disk=1)
    world.flavor('eph', disk=2, **{'OS-FLV-EXT-DATA:ephemeral': 1})
    world.flavor('disk3', disk=3)
    server_id = boot(world, 'disk2', world.images.add(b'x'))
    assert 'zero disk' in resize(world, server_id, 'large', status=400).message
    assert 'root disk of 2 GiB cannot become one of 1 GiB' in resize(world, server_id, 'disk1', status=400).message
    resize(world, server_id, 'eph')
    world.run()
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert 'ephemeral' in resize(world, server_id, 'disk3', status=400).message


def test_what_the_image_asks_for(world):
    server_id = boot(world, 'large', world.images.add(b'x', min_ram=100))
    assert 'memory is too small' in resize(world, server_id, 'small', status=400).message
    world.images.images.clear()
    resize(world, server_id, 'small')


def test_a_volume_as_the_root_does_not_mind(world):
    world.flavor('disk2', disk=2)
    server_id = boot(world, 'disk2')
    resize(world, server_id, 'small')
    world.run()
    assert state(world, server_id)[0] == 'VERIFY_RESIZE'


def test_wrong_states(world):
    server_id = boot(world)
    for word in ('confirmResize', 'revertResize'):
        assert 'vm_state active' in world.act(server_id, word, status=409).message
    world.act(server_id, 'pause')
    world.run()
    assert "Cannot 'resize'" in resize(world, server_id, status=409).message
    world.act(server_id, 'unpause')
    world.run()
    resize(world, server_id)
    for verb in ('resize', 'migrate'):
        answer = world.act(server_id, verb, {'flavorRef': 'large'} if verb == 'resize' else None, 409, **ADMIN)
        assert 'task_state resize_prep' in answer.message
    assert world.act(server_id, 'os-stop', status=409)
    world.run()
    assert 'vm_state resized' in resize(world, server_id, 'small', status=409).message
    world.act(server_id, 'confirmResize', status=204)
    assert world.act(server_id, 'confirmResize', status=400).message == 'Instance has not been resized.'
    assert world.act(server_id, 'revertResize', status=400)
    world.run()
    assert state(world, server_id)[:2] == ('ACTIVE', None)


def test_a_locked_server(world):
    server_id = boot(world)
    world.act(server_id, 'lock')
    assert 'locked' in resize(world, server_id, status=409).message
    world.act(server_id, 'unlock')
    resize(world, server_id)
    world.run()
    world.act(server_id, 'lock')
    for word in ('confirmResize', 'revertResize'):
        assert 'locked' in world.act(server_id, word, status=409).message


def test_who_may(world):
    server_id = boot(world)
    assert resize(world, server_id, status=403, roles='reader')
    assert world.act(server_id, 'migrate', status=403)
    assert world.act(server_id, 'migrate', {'host': 'host2'}, 403)
    assert world.call('GET', '/v2.1/os-migrations').status == 403
    assert resize(world, server_id, status=404, project='p2')


@pytest.mark.parametrize('host, sentence', [
    ('nowhere', 'Compute host nowhere could not be found.'), ('host1', 'Cannot migrate to the host where')])
def test_hosts_that_will_not_do(world, host, sentence):
    server_id = boot(world)
    assert sentence in world.act(server_id, 'migrate', {'host': host}, 400, **ADMIN).message


def test_quota(world):
    server_id = boot(world)
    quotas = {'cores': 1, 'ram': 64}
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': quotas}, **ADMIN)
    answer = world.call('POST', f'/v2.1/servers/{server_id}/action', {'resize': {'flavorRef': 'large'}})
    assert answer.status in (403, 413) and 'cores' in answer.message
    assert state(world, server_id)[:2] == ('ACTIVE', None) and used(world)[0] == (1, 1, 64)
    world.act(server_id, 'migrate', **ADMIN)
    world.run()
    assert state(world, server_id)[0] == 'VERIFY_RESIZE'


def test_no_room_anywhere(world):
    world.flavor('huge', vcpus=1000)
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': {'cores': -1}}, **ADMIN)
    server_id = boot(world)
    before = used(world), guests(world)
    resize(world, server_id, 'huge')
    assert used(world)[0][1] == 1000
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, 'host1') and (used(world), guests(world)) == before
    action, message, found = events(world, server_id)
    assert (action, message, found) == ('resize', 'Error', [('cold_migrate', 'Error')])
    fault = world.server(server_id)['fault']['message']
    assert 'No valid host' in fault and 'cores (1)' in fault and 'other_host (1)' in fault
    assert migrations(world) == [('resize', 'error', 'host1', None)]
    resize(world, server_id)
    world.run()
    assert 'fault' not in world.server(server_id)


# ------------------------------------------------------------------ hosts that are down

def test_the_source_is_down(world):
    server_id = boot(world)
    silence(world, 'host1')
    assert 'does not answer' in resize(world, server_id, status=409).message
    assert state(world, server_id)[:2] == ('ACTIVE', None)


def test_confirming_does_not_wait_for_the_source(world):
    server_id = resized(world)
    silence(world, 'host1')
    world.act(server_id, 'confirmResize', status=204)
    world.run(world.conductor.worker, world.agents['host2'].worker)
    assert state(world, server_id) == ('ACTIVE', None, 'host2')
    assert guests(world) == {'host1': ['shutdown'], 'host2': ['running']}
    assert used(world)[1] == {'host1': 1, 'host2': 2}
    world.agents['host1'].heartbeat()
    world.run()
    assert guests(world) == {'host1': [], 'host2': ['running']} and used(world)[1] == {'host1': 0, 'host2': 2}


def test_nobody_goes_where_something_of_him_is_still_removed(world):
    """A host that is up is waited for; one that is silent is not chosen."""
    server_id = resized(world)
    world.act(server_id, 'confirmResize', status=204)
    world.run(world.conductor.worker)
    world.act(server_id, 'migrate', **ADMIN)
    world.run(world.conductor.worker)
    assert state(world, server_id)[:2] == ('RESIZE', 'resize_prep')
    world.run()
    world.hurry()
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host1')


def test_nobody_goes_to_a_silent_host_that_something_of_him_is_on(world):
    server_id = resized(world)
    world.act(server_id, 'confirmResize', status=204)
    world.run(world.conductor.worker)
    silence(world, 'host1')
    world.act(server_id, 'migrate', **ADMIN)
    world.run(world.conductor.worker)
    assert 'alive (1), other_host (1)' in world.server(server_id)['fault']['message']


@pytest.mark.parametrize('host', ['host1', 'host2'])
def test_reverting_needs_both_hosts(world, host):
    server_id = resized(world)
    silence(world, host)
    assert 'does not answer' in world.act(server_id, 'revertResize', status=409).message
    assert state(world, server_id)[:2] == ('VERIFY_RESIZE', None)
    world.act(server_id, 'confirmResize', status=204)


def test_strangers_are_not_those_on_their_way(world):
    server_id = resized(world)
    for agent in world.agents.values():
        agent.sweep()
    assert guests(world) == {'host1': ['shutdown'], 'host2': ['running']}
    world.act(server_id, 'revertResize')
    world.run()
    for agent in world.agents.values():
        agent.sweep()
    assert guests(world) == {'host1': ['running'], 'host2': []}


# ------------------------------------------------------------------ hosts that fall silent in the middle

def test_a_host_that_falls_silent_before_it_was_asked(world):
    world.add_host('host3')
    server_id = boot(world)
    resize(world, server_id)
    world.run(world.conductor.worker)
    chosen = migrations(world)[0][3]
    silence(world, chosen)
    assert absence.settle(world.service) == 1
    world.run()
    assert state(world, server_id)[0] == 'VERIFY_RESIZE' and state(world, server_id)[2] not in ('host1', chosen)
    assert used(world)[1][chosen] == 0


def test_a_new_server_whose_host_falls_silent(world):
    server_id = world.boot(run=False, flavorRef='small')
    world.run(world.conductor.worker)
    silence(world, world.server(server_id, **ADMIN)['OS-EXT-SRV-ATTR:host'])
    assert absence.settle(world.service) == 1
    world.run()
    assert state(world, server_id)[0] == 'ACTIVE' and sum(guests(world).values(), []) == ['running']


def test_no_other_host_is_left(world):
    server_id = boot(world)
    resize(world, server_id)
    world.run(world.conductor.worker)
    silence(world, 'host2')
    assert absence.settle(world.service) == 1
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, 'host1')
    assert 'does not answer' in world.server(server_id)['fault']['message']
    assert used(world) == ((1, 1, 64), {'host1': 1, 'host2': 0})


@pytest.mark.parametrize('step', ['connect_devices', 'spawn'])
def test_the_destination_dies_for_good(world, step):
    """Nothing goes on until an operator says so; then the server runs where it was."""
    server_id = boot(world)
    resize(world, server_id)
    die_in(world, step)
    silence(world, 'host2')
    assert absence.settle(world.service) == 0
    with world.service.db.transaction() as session:
        session.execute(update(Service).where(Service.host == 'host2').values(forced_down=True))
    while absence.settle(world.service):
        world.run(world.conductor.worker, world.agents['host1'].worker)
    assert state(world, server_id) == ('ACTIVE', None, 'host1')
    assert 'given up for dead' in world.server(server_id)['fault']['message']
    assert guests(world)['host1'] == ['running'] and attached_at(world) == [['host1']]
    with world.service.db.transaction() as session:
        session.execute(update(Service).where(Service.host == 'host2').values(forced_down=False))
    world.agents['host2'].heartbeat()
    world.agents['host2'].sweep()
    assert guests(world) == {'host1': ['running'], 'host2': []}


def test_a_move_that_is_stuck_and_given_up(world):
    """Its undoing failed for good: an administrator looks, says how the server is, and it can move again."""
    server_id = boot(world)
    resize(world, server_id)
    source, destination = world.hypervisors.values()
    destination.faults.fail('define', times=100)
    source.faults.fail('define', times=100)
    for _ in range(20):
        world.run()
        world.hurry()
    assert state(world, server_id)[0] == 'ERROR'
    assert 'undoing shut_down failed' in world.server(server_id)['fault']['message']
    world.act(server_id, 'os-resetState', {'state': 'active'}, **ADMIN)
    for hypervisor in (source, destination):
        hypervisor.faults.clear()
    resize(world, server_id)
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host2')
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert used(world) == ((1, 2, 128), {'host1': 0, 'host2': 2}) and guests(world) == {
        'host1': [], 'host2': ['running']}
    assert [m[1] for m in migrations(world)] == ['confirmed', 'error']


# ------------------------------------------------------------------ hosts that refuse when they are asked

def test_the_first_host_refuses(world):
    world.add_host('host3')
    server_id = boot(world)
    world.hypervisors['host2'].faults.fail('capabilities', times=10)
    resize(world, server_id)
    for _ in range(4):
        world.run()
        world.hurry()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host3')
    assert used(world)[1] == {'host1': 1, 'host2': 0, 'host3': 2}
    assert migrations(world) == [('resize', 'finished', 'host1', 'host3')]


def test_every_host_refuses(world):
    server_id = boot(world)
    before = used(world), guests(world)
    world.hypervisors['host2'].faults.fail('capabilities', times=10)
    resize(world, server_id)
    for _ in range(4):
        world.run()
        world.hurry()
    assert state(world, server_id) == ('ACTIVE', None, 'host1') and (used(world), guests(world)) == before
    assert 'could not be asked' in world.server(server_id)['fault']['message']
