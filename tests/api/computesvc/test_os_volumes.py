"""Volumes and snapshots seen from compute alone, with volsvc behind it."""
import shutil

import pytest

from tests.api.computesvc import cinder as volsvc

VOLUME = {'id', 'status', 'size', 'availabilityZone', 'createdAt', 'attachments', 'displayName', 'displayDescription',
          'volumeType', 'snapshotId', 'metadata'}
SNAPSHOT = {'id', 'volumeId', 'status', 'size', 'createdAt', 'displayName', 'displayDescription'}
ELSEWHERE = '11111111-1111-1111-1111-111111111111'
OLD = {'version': '2.35'}


@pytest.fixture(scope='module')
def empty(tmp_path_factory):
    """volsvc's database, with nothing in it."""
    made = volsvc.Cinder(tmp_path_factory.mktemp('volsvc'), report=False)
    made.service.db.dispose()
    return made.file


@pytest.fixture
def cinder(world, tmp_path, empty):
    shutil.copy(empty, tmp_path)
    found = volsvc.behind(world, tmp_path)
    yield found
    found.service.db.dispose()


@pytest.fixture
def volume(cinder):
    return cinder.create(2, name='v', metadata={'a': 'b'})


@pytest.fixture
def snapshot(world, cinder, volume):
    id = world.post('/os-snapshots', {'snapshot': {'volume_id': volume, 'display_name': 's'}}, 200,
                    **OLD).json['snapshot']['id']
    cinder.run()
    return id


def refused(world, status, method, path, body=None, **kw):
    answer = world.call(method, f'/v2.1{path}', body, **{**OLD, **kw})
    assert answer.status == status, (answer.status, answer.raw)
    return answer.message


class TestVolumes:

    def test_list(self, world, volume):
        for path, version in (('', '2.1'), ('/detail', '2.1'), ('', '2.35'), ('/detail', '2.35')):
            found, = world.get(f'/os-volumes{path}', version=version)['volumes']
            assert set(found) == VOLUME and found['id'] == volume

    def test_pages(self, world, cinder):
        ids = [cinder.create() for _ in range(3)]
        assert [v['id'] for v in world.get('/os-volumes?limit=1&offset=1', **OLD)['volumes']] == [ids[1]]
        refused(world, 400, 'GET', '/os-volumes?limit=x')

    def test_show(self, world, cinder, volume):
        found = world.get(f'/os-volumes/{volume}', **OLD)['volume']
        assert (found['displayName'], found['size'], found['status'], found['metadata'], found['volumeType']) == (
            'v', 2, 'available', {'a': 'b'}, '__DEFAULT__')
        assert (found['attachments'], found['snapshotId']) == ([{}], None)

    def test_attached(self, world, cinder, volume):
        server = cinder.nova.boot()
        cinder.attach(volume, server)
        assert world.get(f'/os-volumes/{volume}', **OLD)['volume']['attachments'] == [
            {'id': volume, 'volumeId': volume, 'serverId': server, 'device': '/dev/vdb'}]

    def test_create(self, world, cinder):
        answer = world.post('/os-volumes', {'volume': {
            'size': '3', 'display_name': 'n', 'display_description': 'd', 'metadata': {'k': 'v'},
            'availability_zone': 'nova', 'volume_type': '__DEFAULT__'}}, 200, **OLD)
        made = answer.json['volume']
        assert set(made) == VOLUME and answer.headers['Location'].endswith(f'/os-volumes/{made["id"]}')
        cinder.run()
        found = world.get(f'/os-volumes/{made["id"]}', **OLD)['volume']
        assert (found['size'], found['displayName'], found['displayDescription'], found['metadata'],
                found['availabilityZone'], found['status']) == (3, 'n', 'd', {'k': 'v'}, 'nova', 'available')

    def test_create_from_a_snapshot(self, world, cinder, snapshot):
        made = world.post('/os-volumes', {'volume': {'size': 4, 'snapshot_id': snapshot}}, 200, **OLD).json['volume']
        cinder.run()
        found = world.get(f'/os-volumes/{made["id"]}', **OLD)['volume']
        assert (found['size'], found['snapshotId'], found['status']) == (4, snapshot, 'available')

    def test_create_from_an_unknown_snapshot(self, world, cinder):
        assert ELSEWHERE in refused(world, 404, 'POST', '/os-volumes', {'volume': {
            'size': 1, 'snapshot_id': ELSEWHERE}})

    def test_create_wrong(self, world, cinder):
        for wish in ({}, {'size': 0}, {'size': 'x'}, {'size': 1, 'x': 1}, {'size': 1, 'availability_zone': 'mars'},
                     {'size': 1, 'metadata': {'a': 1}}):
            refused(world, 400, 'POST', '/os-volumes', {'volume': wish})

    def test_create_over_quota(self, world, cinder):
        cinder.put('/os-quota-sets/p1', {'quota_set': {'gigabytes': 1}}, **volsvc.volsvc.ADMIN)
        assert 'gigabytes' in refused(world, 403, 'POST', '/os-volumes', {'volume': {'size': 2}})

    def test_delete(self, world, cinder, volume):
        assert world.call('DELETE', f'/v2.1/os-volumes/{volume}', **OLD).status == 202
        cinder.run()
        refused(world, 404, 'GET', f'/os-volumes/{volume}')

    def test_delete_one_in_use(self, world, cinder, volume):
        cinder.attach(volume)
        refused(world, 400, 'DELETE', f'/os-volumes/{volume}')

    def test_unknown(self, world, cinder):
        for id in (ELSEWHERE, '..', 'v', '%3Flimit=1'):
            for method in ('GET', 'DELETE'):
                refused(world, 404, method, f'/os-volumes/{id}')
            refused(world, 404, 'POST', f'/os-volumes/{id}/action', {'os-extend': {'new_size': 2}})

    def test_another_projects(self, world, volume):
        refused(world, 404, 'GET', f'/os-volumes/{volume}', project='p2')
        assert world.get('/os-volumes', project='p2', **OLD) == {'volumes': []}

    def test_reader_may_only_read(self, world, volume):
        reader = {'roles': 'reader'}
        world.get(f'/os-volumes/{volume}', **OLD, **reader)
        refused(world, 403, 'DELETE', f'/os-volumes/{volume}', **reader)
        refused(world, 403, 'POST', '/os-volumes', {'volume': {'size': 1}}, **reader)
        refused(world, 403, 'POST', f'/os-volumes/{volume}/action', {'os-extend': {'new_size': 3}}, **reader)

    def test_volume_service_that_is_away(self, world, cinder, volume):
        cinder.app = lambda environ, start: (start('503 Service Unavailable', []), b'')[1:]
        refused(world, 503, 'GET', '/os-volumes')


class TestExtend:

    def test_at_every_version(self, world, cinder, volume):
        for size, version in enumerate(['2.1', '2.35', '2.36', '2.96'], 3):
            answer = world.post(f'/os-volumes/{volume}/action', {'os-extend': {'new_size': size}}, version=version)
            assert answer.raw == b''
            cinder.run()
            assert cinder.volume(volume)['size'] == size

    def test_in_use(self, world, cinder, volume):
        server = cinder.nova.boot()
        cinder.attach(volume, server)
        world.post(f'/os-volumes/{volume}/action', {'os-extend': {'new_size': 3}})
        cinder.run()
        assert cinder.volume(volume)['size'] == 3 and cinder.nova.told() == [(server, volume)]

    def test_wrong(self, world, cinder, volume):
        wishes = {}, None, {'new_size': 'x'}, {'new_size': 0}, {'new_size': 3, 'x': 1}, {'new_size': 2}, {'new_size': 1}
        for body in ({}, {'os-detach': None}, *({'os-extend': wish} for wish in wishes)):
            refused(world, 400, 'POST', f'/os-volumes/{volume}/action', body)
        assert cinder.volume(volume)['status'] == 'available'

    def test_over_quota(self, world, cinder, volume):
        cinder.put('/os-quota-sets/p1', {'quota_set': {'gigabytes': 2}}, **volsvc.volsvc.ADMIN)
        assert 'gigabytes' in refused(world, 403, 'POST', f'/os-volumes/{volume}/action', {'os-extend': {
            'new_size': 3}}, version='2.96')


class TestSnapshots:

    def test_list_and_show(self, world, volume, snapshot):
        for path in ('', '/detail'):
            listed, = world.get(f'/os-snapshots{path}', **OLD)['snapshots']
            assert set(listed) == SNAPSHOT and listed['id'] == snapshot
        found = world.get(f'/os-snapshots/{snapshot}', **OLD)['snapshot']
        assert (found['volumeId'], found['size'], found['status'], found['displayName'],
                found['displayDescription']) == (volume, 2, 'available', 's', None)

    def test_of_a_volume_in_use(self, world, cinder, volume):
        cinder.attach(volume)
        wish = {'volume_id': volume}
        assert 'in-use' in refused(world, 400, 'POST', '/os-snapshots', {'snapshot': wish})
        assert world.post('/os-snapshots', {'snapshot': {**wish, 'force': 'True'}}, 200, **OLD)

    def test_delete(self, world, cinder, snapshot):
        assert world.call('DELETE', f'/v2.1/os-snapshots/{snapshot}', **OLD).status == 202
        cinder.run()
        refused(world, 404, 'GET', f'/os-snapshots/{snapshot}')

    def test_wrong(self, world, cinder):
        of = {'volume_id': ELSEWHERE}
        for wish in ({}, {'volume_id': 1}, {**of, 'x': 1}, {**of, 'force': 'maybe'}):
            refused(world, 400, 'POST', '/os-snapshots', {'snapshot': wish})
        refused(world, 404, 'GET', f'/os-snapshots/{ELSEWHERE}')
        refused(world, 404, 'DELETE', f'/os-snapshots/{ELSEWHERE}')
        refused(world, 404, 'POST', '/os-snapshots', {'snapshot': {'volume_id': ELSEWHERE}})


def test_gone_with_2_36(world):
    for method, path in (
            ('GET', '/os-volumes'), ('GET', '/os-volumes/detail'), ('POST', '/os-volumes'),
            ('GET', f'/os-volumes/{ELSEWHERE}'), ('DELETE', f'/os-volumes/{ELSEWHERE}'), ('GET', '/os-snapshots'),
            ('GET', '/os-snapshots/detail'), ('POST', '/os-snapshots'), ('GET', f'/os-snapshots/{ELSEWHERE}'),
            ('DELETE', f'/os-snapshots/{ELSEWHERE}')):
        assert world.call(method, f'/v2.1{path}', {} if method == 'POST' else None, version='2.36').status == 404


class TestServers:
    """That start from a snapshot, or get a disk from one."""

    def boot(self, world, cinder, *disks):
        server = world.post('/servers', {'server': {
            'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': list(disks)}}).json['server']
        for _ in range(5):
            cinder.run()
            world.hurry()
            world.run()
        return server['id']

    @pytest.mark.parametrize('wanted, size', [({}, 2), ({'volume_size': 3}, 3)])
    def test_from_a_snapshot(self, world, cinder, volume, snapshot, wanted, size):
        cinder.act(volume, 'os-set_bootable', {'bootable': True}, 200)
        server = self.boot(world, cinder, {
            'boot_index': 0, 'uuid': snapshot, 'source_type': 'snapshot', 'destination_type': 'volume',
            'delete_on_termination': True, **wanted})
        assert world.server(server)['status'] == 'ACTIVE'
        (used,) = world.get(f'/servers/{server}/os-volume_attachments')['volumeAttachments']
        made = cinder.volume(used['volumeId'])
        assert (made['size'], made['snapshot_id'], made['status'], made['bootable']) == (
            size, snapshot, 'in-use', 'true')
        assert world.hypervisor.disk_size(server, made['id']) == size << 30
        world.call('DELETE', f'/v2.1/servers/{server}')
        world.run()
        cinder.run()
        assert world.call('GET', f'/v2.1/servers/{server}').status == 404
        assert [v['id'] for v in cinder.get('/volumes')['volumes']] == [volume]

    def test_from_an_unknown_snapshot(self, world, cinder):
        before = cinder.rows()
        answer = world.call('POST', '/v2.1/servers', {'server': {
            'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': [
                {'boot_index': 0, 'uuid': ELSEWHERE, 'source_type': 'snapshot', 'destination_type': 'volume'}]}})
        assert answer.status == 400 and ELSEWHERE in answer.message and cinder.rows() == before

    def test_moves_with_its_volumes(self, tmp_path, empty):
        """The volume is exported to the other host before it is taken from the first; nobody else ever gets it."""
        from tests.api.computesvc.world import World
        world = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, hosts=('host1', 'host2'))
        shutil.copy(empty, tmp_path)
        cinder = volsvc.behind(world, tmp_path)
        volume = cinder.create(1)
        cinder.act(volume, 'os-set_bootable', {'bootable': True}, 200)
        server = self.boot(world, cinder, {
            'boot_index': 0, 'uuid': volume, 'source_type': 'volume', 'destination_type': 'volume'})
        first, = cinder.driver.volumes[volume]['connected']
        for action, status, hosts in (('migrate', 'VERIFY_RESIZE', 1), ('revertResize', 'ACTIVE', 1),
                                      ('migrate', 'VERIFY_RESIZE', 1), ('confirmResize', 'ACTIVE', 1)):
            world.act(server, action, status=204 if action == 'confirmResize' else 202, roles='admin,member')
            for _ in range(3):
                world.hurry()
                world.run()
            assert world.server(server)['status'] == status
            assert cinder.volume(volume)['status'] == 'in-use'
            assert len(cinder.driver.volumes[volume]['connected']) == hosts
        assert cinder.driver.volumes[volume]['connected'] != [first]
        world.service.db.dispose()
        cinder.service.db.dispose()
