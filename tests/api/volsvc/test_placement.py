"""Where volumes go: room, types, zones, disabled backends, and what users are told when there is none."""
import pytest

from tests.api.volsvc.world import ADMIN, GIB
from volsvc import conf
from volsvc.db import claims, services
from volsvc.drivers.base import DriverError, NoSpace
from volsvc.drivers.memory import MemoryDriver
from volsvc.worker import BackendWorker

FIRST, SECOND = 'host@memory#memory', 'host@second#second'


@pytest.fixture
def second(world):
    """Another backend of the same machine, with more room."""
    return add(world, capacity_gb=200)


def add(world, name='second', zone='nova', **options):
    own = conf.backend(world.conf, name)
    for option, value in options.items():
        world.conf.set_override(option, value, name)
    worker = BackendWorker(world.service, name, MemoryDriver(name, own))
    world.conf.set_override('storage_availability_zone', zone)
    worker.report()
    world.conf.clear_override('storage_availability_zone')
    first = world.worker.run_due
    world.worker.run_due = lambda: first() + worker.run_due()
    return worker


def placed(world, id):
    return world.volume(id, **ADMIN)['os-vol-host-attr:host']


def promised(world):
    with world.service.db.reader() as session:
        assert claims.differences(session) == []
        return {pool: amount // GIB for pool, amount in claims.promised(session).items()}


def told(world, id):
    return [m['user_message'] for m in world.get(f'/messages?resource_uuid={id}')['messages']]


class TestNothingSuitable:
    """The volume is there in status error, its owner is told which filters refused, and can only delete it."""

    def test_no_room(self, world):
        id = world.create(500)
        assert world.volume(id)['status'] == 'error' and placed(world, id) is None
        assert told(world, id) == ['The volume could not be created: No valid backend was found. Of 1 backend, these '
                                   'filters refused: capacity (1).']
        assert world.used()['gigabytes'] == 500 and promised(world) == {FIRST: 0}
        world.delete(f'/volumes/{id}')
        world.refused(404, 'GET', f'/volumes/{id}')
        assert world.used() == {}

    def test_disabled(self, world, second):
        for host in ('host@memory', 'host@second'):
            world.put('/os-services/disable', {'host': host, 'binary': 'cinder-volume'}, **ADMIN)
        assert 'enabled (2)' in told(world, world.create())[0]

    def test_nobody_has_reported(self, make_world):
        world = make_world(report=False)
        assert told(world, world.create()) == [
            'The volume could not be created: No valid backend was found. No backend has ever reported.']

    def test_nothing_can_be_done_with_it(self, world):
        id = world.create(500)
        world.act(id, 'os-reset_status', {'status': 'available'}, **ADMIN)
        assert 'no storage backend' in world.extend(id, 501).message
        world.refused(400, 'POST', '/snapshots', {'snapshot': {'volume_id': id}})
        world.delete(f'/volumes/{id}')

    def test_a_zone_that_is_nowhere(self, world):
        before = world.rows()
        assert 'moon' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'availability_zone': 'moon'}})
        assert world.rows() == before


class TestTheBest:
    def test_has_the_most_room(self, world, second):
        assert placed(world, world.create(120)) == SECOND
        assert placed(world, world.create(1)) == FIRST
        assert promised(world) == {FIRST: 1, SECOND: 120}

    def test_is_of_the_zone(self, world):
        add(world, zone='east', capacity_gb=200)
        assert placed(world, world.create()) == SECOND
        id = world.create(availability_zone='nova')
        assert placed(world, id) == FIRST and world.volume(id)['availability_zone'] == 'nova'

    def test_is_of_a_zone_of_the_type(self, world):
        """Also where there is a zone for volumes made without one."""
        add(world, zone='east', capacity_gb=200)
        world.post('/types', {'volume_type': {'name': 'west', 'extra_specs': {
            'RESKEY:availability_zones': 'nova,west'}}}, 200, **ADMIN)
        world.conf.set_override('default_availability_zone', 'east')
        assert placed(world, world.create(volume_type='west')) == FIRST
        assert placed(world, world.create(volume_type='west', availability_zone='nova')) == FIRST
        assert placed(world, world.create()) == SECOND
        wanted = {'size': 1, 'volume_type': 'west', 'availability_zone': 'east'}
        assert world.refused(400, 'POST', '/volumes', {'volume': wanted}) == (
            'Volumes of type west are in the availability zones nova, west, not in east.')

    def test_is_enabled(self, world, second):
        """What is there goes on where it is."""
        id = world.create()
        world.put('/os-services/disable', {'host': 'host@second', 'binary': 'cinder-volume'}, **ADMIN)
        assert (placed(world, id), placed(world, world.create())) == (SECOND, FIRST)
        assert world.extend(id, 2).status == 202
        world.run()
        assert world.volume(id)['size'] == 2

    @pytest.mark.parametrize('specs', [
        {'volume_backend_name': 'small'}, {'online_extend_support': '<is> False'},
        {'capabilities:multiattach': '<is> False'}, {'pool_name': '<or> memory <or> third', 'vendor:x': 'y'}])
    def test_is_what_the_type_asks_for(self, world, second, specs):
        world.report(volume_backend_name='small', online_extend=False, multiattach=False)
        world.post('/types', {'volume_type': {'name': 'special', 'extra_specs': specs}}, 200, **ADMIN)
        assert placed(world, world.create(volume_type='special')) == FIRST

    def test_is_where_the_source_is(self, world, second):
        source = world.create(availability_zone='nova')
        world.put('/os-services/disable', {'host': 'host@second', 'binary': 'cinder-volume'}, **ADMIN)
        world.put('/os-services/enable', {'host': 'host@second', 'binary': 'cinder-volume'}, **ADMIN)
        assert placed(world, world.create(source_volid=source)) == placed(world, source)

    def test_that_is_down_is_waited_for_where_none_is_up(self, world, second):
        world.service.db.run(lambda session: session.execute(
            services.Service.__table__.update().values(seen_at=0)))
        id = world.create(run=False)
        assert (world.volume(id)['status'], placed(world, id)) == ('creating', SECOND)
        world.worker.report()
        assert placed(world, world.create(run=False)) == FIRST


class TestTheNextBest:
    """A backend that cannot make the volume passes it on."""

    def test_makes_what_the_first_has_no_room_for(self, world, second):
        def full(volume):
            raise NoSpace('The storage backend is full.')
        second.driver.create = full
        id = world.create()
        while world.volume(id)['status'] == 'creating':
            world.wait()
            world.run()
        assert world.volume(id)['status'] == 'available' and placed(world, id) == FIRST
        assert promised(world) == {FIRST: 1, SECOND: 0} and told(world, id) == []
        assert id in world.driver.volumes and id not in second.driver.volumes

    def test_fails_too(self, world, second):
        def broken(volume):
            raise DriverError('The array does not answer.')
        world.driver.create = second.driver.create = broken
        id = world.create()
        while world.volume(id)['status'] == 'creating':
            world.wait()
            world.run()
        assert world.volume(id)['status'] == 'error' and placed(world, id) is None
        assert told(world, id) == ['The volume could not be created: The array does not answer.']
        assert promised(world) == {FIRST: 0, SECOND: 0}
        world.delete(f'/volumes/{id}')
        assert world.used() == {}


class TestRoom:
    def test_follows_a_volume_through_its_life(self, world):
        id = world.create(5)
        assert promised(world) == {FIRST: 5}
        world.extend(id, 7)
        assert promised(world) == {FIRST: 7}
        world.run()
        assert promised(world) == {FIRST: 7}
        world.delete(f'/volumes/{id}')
        assert promised(world) == {FIRST: 7}
        world.run()
        assert promised(world) == {FIRST: 0}

    def test_is_counted_before_the_backend_says_so(self, world):
        """Between two reports a backend gives away what it has, and not more."""
        ids = [world.create(30, run=False) for _ in range(4)]
        world.run()
        assert [world.volume(id)['status'] for id in ids] == ['available'] * 3 + ['error']

    def test_to_grow(self, world):
        first, second = world.create(40), world.create(40)
        assert world.extend(first, 60).status == 202
        answer = world.extend(second, 41)
        assert answer.status == 400 and 'no room for 1 GiB' in answer.message
        world.driver.extend = lambda volume, size: (_ for _ in ()).throw(NoSpace('full after all'))
        world.run()
        assert world.volume(first)['status'] == 'available' and promised(world) == {FIRST: 80}
        assert world.extend(second, 41).status == 202

    def test_for_snapshots(self, world):
        """As much as the backend says that one may come to take; an API refuses what there is no room for."""
        id = world.create(10)
        world.report(snapshot_ratio=1.5, snapshot_extra=GIB)
        for _ in range(5):
            world.post('/snapshots', {'snapshot': {'volume_id': id}})
        assert promised(world) == {FIRST: 10 + 5 * 16} and world.extend(world.create(1), 11).status == 400
        assert world.refused(400, 'POST', '/snapshots', {'snapshot': {'volume_id': id}}) == (
            f'The storage backend of volume {id} has no room for a snapshot of 10 GiB.')
        world.report(snapshot_ratio=0.0, snapshot_extra=0)
        world.post('/snapshots', {'snapshot': {'volume_id': id}})
        world.run()
        world.worker.report()
        assert promised(world) == {FIRST: 91}
        world.delete(f'/volumes/{id}?cascade=True')
        world.run()
        assert promised(world) == {FIRST: 1}

    def test_that_snapshots_have_is_counted_once(self, world):
        """Where there is nothing but ours, all may be promised, whatever of it is there already."""
        first, second = world.create(20), world.create(20)
        world.post('/snapshots', {'snapshot': {'volume_id': first}})
        world.worker.report()
        assert promised(world) == {FIRST: 60} and world.extend(second, 61).status == 400
        world.run()
        world.worker.report()
        assert world.extend(second, 61).status == 400 and world.extend(second, 60).status == 202
        world.run()
        assert world.volume(second)['size'] == 60 and promised(world) == {FIRST: 100}

    def test_that_a_backend_turns_out_not_to_have_for_a_snapshot(self, world):
        """It is said at once, and holds nothing."""
        id = world.create(10)
        world.driver.create_snapshot = lambda *what: (_ for _ in ()).throw(NoSpace('The storage backend is full.'))
        snapshot = world.post('/snapshots', {'snapshot': {'volume_id': id}})['snapshot']['id']
        world.run()
        assert world.get(f'/snapshots/{snapshot}')['snapshot']['status'] == 'error' and promised(world) == {FIRST: 10}
        assert told(world, snapshot) == ['The snapshot could not be created: The storage backend is full.']

    def test_that_is_reserved_or_promised_more_than_once(self, world):
        world.report(reserved_percentage=10)
        assert told(world, world.create(91)) and not told(world, world.create(50))
        world.report(thin=True, max_over_subscription_ratio=2.0)
        assert not told(world, world.create(130)) and told(world, world.create(1))
        able = world.get('/scheduler-stats/get_pools?detail=True', **ADMIN)['pools'][0]['capabilities']
        assert (able['reserved_percentage'], able['provisioned_capacity_gb'], able['max_over_subscription_ratio']) == (
            10, 180, '2.0')
