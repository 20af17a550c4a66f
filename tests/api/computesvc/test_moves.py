"""Stories of servers that are resized and migrated, as their users see them."""
import datetime

import pytest
from sqlalchemy import update

from computesvc.conductor import absence, sweeps
from computesvc.db import claims
from computesvc.db.models import Hypervisor, Migration, Service
from computesvc.operations import registry
from svckit import quota
from svckit.db import utcnow
from svckit.operations.testing import Killed, let_time_pass
from tests.api.computesvc.world import World

ADMIN = {'roles': 'admin,member,reader', 'user': 'boss', 'project': 'ops'}


@pytest.fixture
def world(tmp_path):
    made = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, hosts=('host1', 'host2'))
    made.flavor('small', vcpus=1, ram=64)
    made.flavor('large', vcpus=2, ram=128)
    yield made
    made.service.db.dispose()


def boot(world, flavor='small', image_id=None):
    """A server on host1, its root on a volume unless there is an image; its id."""
    root = {'imageRef': image_id} if image_id else {'imageRef': '', 'block_device_mapping_v2': [
        {'boot_index': 0, 'uuid': world.volumes.add(1), 'source_type': 'volume', 'destination_type': 'volume'}]}
    answer = world.post('/servers', {'server': {
        'name': 's1', 'flavorRef': flavor, 'networks': 'none', 'host': 'host1', **root}}, roles='admin')
    world.run()
    return answer.json['server']['id']


def resize(world, server_id, flavor='large', **kw):
    return world.act(server_id, 'resize', {'flavorRef': flavor}, **kw)


def resized(world):
    server_id = boot(world)
    resize(world, server_id)
    world.run()
    return server_id


def state(world, server_id):
    server = world.server(server_id, **ADMIN)
    return server['status'], server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']


def guests(world):
    return {host: list(hypervisor.servers().values()) for host, hypervisor in world.hypervisors.items()}


def used(world):
    """(quota of the project, processors that are claimed by host)."""
    with world.service.db.reader() as session:
        held = quota.usage(session, 'p1')
        return ((held['instances'], held['cores'], held['ram']),
                {host: claims.used(session, host)['vcpus'] for host in world.hypervisors})


def attached_at(world):
    """The hosts that each volume is attached to."""
    found = {}
    for attachment in world.volumes.attachments.values():
        assert attachment['status'] == 'attached'
        found.setdefault(attachment['volume_id'], []).append(attachment['connector']['host'])
    return sorted(map(sorted, found.values()))


def events(world, server_id, request_id=None):
    """(action, its message, [(event, result)]) of the newest action, the first event first."""
    actions = world.get(f'/servers/{server_id}/os-instance-actions', **ADMIN)['instanceActions']
    shown = world.get(f"/servers/{server_id}/os-instance-actions/{actions[0]['request_id']}", **ADMIN)['instanceAction']
    return shown['action'], shown['message'], [(e['event'], e['result']) for e in reversed(shown['events'])]


def migrations(world, **kw):
    return [(m['migration_type'], m['status'], m['source_compute'], m['dest_compute'])
            for m in world.get('/os-migrations', **{**ADMIN, **kw})['migrations']]


# ------------------------------------------------------------------ as it should go

def test_resize_and_confirm(world):
    server_id = boot(world)
    volume_id = world.attach(server_id)
    assert used(world) == ((1, 1, 64), {'host1': 1, 'host2': 0})
    resize(world, server_id)
    assert state(world, server_id) == ('RESIZE', 'resize_prep', 'host1')
    assert used(world) == ((1, 2, 128), {'host1': 1, 'host2': 0})
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host2')
    assert guests(world) == {'host1': ['shutdown'], 'host2': ['running']}
    assert world.server(server_id)['flavor']['original_name'] == 'large'
    assert used(world) == ((1, 2, 128), {'host1': 1, 'host2': 2})
    assert attached_at(world) == [['host2'], ['host2']]
    assert events(world, server_id) == ('resize', None, [
        ('cold_migrate', 'Success'), ('compute_prep_resize', 'Success'), ('compute_resize_instance', 'Success'),
        ('compute_finish_resize', 'Success')])
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, 'host2')
    assert guests(world) == {'host1': [], 'host2': ['running']}
    assert used(world) == ((1, 2, 128), {'host1': 0, 'host2': 2})
    assert events(world, server_id) == ('confirmResize', None, [('compute_confirm_resize', 'Success')])
    assert migrations(world) == [('resize', 'confirmed', 'host1', 'host2')]
    assert volume_id in world.hypervisors['host2'].disks(server_id)


def test_the_states_between(world):
    server_id = boot(world)
    resize(world, server_id)
    seen = []
    for _ in range(40):
        for worker in world.workers:
            for op in worker.store.claim(worker.targets, worker.name, 30, 1)[0]:
                seen.append(state(world, server_id)[:2])
                worker.runner._keep = lambda transition: transition
                worker.runner.run(op)
    assert list(dict.fromkeys(seen)) == [('RESIZE', 'resize_prep'), ('RESIZE', 'resize_migrating'),
                                         ('RESIZE', 'resize_migrated'), ('RESIZE', 'resize_finish')]
    assert state(world, server_id)[0] == 'VERIFY_RESIZE'


def test_resize_and_revert(world):
    server_id = resized(world)
    world.act(server_id, 'revertResize')
    assert state(world, server_id) == ('REVERT_RESIZE', 'resize_reverting', 'host2')
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, 'host1')
    assert guests(world) == {'host1': ['running'], 'host2': []}
    assert world.server(server_id)['flavor']['original_name'] == 'small'
    assert used(world) == ((1, 1, 64), {'host1': 1, 'host2': 0})
    assert attached_at(world) == [['host1']]
    assert migrations(world) == [('resize', 'reverted', 'host1', 'host2')]


def test_smaller_gives_its_quota_back_only_when_confirmed(world):
    server_id = boot(world, 'large')
    resize(world, server_id, 'small')
    world.run()
    assert used(world) == ((1, 2, 128), {'host1': 2, 'host2': 1})
    world.act(server_id, 'revertResize')
    world.run()
    assert used(world) == ((1, 2, 128), {'host1': 2, 'host2': 0})
    resize(world, server_id, 'small')
    world.run()
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert used(world) == ((1, 1, 64), {'host1': 0, 'host2': 1})


@pytest.mark.parametrize('word, status, host', [('confirmResize', 204, 'host2'), ('revertResize', 202, 'host1')])
def test_a_stopped_server_stays_stopped(world, word, status, host):
    server_id = boot(world)
    world.act(server_id, 'os-stop')
    world.run()
    resize(world, server_id)
    assert state(world, server_id)[0] == 'RESIZE'
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host2')
    assert guests(world) == {'host1': ['shutdown'], 'host2': ['shutdown']}
    world.act(server_id, word, status=status)
    world.run()
    assert state(world, server_id) == ('SHUTOFF', None, host)
    assert sum(guests(world).values(), []) == ['shutdown']
    world.act(server_id, 'os-start')
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, host)


def test_migrate(world):
    server_id = boot(world)
    world.act(server_id, 'migrate', **ADMIN)
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host2')
    assert used(world) == ((1, 1, 64), {'host1': 1, 'host2': 1})
    assert events(world, server_id)[0] == 'migrate'
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    world.add_host('host3')
    world.act(server_id, 'migrate', {'host': 'host3'}, **ADMIN)
    world.run()
    assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host3')
    assert migrations(world) == [('migration', 'finished', 'host2', 'host3'),
                                 ('migration', 'confirmed', 'host1', 'host2')]
    assert world.get(f'/servers/{server_id}', roles='member,reader')['server'].get('OS-EXT-SRV-ATTR:host') is None


def test_a_host_in_an_older_version_is_not_looked_at(world):
    server_id = boot(world)
    world.act(server_id, 'migrate', {'host': 'nowhere'}, version='2.55', **ADMIN)
    world.run()
    assert state(world, server_id)[2] == 'host2'


class TestOnItsOwnHost:
    @pytest.fixture(autouse=True)
    def allowed(self, world):
        world.conf.set_override('allow_resize_to_same_host', True)
        world.service.db.run(lambda session: session.execute(
            update(Hypervisor).where(Hypervisor.host == 'host2').values(vcpus=0)))

    @pytest.mark.parametrize('word, status, flavor', [('confirmResize', 204, 'large'), ('revertResize', 202, 'small')])
    def test_resize(self, world, word, status, flavor):
        server_id = boot(world)
        resize(world, server_id)
        world.run()
        assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host1')
        assert used(world) == ((1, 2, 128), {'host1': 3, 'host2': 0})
        assert world.hypervisor._servers[server_id]['server']['vcpus'] == 2
        world.act(server_id, word, status=status)
        world.run()
        assert state(world, server_id) == ('ACTIVE', None, 'host1')
        vcpus = {'large': 2, 'small': 1}[flavor]
        assert used(world) == ((1, vcpus, 64 * vcpus), {'host1': vcpus, 'host2': 0})
        assert world.hypervisor._servers[server_id]['server']['vcpus'] == vcpus
        assert guests(world) == {'host1': ['running'], 'host2': []} and attached_at(world) == [['host1']]

    def test_migrating_is_to_another_host(self, world):
        server_id = boot(world)
        world.act(server_id, 'migrate', **ADMIN)
        world.run()
        assert state(world, server_id) == ('ACTIVE', None, 'host1')


# ------------------------------------------------------------------ refused

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

def silence(world, host):
    with world.service.db.transaction() as session:
        session.execute(update(Service).where(Service.host == host).values(seen_at=0))


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


def test_reverting_needs_the_source(world):
    server_id = resized(world)
    silence(world, 'host1')
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


# ------------------------------------------------------------------ nobody says a word

def test_confirmed_by_itself(world):
    server_id = resized(world)
    assert sweeps.confirm(world.service) == 0
    world.conf.set_override('resize_confirm_window', 30)
    assert sweeps.confirm(world.service) == 0
    with world.service.db.transaction() as session:
        session.execute(update(Migration).values(updated_at=utcnow() - datetime.timedelta(seconds=31)))
    assert sweeps.confirm(world.service) == 1
    assert sweeps.confirm(world.service) == 0
    world.run()
    assert state(world, server_id) == ('ACTIVE', None, 'host2')
    assert guests(world) == {'host1': [], 'host2': ['running']}


def test_a_guest_that_goes_off_while_it_is_looked_at(world):
    server_id = resized(world)
    world.hypervisors['host2'].power_off(server_id)
    world.age_servers()
    world.agents['host2'].heartbeat()
    assert state(world, server_id)[0] == 'VERIFY_RESIZE'
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    assert state(world, server_id)[0] == 'SHUTOFF'


# ------------------------------------------------------------------ volumes that come and go meanwhile

def test_volumes_of_a_server_that_is_looked_at(world):
    server_id = boot(world)
    gone = world.attach(server_id)
    resize(world, server_id)
    world.run()
    here = world.attach(server_id)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{gone}').status == 202
    world.run()
    assert attached_at(world) == [['host2'], ['host2']]
    world.act(server_id, 'revertResize')
    world.run()
    assert attached_at(world) == [['host1'], ['host1']]
    disks = world.hypervisors['host1'].disks(server_id)
    assert here in disks and gone not in disks and len(disks) == 2


def test_an_attachment_under_way_comes_along(world):
    server_id = boot(world)
    volume_id = world.attach(server_id, run=False)
    world.run(world.conductor.worker)
    resize(world, server_id)
    world.run(world.conductor.worker)
    assert state(world, server_id)[1] == 'resize_prep'
    world.run()
    world.hurry()
    world.run()
    assert state(world, server_id)[0] == 'VERIFY_RESIZE' and attached_at(world) == [['host2'], ['host2']]
    assert volume_id in world.hypervisors['host2'].disks(server_id)


# ------------------------------------------------------------------ deleted

def test_deleted_while_it_is_looked_at(world):
    server_id = resized(world)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert_gone(world, server_id)


def assert_gone(world, server_id):
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert guests(world) == {'host1': [], 'host2': []}
    assert world.volumes.attachments == {}
    assert used(world) == ((0, 0, 0), {'host1': 0, 'host2': 0})
    assert not list(world.folder.rglob('*.raw*'))
    assert [m[1] for m in migrations(world)] in (['error'], ['confirmed'], [])


def steps(name):
    return [step.name for step in registry()[name, 1].steps]


EVERY_STEP = [*(('resize', step) for step in steps('resize-server')),
              *(('revertResize', step) for step in steps('revert-resize'))]


@pytest.mark.parametrize('verb, step', EVERY_STEP)
def test_deleted_in_every_step(world, verb, step):
    """Whose worker died when it had its effect, before anybody was told."""
    world.flavor('one', disk=1, swap=1)
    world.flavor('two', disk=2, ram=128)
    server_id = boot(world, 'one', world.images.add(b'x'))
    world.attach(server_id)
    resize(world, server_id, 'two')
    if verb == 'revertResize':
        world.run()
        world.act(server_id, verb)
    die_in(world, step)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert_gone(world, server_id)


def die_in(world, step):
    """All workers run until one dies in that step; then its leases run out."""
    for worker in world.workers:
        def call(this, op, ctx, was=worker.runner.call):
            if this.name != step:
                return was(this, op, ctx)
            if not this.atomic:
                was(this, op, ctx)
            raise Killed
        worker.runner.call = call
    with pytest.raises(Killed):
        world.run()
    for worker in world.workers:
        del worker.runner.call
    let_time_pass(world.service.db)


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
