"""Snapshots: create, show, list, change, delete; and volumes made from them."""
import pytest

from svckit import quota
from tests.api.volsvc.world import ADMIN, GIB, SERVICE

ELSEWHERE = '11111111-1111-1111-1111-111111111111'
BASE = {'id', 'created_at', 'updated_at', 'name', 'description', 'volume_id', 'status', 'size', 'metadata'}
EXTENDED = {'os-extended-snapshot-attributes:project_id', 'os-extended-snapshot-attributes:progress'}


@pytest.fixture
def volume(world):
    return world.create(2)


def wish(world, volume, status=202, version='3.71', **values):
    return world.post('/snapshots', {'snapshot': {'volume_id': volume, **values}}, status, version=version)['snapshot']


def made(world, volume, **values) -> str:
    """An available snapshot's id."""
    id = wish(world, volume, **values)['id']
    world.run()
    return id


def shown(world, id, **kw):
    return world.get(f'/snapshots/{id}', **kw)['snapshot']


class TestCreate:

    def test_to_available_and_gone(self, world, volume):
        snapshot = wish(world, volume, name=' s1 ', description='d', metadata={'a': 'b'})
        assert (snapshot['status'], snapshot['size'], snapshot['name'], snapshot['description'],
                snapshot['metadata']) == ('creating', 2, 's1', 'd', {'a': 'b'})
        world.run()
        found = shown(world, snapshot['id'])
        assert (found['status'], found['os-extended-snapshot-attributes:progress']) == ('available', '100%')
        assert list(world.driver.snapshots) == [snapshot['id']]
        world.delete(f'/snapshots/{snapshot["id"]}')
        assert shown(world, snapshot['id'])['status'] == 'deleting'
        world.run()
        world.get(f'/snapshots/{snapshot["id"]}', 404)
        assert world.driver.snapshots == {} and world.used()['gigabytes'] == 2

    @pytest.mark.parametrize('version, names', [
        ('3.0', BASE), ('3.14', BASE | {'group_snapshot_id'}), ('3.41', BASE | {'group_snapshot_id', 'user_id'}),
        ('3.65', BASE | {'group_snapshot_id', 'user_id', 'consumes_quota'})])
    def test_fields(self, world, volume, version, names):
        snapshot = wish(world, volume, version=version)
        assert set(snapshot) == names
        assert set(shown(world, snapshot['id'], version=version)) == names | EXTENDED
        listed, = world.get('/snapshots/detail', version=version)['snapshots']
        assert set(listed) == names | EXTENDED
        listed, = world.get('/snapshots', version=version)['snapshots']
        assert set(listed) == BASE

    def test_takes_the_nulls_that_clients_send(self, world, volume):
        snapshot = wish(world, volume, name=None, description=None, metadata=None, force=None)
        assert (snapshot['name'], snapshot['description'], snapshot['metadata']) == ('', None, {})

    def test_old_names_of_fields(self, world, volume):
        snapshot = wish(world, volume, display_name='n', display_description='d')
        assert (snapshot['name'], snapshot['description']) == ('n', 'd')

    @pytest.mark.parametrize('version, force', [('3.0', True), ('3.65', 'True'), ('3.65', None), ('3.66', None),
                                                ('3.71', True)])
    def test_of_a_volume_in_use(self, world, volume, version, force):
        world.attach(volume)
        wish(world, volume, version=version, force=force)
        world.run()
        assert world.volume(volume)['status'] == 'in-use'

    def test_of_a_volume_in_use_that_must_not_be(self, world, volume):
        world.attach(volume)
        before = world.rows()
        assert 'in-use' in world.refused(400, 'POST', '/snapshots', {'snapshot': {
            'volume_id': volume, 'force': False}}, version='3.65')
        assert world.rows() == before

    def test_force_went_with_3_66(self, world, volume):
        wish(world, volume, version='3.65', force=False)
        assert 'force' in world.refused(400, 'POST', '/snapshots', {'snapshot': {
            'volume_id': volume, 'force': False}}, version='3.66')

    @pytest.mark.parametrize('status', ['creating', 'error', 'deleting', 'extending', 'reserved', 'error_extending'])
    def test_status(self, world, volume, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        before = world.rows()
        assert status in world.refused(400, 'POST', '/snapshots', {'snapshot': {'volume_id': volume}})
        assert world.rows() == before

    def test_another_projects_volume(self, world, volume):
        world.refused(404, 'POST', '/snapshots', {'snapshot': {'volume_id': volume}}, project='p2')

    def test_reader_may_not(self, world, volume):
        world.refused(403, 'POST', '/snapshots', {'snapshot': {'volume_id': volume}}, roles='reader')

    @pytest.mark.parametrize('body', [
        {}, {'snapshot': None}, {'snapshot': {}}, {'snapshot': {'volume_id': None}}, {'snapshot': {'volume_id': 'x'}},
        {'snapshot': {'volume_id': ELSEWHERE, 'force': 'maybe'}}, {'snapshot': {'volume_id': ELSEWHERE, 'x': 1}},
        {'snapshot': {'volume_id': ELSEWHERE, 'name': 'n' * 256}}, {'snapshot': {'volume_id': ELSEWHERE,
                                                                                 'metadata': {'a': 1}}}])
    def test_wrong(self, world, body):
        world.refused(400, 'POST', '/snapshots', body)

    def test_unknown_volume(self, world):
        assert ELSEWHERE in world.refused(404, 'POST', '/snapshots', {'snapshot': {'volume_id': ELSEWHERE}})

    def test_failure_is_told(self, world, volume):
        world.driver.create_snapshot = lambda *a: 1 / 0
        id = wish(world, volume)['id']
        for _ in range(6):
            world.run()
            world.wait()
        assert shown(world, id)['status'] == 'error' and world.volume(volume)['status'] == 'available'
        message, = world.get(f'/messages?resource_uuid={id}')['messages']
        assert (message['resource_type'], message['event_id']) == ('VOLUME_SNAPSHOT', 'VOLUME_VOLUME_SNAPSHOT_009_013')
        world.delete(f'/snapshots/{id}')
        world.run()
        assert 'snapshots' not in world.used()

    def test_one_that_is_not_of_one_moment_says_so(self, world, volume):
        world.driver.create_snapshot = lambda *a: 'It is not of one moment.'
        id = made(world, volume)
        assert shown(world, id)['status'] == 'available'
        message, = world.get(f'/messages?resource_uuid={id}')['messages']
        assert (message['message_level'], message['user_message']) == ('WARNING', 'It is not of one moment.')

    def test_progress(self, world, volume):
        def copy(snapshot, volume):
            snapshot.progress(42)
            seen.append(shown(world, snapshot.id)['os-extended-snapshot-attributes:progress'])
        seen, world.driver.create_snapshot = [], copy
        id = made(world, volume)
        assert [*seen, shown(world, id)['os-extended-snapshot-attributes:progress']] == ['42%', '100%']

    def test_notifications(self, world, volume):
        world.heard.clear()
        id = made(world, volume)
        world.delete(f'/snapshots/{id}')
        world.run()
        assert [name for name, _ in world.heard] == [f'snapshot.{what}' for what in (
            'create.start', 'create.end', 'delete.start', 'delete.end')]
        assert [(payload['status'], payload['deleted']) for _, payload in world.heard] == [
            ('creating', ''), ('available', ''), ('deleting', ''), ('deleted', 'True')]
        assert all((payload['snapshot_id'], payload['volume_id'], payload['volume_size']) == (id, volume, 2)
                   for _, payload in world.heard)

    def test_its_operations(self, world, volume):
        id = made(world, volume)
        op, = world.get(f'/snapshots/{id}/operations')['operations']
        assert (op['name'], op['state'], op['resource']) == ('create-snapshot', 'done', f'snapshot:{id}')


class TestQuota:

    def test_is_taken(self, world, volume):
        made(world, volume)
        assert world.used() == {
            'volumes': 1, 'gigabytes': 4, 'snapshots': 1, 'volumes___DEFAULT__': 1, 'gigabytes___DEFAULT__': 4,
            'snapshots___DEFAULT__': 1}

    @pytest.mark.parametrize('limit', [{'snapshots': 0}, {'gigabytes': 3}, {'snapshots___DEFAULT__': 0},
                                       {'gigabytes___DEFAULT__': 3}])
    def test_is_kept(self, world, volume, limit):
        world.put('/os-quota-sets/p1', {'quota_set': limit}, **ADMIN)
        before = world.rows()
        answer = world.call('POST', '/v3/p1/snapshots', {'snapshot': {'volume_id': volume}})
        assert answer.status == 413 and world.rows() == before

    def test_gigabytes_left_out(self, make_world):
        world = make_world(no_snapshot_gb_quota=True)
        id = made(world, world.create(2))
        assert (world.used()['gigabytes'], world.used()['snapshots']) == (2, 1)
        world.delete(f'/snapshots/{id}')
        world.run()
        assert (world.used()['gigabytes'], world.used().get('snapshots')) == (2, None)

    def test_is_counted_anew(self, world, volume):
        made(world, volume)
        right = world.used()
        world.service.db.run(lambda session: quota.take(session, 'p1', {'snapshots': 7}, {}))
        assert world.wrong_usage(repair=True) == [('p1', {'snapshots': 8}, {'snapshots': 1})]
        assert world.used() == right and world.wrong_usage() == []

    def test_limits_show_it(self, world, volume):
        made(world, volume)
        absolute = world.get('/limits')['limits']['absolute']
        assert (absolute['totalSnapshotsUsed'], absolute['totalGigabytesUsed']) == (1, 4)


class TestRead:

    @pytest.fixture
    def three(self, world, volume):
        return [made(world, volume, name=f's{number}', metadata={'n': str(number)}) for number in range(3)]

    def ids(self, world, query='', **kw):
        return [snapshot['id'] for snapshot in world.get(f'/snapshots{query}', **kw)['snapshots']]

    def test_newest_first(self, world, three):
        assert self.ids(world) == three[::-1]

    @pytest.mark.parametrize('query, found', [
        ('name=s1', 1), ('status=available', 3), ('status=error', 0), ('volume_id={volume}', 3), ('volume_id=x', 0),
        ("metadata={{'n':'2'}}", 1), ('name~=s', 3), ('availability_zone=nova', 3), ('availability_zone=x', 0),
        ('consumes_quota=true', 3), ('consumes_quota=false', 0), ('limit=0', 0)])
    def test_filters(self, world, volume, three, query, found):
        assert len(self.ids(world, '?' + query.format(volume=volume))) == found

    def test_unknown_filter(self, world):
        world.refused(400, 'GET', '/snapshots?colour=red')
        assert self.ids(world, '?colour=red', version='3.30') == []

    def test_pages(self, world, three):
        address, found = '/snapshots/detail?limit=2&sort=name:asc', []
        while address:
            page = world.get(address)
            found += [snapshot['id'] for snapshot in page['snapshots']]
            links = page.get('snapshots_links')
            address = links and links[0]['href'].partition('/v3/p1')[2]
        assert found == three

    def test_count(self, world, three):
        assert world.get('/snapshots?limit=1&with_count=True')['count'] == 3

    def test_unknown_marker(self, world):
        assert f'Snapshot {ELSEWHERE}' in world.refused(404, 'GET', f'/snapshots?marker={ELSEWHERE}')

    def test_another_projects(self, world, three):
        world.refused(404, 'GET', f'/snapshots/{three[0]}', project='p2')
        assert self.ids(world, '?all_tenants=1', project='p2') == []
        assert len(self.ids(world, '?all_tenants=1', **ADMIN, project='p2')) == 3

    def test_unknown(self, world):
        world.refused(404, 'GET', '/snapshots/s1')


class TestChange:

    @pytest.fixture
    def snapshot(self, world, volume):
        return made(world, volume, name='s', metadata={'a': '1', 'b': '2'})

    def test_name_and_description(self, world, snapshot):
        changed = world.put(f'/snapshots/{snapshot}', {'snapshot': {'name': 'n', 'description': 'd'}})['snapshot']
        assert (changed['name'], changed['description']) == ('n', 'd')

    @pytest.mark.parametrize('body', [{}, {'snapshot': {}}, {'snapshot': {'size': 1}}, {'snapshot': None}])
    def test_wrong(self, world, snapshot, body):
        world.refused(400, 'PUT', f'/snapshots/{snapshot}', body)

    def test_metadata(self, world, snapshot):
        path = f'/snapshots/{snapshot}/metadata'
        assert world.get(path) == {'metadata': {'a': '1', 'b': '2'}}
        assert world.post(path, {'metadata': {'c': '3'}}, 200) == {'metadata': {'a': '1', 'b': '2', 'c': '3'}}
        assert world.put(path, {'metadata': {'d': '4'}}) == {'metadata': {'d': '4'}}
        assert world.put(f'{path}/e', {'meta': {'e': '5'}}) == {'meta': {'e': '5'}}
        assert world.get(f'{path}/e') == {'meta': {'e': '5'}}
        world.delete(f'{path}/d', 200)
        assert shown(world, snapshot)['metadata'] == {'e': '5'}

    def test_metadata_that_are_not_there(self, world, snapshot):
        for method in ('GET', 'DELETE'):
            assert 'key x' in world.refused(404, method, f'/snapshots/{snapshot}/metadata/x')
        world.refused(400, 'PUT', f'/snapshots/{snapshot}/metadata/x', {'meta': {'y': '1'}})

    def test_reader_may_not(self, world, snapshot):
        reader = {'roles': 'reader'}
        world.refused(403, 'PUT', f'/snapshots/{snapshot}', {'snapshot': {'name': 'n'}}, **reader)
        world.refused(403, 'POST', f'/snapshots/{snapshot}/metadata', {'metadata': {}}, **reader)
        world.refused(403, 'DELETE', f'/snapshots/{snapshot}', **reader)

    def test_reset_status(self, world, snapshot):
        body = {'os-reset_status': {'status': 'error'}}
        world.refused(403, 'POST', f'/snapshots/{snapshot}/action', body)
        world.post(f'/snapshots/{snapshot}/action', body, **ADMIN)
        assert shown(world, snapshot)['status'] == 'error'
        world.refused(400, 'POST', f'/snapshots/{snapshot}/action', {'os-reset_status': {'status': 'red'}}, **ADMIN)

    @pytest.mark.parametrize('body', [{}, {'os-x': None}, {'os-reset_status': {}}, {'os-reset_status': None}])
    def test_wrong_action(self, world, snapshot, body):
        world.refused(400, 'POST', f'/snapshots/{snapshot}/action', body, **ADMIN)


class TestDelete:

    @pytest.fixture
    def snapshot(self, world, volume):
        return made(world, volume)

    @pytest.mark.parametrize('status', ['creating', 'deleting', 'backing-up'])
    def test_status(self, world, snapshot, status):
        world.post(f'/snapshots/{snapshot}/action', {'os-reset_status': {'status': status}}, **ADMIN)
        before = world.rows()
        assert status in world.refused(400, 'DELETE', f'/snapshots/{snapshot}')
        assert world.rows() == before
        world.refused(403, 'POST', f'/snapshots/{snapshot}/action', {'os-force_delete': None})
        world.post(f'/snapshots/{snapshot}/action', {'os-force_delete': None}, **ADMIN)
        world.run()
        world.get(f'/snapshots/{snapshot}', 404)

    def test_that_fails(self, world, snapshot):
        world.driver.delete_snapshot, whole = lambda *a: 1 / 0, world.driver.delete_snapshot
        world.delete(f'/snapshots/{snapshot}')
        for _ in range(6):
            world.run()
            world.wait()
        assert shown(world, snapshot)['status'] == 'error_deleting'
        world.driver.delete_snapshot = whole
        world.delete(f'/snapshots/{snapshot}')
        world.run()
        world.get(f'/snapshots/{snapshot}', 404)

    @pytest.mark.parametrize('force', [False, True])
    def test_volume_that_has_one_stays(self, world, volume, snapshot, force):
        before = world.rows()
        assert 'snapshots' in world.refused(400, 'DELETE', f'/volumes/{volume}?force={force}', **ADMIN)
        assert world.rows() == before

    def test_volume_with_all_of_them(self, world, volume, snapshot):
        made(world, volume)
        world.delete(f'/volumes/{volume}?cascade=True')
        assert {one['status'] for one in world.get('/snapshots')['snapshots']} == {'deleting'}
        world.run()
        world.get(f'/volumes/{volume}', 404)
        assert world.get('/snapshots')['snapshots'] == [] and world.used() == {} and world.driver.snapshots == {}

    def test_volume_with_one_that_is_in_the_making(self, world, volume):
        wish(world, volume)
        before = world.rows()
        assert 'creating' in world.refused(400, 'DELETE', f'/volumes/{volume}?cascade=True')
        assert world.rows() == before


class TestVolumes:
    """Made from a snapshot, or grown while they have some."""

    @pytest.fixture
    def snapshot(self, world, volume):
        world.driver.volumes[volume]['data'] = b'as it was'
        id = made(world, volume)
        world.driver.volumes[volume]['data'] = b'as it is'
        return id

    @pytest.mark.parametrize('size', [None, 2, 3])
    def test_from_it(self, world, snapshot, size):
        id = world.create(size, snapshot_id=snapshot)
        found = world.volume(id)
        assert (found['status'], found['size'], found['snapshot_id'], found['source_volid']) == (
            'available', size or 2, snapshot, None)
        assert world.driver.volumes[id] == {'size': (size or 2) * GIB, 'data': b'as it was', 'connected': []}

    def test_bootable_as_its_volume(self, world, snapshot, volume):
        world.act(volume, 'os-set_bootable', {'bootable': True}, 200)
        assert world.volume(world.create(None, snapshot_id=snapshot))['bootable'] == 'true'

    def test_type_of_its_volume(self, world):
        world.post('/types', {'volume_type': {'name': 'gold'}}, 200, **ADMIN)
        snapshot = made(world, world.create(volume_type='gold'))
        assert world.volume(world.create(None, snapshot_id=snapshot))['volume_type'] == 'gold'

    def test_smaller(self, world, snapshot):
        assert '2 GiB' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'snapshot_id': snapshot}})

    def test_from_one_that_is_not_available(self, world, snapshot):
        world.post(f'/snapshots/{snapshot}/action', {'os-reset_status': {'status': 'error'}}, **ADMIN)
        assert 'error' in world.refused(400, 'POST', '/volumes', {'volume': {'snapshot_id': snapshot}})

    def test_from_another_projects(self, world, snapshot):
        world.refused(404, 'POST', '/volumes', {'volume': {'snapshot_id': snapshot}}, project='p2')

    def test_from_two_things(self, world, snapshot, volume):
        world.refused(400, 'POST', '/volumes', {'volume': {'snapshot_id': snapshot, 'source_volid': volume}})

    def test_from_one_that_goes(self, world, snapshot):
        id = world.create(None, run=False, snapshot_id=snapshot)
        world.driver.snapshots.clear()
        world.run()
        assert world.volume(id)['status'] == 'error'
        assert 'snapshot is gone' in world.get(f'/messages?resource_uuid={id}')['messages'][0]['user_message']

    def test_grows_with_it(self, world, volume, snapshot):
        world.attach(volume)
        assert world.extend(volume, 3).status == 202
        world.run()
        assert (world.volume(volume)['size'], shown(world, snapshot)['size']) == (3, 2)

    def test_in_the_name_of_another_service(self, world, volume):
        world.attach(volume)
        wish(world, volume)
        world.refused(403, 'POST', '/snapshots', {'snapshot': {'volume_id': volume}}, **SERVICE)
