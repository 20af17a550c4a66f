"""Stories of servers that are resized and migrated, as their users see them."""
import datetime

import pytest
from sqlalchemy import update

from computesvc.conductor import sweeps
from computesvc.db.models import Hypervisor, Migration
from svckit.db import utcnow
from tests.api.computesvc import moving
from tests.api.computesvc.moving import (
    ADMIN,
    attached_at,
    boot,
    events,
    guests,
    migrations,
    resize,
    resized,
    state,
    used,
)


@pytest.fixture
def world(tmp_path):
    yield from moving.two_hosts(tmp_path)


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
    assert world.hypervisors['host1'].disks(server_id) == {}
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

    @pytest.mark.parametrize('word, status, size', [('confirmResize', 204, 2), ('revertResize', 202, 1)])
    def test_local_disks(self, world, word, status, size):
        world.flavor('disk1', disk=1)
        world.flavor('disk2', disk=2)
        server_id = boot(world, 'disk1', world.images.add(b'x' * 1000))
        resize(world, server_id, 'disk2')
        world.run()
        assert state(world, server_id) == ('VERIFY_RESIZE', None, 'host1')
        assert sorted(path.stat().st_size >> 30 for path in world.folder.rglob('root.raw')) == [1, 2]
        world.act(server_id, word, status=status)
        world.run()
        (left,) = world.folder.rglob('root.raw')
        with left.open('rb') as data:
            assert data.read(1000) == b'x' * 1000 and left.stat().st_size == size << 30
        (disk,) = world.hypervisor.disks(server_id).values()
        assert (disk['path'], disk['size']) == (str(left), size << 30)

    def test_it_does_not_start_with_its_new_size(self, world):
        server_id = boot(world)
        world.hypervisor.faults.fail('power_on', times=5)
        resize(world, server_id)
        for _ in range(8):
            world.run()
            world.hurry()
        assert state(world, server_id) == ('ACTIVE', None, 'host1') and guests(world)['host1'] == ['running']
        assert used(world) == ((1, 1, 64), {'host1': 1, 'host2': 0}) and attached_at(world) == [['host1']]
        assert world.hypervisor._servers[server_id]['server']['vcpus'] == 1

    def test_migrating_is_to_another_host(self, world):
        server_id = boot(world)
        world.act(server_id, 'migrate', **ADMIN)
        world.run()
        assert state(world, server_id) == ('ACTIVE', None, 'host1')


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
