"""Volumes: create, show, change, delete."""
import pytest

from tests.api.volsvc.world import ADMIN, GIB, SERVICE

NULLS = {'description': None, 'availability_zone': None, 'source_volid': None, 'imageRef': None, 'backup_id': None,
         'volume_type': None, 'consistencygroup_id': None, 'metadata': None, 'snapshot_id': None}
ELSEWHERE = '11111111-1111-1111-1111-111111111111'
BASE = {'id', 'status', 'size', 'availability_zone', 'created_at', 'updated_at', 'name', 'description', 'volume_type',
        'snapshot_id', 'source_volid', 'metadata', 'links', 'user_id', 'bootable', 'encrypted', 'replication_status',
        'consistencygroup_id', 'multiattach', 'attachments', 'os-vol-tenant-attr:tenant_id'}
FOR_ADMINISTRATORS = {'os-vol-host-attr:host', 'os-vol-mig-status-attr:migstat', 'os-vol-mig-status-attr:name_id',
                      'migration_status'}


class TestCreate:

    def test_to_available_and_gone(self, world):
        volume = world.post('/volumes', {'volume': {'size': 1, 'name': 'v1'}})['volume']
        assert (volume['status'], volume['size'], volume['name']) == ('creating', 1, 'v1')
        world.run()
        assert world.volume(volume['id'])['status'] == 'available'
        assert world.driver.volumes[volume['id']]['size'] == GIB
        world.delete(f'/volumes/{volume["id"]}?cascade=False&force=False')
        assert world.volume(volume['id'])['status'] == 'deleting'
        world.run()
        world.get(f'/volumes/{volume["id"]}', 404)
        assert world.driver.volumes == {} and world.used() == {}

    def test_takes_the_nulls_that_clients_send(self, world):
        volume = world.post('/volumes', {'volume': {'size': 1, 'name': 'v1', **NULLS}})['volume']
        assert volume['description'] is None and volume['metadata'] == {}

    def test_without_a_project_in_the_path(self, world):
        assert world.call('POST', '/v3/volumes', {'volume': {'size': 1}}).status == 202

    def test_takes_quota(self, world):
        world.create(3)
        assert world.used()['volumes'] == 1 and world.used()['gigabytes'] == 3

    def test_default_type(self, world):
        assert world.volume(world.create())['volume_type'] == '__DEFAULT__'

    def test_named_type(self, world):
        world.post('/types', {'volume_type': {'name': 'gold'}}, 200, **ADMIN)
        assert world.volume(world.create(volume_type='gold'))['volume_type'] == 'gold'

    def test_unknown_type(self, world):
        assert 'silver' in world.refused(404, 'POST', '/volumes', {'volume': {'size': 1, 'volume_type': 'silver'}})

    def test_metadata(self, world):
        assert world.volume(world.create(metadata={'a': 'b'}))['metadata'] == {'a': 'b'}

    def test_name_loses_blanks_around_it(self, world):
        assert world.volume(world.create(name='  x '))['name'] == 'x'

    def test_old_names_of_fields(self, world):
        shown = world.volume(world.create(display_name='n', display_description='d'))
        assert (shown['name'], shown['description']) == ('n', 'd')

    def test_size_in_digits(self, world):
        assert world.volume(world.create('2'))['size'] == 2

    def test_of_another_volume(self, world):
        source = world.create(2)
        copy = world.create(3, source_volid=source)
        shown = world.volume(copy)
        assert (shown['status'], shown['size'], shown['source_volid']) == ('available', 3, source)

    def test_of_another_volume_takes_its_size(self, world):
        assert world.volume(world.create(None, source_volid=world.create(2)))['size'] == 2

    def test_smaller_than_its_source(self, world):
        source = world.create(2)
        assert '2 GiB' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'source_volid': source}})

    def test_of_another_projects_volume(self, world):
        source = world.create()
        world.refused(404, 'POST', '/volumes', {'volume': {'size': 1, 'source_volid': source}}, project='p2')
        assert world.used('p2') == {}

    def test_of_an_image(self, world):
        image = world.glance.add(b'data', name='linux')
        shown = world.volume(world.create(1, imageRef=image))
        assert (shown['status'], shown['bootable']) == ('available', 'true')
        assert shown['volume_image_metadata']['image_id'] == image
        assert shown['volume_image_metadata']['image_name'] == 'linux'

    def test_of_an_image_by_its_address(self, world):
        image = world.glance.add()
        assert world.volume(world.create(1, imageRef=f'http://images/v2/images/{image}'))['status'] == 'available'

    def test_of_an_image_by_its_name(self, world):
        image = world.glance.add(name='linux 6/1')
        shown = world.volume(world.create(1, imageRef='linux 6/1'))
        assert (shown['status'], shown['volume_image_metadata']['image_id']) == ('available', image)
        world.glance.add(name='linux 6/1')
        assert '2 images are named linux 6/1' in world.refused(
            409, 'POST', '/volumes', {'volume': {'size': 1, 'imageRef': 'linux 6/1'}})
        world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'imageRef': '/'}})

    def test_of_an_unknown_image(self, world):
        assert ELSEWHERE in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'imageRef': ELSEWHERE}})

    @pytest.mark.parametrize('field, version', [('snapshot_id', '3.0'), ('backup_id', '3.47'), ('group_id', '3.13'),
                                                ('consistencygroup_id', '3.0'), ('source_volid', '3.0')])
    def test_of_what_is_not_there(self, world, field, version):
        assert ELSEWHERE in world.refused(404, 'POST', '/volumes', {'volume': {'size': 1, field: ELSEWHERE}},
                                          version=version)

    def test_multiattach_is_a_matter_of_the_type(self, world):
        world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'multiattach': True}})
        world.post('/types', {'volume_type': {'name': 'm', 'extra_specs': {'multiattach': '<is> True'}}}, 200, **ADMIN)
        assert world.volume(world.create(volume_type='m'))['multiattach'] is True

    def test_unknown_zone(self, world):
        assert 'mars' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'availability_zone': 'mars'}})

    def test_quota_of_volumes(self, world):
        world.put('/os-quota-sets/p1', {'quota_set': {'volumes': 1}}, **ADMIN)
        world.create()
        before = world.rows()
        answer = world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1}})
        assert answer.status == 413 and answer.headers['Retry-After'] == '0' and world.rows() == before

    def test_failure_is_told(self, world):
        world.driver.create = lambda volume: 1 / 0
        id = world.create()
        for _ in range(8):
            world.wait()
            world.run()
        assert world.volume(id)['status'] == 'error'
        (message,) = world.get('/messages')['messages']
        assert message['resource_uuid'] == id and 'could not be created' in message['user_message']

    def test_reader_may_not(self, world):
        assert 'volume:create' in world.refused(403, 'POST', '/volumes', {'volume': {'size': 1}}, roles='reader')

    @pytest.mark.parametrize('volume', [
        {}, {'size': None}, {'size': 0}, {'size': -1}, {'size': 1.5}, {'size': 'two'}, {'size': True}, {'size': []},
        {'size': 2 ** 31}, {'size': '0'}, {'size': 1, 'name': 1}, {'size': 1, 'name': 256 * 'x'},
        {'size': 1, 'description': 256 * 'x'}, {'size': 1, 'metadata': {'a': 1}}, {'size': 1, 'metadata': []},
        {'size': 1, 'metadata': {'': 'x'}}, {'size': 1, 'metadata': {'k': 256 * 'x'}}, {'size': 1, 'volume_type': 7},
        {'size': 1, 'source_volid': 'x'}, {'size': 1, 'snapshot_id': 3}, {'size': 1, 'colour': 'red'},
        {'size': 1, 'status': 'available'}, {'size': 1, 'name': 'a\0b'}, {'size': 1, 'name': '\ud800'}])
    def test_wrong(self, world, volume):
        message = world.refused(400, 'POST', '/volumes', {'volume': volume})
        assert len(message) > 10 and world.rows() == [[], [], [], {}]

    @pytest.mark.parametrize('body', [{}, {'volume': None}, {'volume': []}, {'vol': {'size': 1}}, [], 'x', 1, None,
                                      {'volume': {'size': 1}, 'more': 1}])
    def test_wrong_bodies(self, world, body):
        world.refused(400, 'POST', '/volumes', body)
        assert world.rows() == [[], [], [], {}]

    def test_unknown_fields_pass_below_3_53(self, world):
        world.post('/volumes', {'volume': {'size': 1, 'status': 'available', 'user_id': 'x'}}, version='3.52')


class TestShow:

    @pytest.mark.parametrize('version, fields', [
        ('3.0', set()), ('3.13', {'group_id'}), ('3.21', {'group_id'}),
        ('3.48', {'group_id', 'shared_targets', 'service_uuid'}),
        ('3.61', {'group_id', 'shared_targets', 'service_uuid'}),
        ('3.63', {'group_id', 'shared_targets', 'service_uuid', 'volume_type_id'}),
        ('3.65', {'group_id', 'shared_targets', 'service_uuid', 'volume_type_id', 'consumes_quota'}),
        ('3.71', {'group_id', 'shared_targets', 'service_uuid', 'volume_type_id', 'consumes_quota'})])
    def test_fields_of_users(self, world, version, fields):
        assert set(world.volume(world.create(), version=version)) == BASE | fields

    @pytest.mark.parametrize('version, fields', [
        ('3.0', set()), ('3.21', {'group_id', 'provider_id'}),
        ('3.61', {'group_id', 'provider_id', 'shared_targets', 'service_uuid', 'cluster_name'})])
    def test_fields_of_administrators(self, world, version, fields):
        assert set(world.volume(world.create(), version=version, **ADMIN)) == BASE | FOR_ADMINISTRATORS | fields

    def test_values(self, world):
        shown = world.volume(world.create(), version='3.71')
        assert (shown['bootable'], shown['encrypted'], shown['multiattach'], shown['metadata']) == (
            'false', False, False, {})
        assert (shown['user_id'], shown['os-vol-tenant-attr:tenant_id'], shown['attachments']) == ('u1', 'p1', [])
        assert shown['shared_targets'] is False and len(shown['service_uuid']) == 36
        assert shown['consumes_quota'] is True and len(shown['volume_type_id']) == 36

    def test_times_have_microseconds_and_no_zone(self, world):
        text = world.volume(world.create())['created_at']
        assert len(text) == 26 and text[10] == 'T' and text[19] == '.'

    def test_host_names_backend_and_pool(self, world):
        assert world.volume(world.create(), **ADMIN)['os-vol-host-attr:host'] == 'host@memory#memory'

    def test_links(self, world):
        id = world.create()
        assert world.volume(id)['links'] == [
            {'rel': 'self', 'href': f'http://volume:80/v3/p1/volumes/{id}'},
            {'rel': 'bookmark', 'href': f'http://volume:80/p1/volumes/{id}'}]

    def test_another_projects(self, world):
        id = world.create()
        assert world.refused(404, 'GET', f'/volumes/{id}', project='p2') == f'Volume {id} could not be found.'

    def test_service_sees_every_projects(self, world):
        id = world.create()
        assert world.volume(id, **SERVICE)['id'] == id

    @pytest.mark.parametrize('id', ['v1', ELSEWHERE, 'ü', '%', "x'; --", 300 * 'x'])
    def test_unknown(self, world, id):
        id = id.encode().decode('latin-1')
        world.refused(404, 'GET', f'/volumes/{id}')

    def test_encryption(self, world):
        assert world.get(f'/volumes/{world.create()}/encryption') == {'encryption_key_id': None}


class TestUpdate:

    def test_name_and_description(self, world):
        id = world.create(name='a')
        shown = world.put(f'/volumes/{id}', {'volume': {'name': 'b', 'description': 'd'}})['volume']
        assert (shown['name'], shown['description']) == ('b', 'd')
        assert world.volume(id)['updated_at'] is not None

    def test_only_what_is_named(self, world):
        id = world.create(name='a', description='d')
        world.put(f'/volumes/{id}', {'volume': {'name': 'b'}})
        assert world.volume(id)['description'] == 'd'

    @pytest.mark.parametrize('volume', [{}, {'size': 3}, {'name': 3}, {'name': 300 * 'x'},
                                        {'metadata': {'a': None}}, None])
    def test_wrong(self, world, volume):
        id = world.create()
        before = world.rows()
        world.refused(400, 'PUT', f'/volumes/{id}', {'volume': volume})
        assert world.rows() == before

    def test_another_projects(self, world):
        id = world.create()
        before = world.rows()
        world.refused(404, 'PUT', f'/volumes/{id}', {'volume': {'name': 'b'}}, project='p2')
        assert world.rows() == before

    def test_reader_may_not(self, world):
        world.refused(403, 'PUT', f'/volumes/{world.create()}', {'volume': {'name': 'b'}}, roles='reader')


class TestDelete:

    @pytest.mark.parametrize('status', ['creating', 'in-use', 'extending', 'reserved', 'deleting'])
    def test_status(self, world, status):
        id = world.create()
        world.act(id, 'os-reset_status', {'status': status}, **ADMIN)
        before = world.rows()
        assert status in world.refused(400, 'DELETE', f'/volumes/{id}')
        assert world.rows() == before

    @pytest.mark.parametrize('status', ['error', 'error_extending', 'error_deleting'])
    def test_of_failures(self, world, status):
        id = world.create()
        world.act(id, 'os-reset_status', {'status': status}, **ADMIN)
        world.delete(f'/volumes/{id}')

    def test_attached(self, world):
        id = world.create()
        world.attach(id)
        world.refused(400, 'DELETE', f'/volumes/{id}')

    def test_another_projects(self, world):
        id = world.create()
        world.refused(404, 'DELETE', f'/volumes/{id}', project='p2')
        assert world.volume(id)['status'] == 'available'

    def test_force_needs_an_administrator(self, world):
        id = world.create()
        assert 'volume:force_delete' in world.refused(403, 'DELETE', f'/volumes/{id}?force=True')

    def test_force(self, world):
        id = world.create()
        world.act(id, 'os-reset_status', {'status': 'creating'}, **ADMIN)
        world.delete(f'/volumes/{id}?force=True', **ADMIN)
        world.run()
        world.get(f'/volumes/{id}', 404)

    def test_force_means_nothing_below_3_23(self, world):
        world.delete(f'/volumes/{world.create()}?force=True', version='3.22')

    def test_unknown(self, world):
        world.refused(404, 'DELETE', f'/volumes/{ELSEWHERE}')
