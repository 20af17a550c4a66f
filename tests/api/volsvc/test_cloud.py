"""What there is besides volumes: versions, services, pools, zones, extensions, messages, operations."""
import time

import pytest

from tests.api.volsvc.world import ADMIN, GIB, LATEST

ELSEWHERE = '11111111-1111-1111-1111-111111111111'


class TestVersions:

    @pytest.mark.parametrize('path', ['/', '/v3', '/v3/', '/volume', '/volume/', '/volume/v3/'])
    def test_documents_need_no_token(self, world, path):
        answer = world.call('GET', path, version=None)
        (version,) = answer.json['versions']
        assert (version['id'], version['status'], version['min_version'], version['version']) == (
            'v3.0', 'CURRENT', '3.0', '3.71')

    @pytest.mark.parametrize('header, status', [
        ('volume 3.0', 200), ('volume 3.71', 200), ('block-storage 3.42', 200), ('volume latest', 200),
        ('compute 2.1', 200), ('volume 3.72', 406), ('volume 2.0', 406), ('volume 4.0', 406), ('volume x', 400),
        ('volume 3', 400), ('volume 3.42.1', 400)])
    def test_header(self, world, header, status):
        answer = world.call('GET', '/v3/p1/volumes', version=None, openstack_api_version=header)
        assert answer.status == status
        if status == 406:
            assert '3.0' in answer.message and '3.71' in answer.message

    def test_none_means_the_lowest(self, world):
        answer = world.call('GET', '/v3/p1/volumes', version=None)
        assert answer.headers['OpenStack-API-Version'] == 'volume 3.0'

    def test_latest_is_the_highest(self, world):
        assert world.call('GET', '/v3/p1/volumes', version='latest').headers['OpenStack-API-Version'] == 'volume 3.71'


class TestAddresses:

    @pytest.mark.parametrize('path', ['/v3/p1/nothing', '/v2/p1/volumes', '/v3/p1/volumes/x/y', '/v3/p1/backups'])
    def test_unknown(self, world, path):
        answer = world.call('GET', path)
        assert answer.status == 404 and answer.fault[0] == 'itemNotFound'

    @pytest.mark.parametrize('method', ['PATCH', 'DELETE', 'PUT'])
    def test_method(self, world, method):
        answer = world.call(method, '/v3/p1/volumes')
        assert answer.status == 405 and answer.headers['Allow'] == 'GET, POST' and answer.fault[0] == 'badMethod'

    def test_trailing_slash(self, world):
        assert world.call('GET', '/v3/p1/volumes/').status == 200

    def test_volume_prefix(self, world):
        assert world.call('GET', '/volume/v3/p1/volumes').status == 200

    def test_content_type(self, world):
        answer = world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1}}, content_type='text/xml')
        assert answer.status in (202, 415)


def test_policy_file_is_live(world):
    """An edit counts within a second and without a restart, and so does taking it back."""
    id = world.create()
    world.policy_file.write_text('"volume:extend": "role:admin"\n')
    time.sleep(0.75)
    assert 'volume:extend' in world.refused(403, 'POST', f'/volumes/{id}/action', {'os-extend': {'new_size': 2}})
    world.policy_file.unlink()
    time.sleep(0.75)
    assert world.extend(id, 2).status == 202


class TestServices:

    def test_list(self, world):
        (found,) = world.get('/os-services', **ADMIN)['services']
        assert (found['binary'], found['host'], found['zone'], found['status'], found['state']) == (
            'cinder-volume', 'host@memory', 'nova', 'enabled', 'up')
        assert found['backend_state'] == 'up' and found['disabled_reason'] is None and found['frozen'] is False

    def test_at_3_0(self, world):
        (found,) = world.get('/os-services', version='3.0', **ADMIN)['services']
        assert 'backend_state' not in found and 'cluster' not in found

    @pytest.mark.parametrize('query, found', [('host=host@memory', 1), ('host=host', 1), ('host=x', 0),
                                              ('binary=cinder-volume', 1), ('binary=cinder-backup', 0)])
    def test_filter(self, world, query, found):
        assert len(world.get(f'/os-services?{query}', **ADMIN)['services']) == found

    def test_disable(self, world):
        answer = world.put('/os-services/disable', {'host': 'host@memory', 'binary': 'cinder-volume'}, **ADMIN)
        assert answer['status'] == 'disabled'

    def test_disable_with_reason(self, world):
        world.put('/os-services/disable-log-reason', {'host': 'host@memory', 'binary': 'cinder-volume',
                                                      'disabled_reason': 'dust'}, **ADMIN)
        assert world.get('/os-services', **ADMIN)['services'][0]['disabled_reason'] == 'dust'

    def test_enable(self, world):
        world.put('/os-services/disable-log-reason', {'host': 'host@memory', 'binary': 'cinder-volume',
                                                      'disabled_reason': 'dust'}, **ADMIN)
        world.put('/os-services/enable', {'host': 'host@memory', 'binary': 'cinder-volume'}, **ADMIN)
        found = world.get('/os-services', **ADMIN)['services'][0]
        assert (found['status'], found['disabled_reason']) == ('enabled', None)

    def test_a_disabled_one_finishes_its_work_and_takes_no_new(self, world):
        making, kept = world.create(run=False), world.create()
        world.put('/os-services/disable', {'host': 'host@memory', 'binary': 'cinder-volume'}, **ADMIN)
        world.worker.report()
        assert world.extend(kept, 2).status == 202
        snapshot = world.post('/snapshots', {'snapshot': {'volume_id': making, 'force': True}})['snapshot']['id']
        new, copy = world.create(), world.create(source_volid=making)
        world.run()
        assert [world.volume(id)['status'] for id in (making, kept, new, copy)] == [
            'available', 'available', 'error', 'error']
        assert world.volume(kept)['size'] == 2
        assert world.get(f'/snapshots/{snapshot}')['snapshot']['status'] == 'available'
        world.attach(kept)
        for id in (new, copy):
            assert 'enabled (1)' in world.get(f'/messages?resource_uuid={id}')['messages'][0]['user_message']
        world.delete(f'/volumes/{making}?cascade=True')
        world.run()
        world.refused(404, 'GET', f'/volumes/{making}')

    def test_unknown(self, world):
        world.refused(404, 'PUT', '/os-services/disable', {'host': 'x', 'binary': 'cinder-volume'}, **ADMIN)

    @pytest.mark.parametrize('body', [{}, {'host': 'host@memory'}, {'binary': 'cinder-volume'},
                                      {'host': 1, 'binary': 'x'}, {'host': 'x', 'binary': 'y', 'z': 1}])
    def test_wrong(self, world, body):
        world.refused(400, 'PUT', '/os-services/disable', body, **ADMIN)

    def test_users_may_not(self, world):
        world.refused(403, 'GET', '/os-services')
        world.refused(403, 'PUT', '/os-services/disable', {'host': 'host@memory', 'binary': 'cinder-volume'})


class TestPools:

    def test_names(self, world):
        assert world.get('/scheduler-stats/get_pools', **ADMIN) == {'pools': [{'name': 'host@memory#memory'}]}

    def test_detail(self, world):
        (found,) = world.get('/scheduler-stats/get_pools?detail=True', **ADMIN)['pools']
        able = found['capabilities']
        assert (able['total_capacity_gb'], able['storage_protocol'], able['online_extend_support']) == (
            100, 'memory', True)

    @pytest.mark.parametrize('query, found', [('name=host@memory%23memory', 1), ('name=x', 0), ('volume_type=gold', 0)])
    def test_filter(self, world, query, found):
        world.post('/types', {'volume_type': {'name': 'gold', 'extra_specs': {'volume_backend_name': 'x'}}}, 200,
                   **ADMIN)
        assert len(world.get(f'/scheduler-stats/get_pools?{query}', **ADMIN)['pools']) == found

    def test_users_may_not(self, world):
        world.refused(403, 'GET', '/scheduler-stats/get_pools')


class TestCapabilities:

    def test_of_a_backend(self, world):
        found = world.get('/capabilities/host@memory', **ADMIN)
        assert (found['pool_name'], found['storage_protocol'], found['namespace']) == (
            'memory', 'memory', 'OS::Storage::Capabilities::host@memory')
        assert found['properties']['multiattach'].keys() == {'title', 'type', 'description'}
        pool, = world.get('/scheduler-stats/get_pools?detail=True', **ADMIN)['pools']
        assert found['properties'].keys() <= pool['capabilities'].keys()

    def test_of_none(self, world):
        assert 'host@other' in world.refused(404, 'GET', '/capabilities/host@other', **ADMIN)
        world.refused(403, 'GET', '/capabilities/host@memory')


class TestZones:

    def test_list(self, world):
        assert world.get('/os-availability-zone') == {
            'availabilityZoneInfo': [{'zoneName': 'nova', 'zoneState': {'available': True}}]}

    def test_without_backends(self, make_world):
        assert make_world(report=False).get('/os-availability-zone') == {
            'availabilityZoneInfo': [{'zoneName': 'nova', 'zoneState': {'available': False}}]}


class TestExtensions:

    def test_list(self, world):
        aliases = [extension['alias'] for extension in world.get('/extensions')['extensions']]
        assert 'os-volume-actions' in aliases and 'os-quota-sets' in aliases

    def test_show(self, world):
        assert world.get('/extensions/os-services')['extension']['name'] == 'Services'

    def test_unknown(self, world):
        world.refused(404, 'GET', '/extensions/x')

    def test_filters_of_lists(self, world):
        (found,) = world.get('/resource_filters?resource=attachment')['resource_filters']
        assert 'instance_id' in found['filters']

    @pytest.mark.parametrize('version', ['3.33', '3.34', '3.59', LATEST])
    @pytest.mark.parametrize('who', [{}, ADMIN], ids=['member', 'administrator'])
    def test_filters_of_lists_are_those_that_they_take(self, world, version, who):
        """Types take no notice of what they do not know; pools are for administrators."""
        lists = {'attachment': '/attachments', 'message': '/messages', 'snapshot': '/snapshots/detail',
                 'volume': '/volumes/detail', **({'pool': '/scheduler-stats/get_pools'} if who else {})}
        listed = {each['resource']: each['filters'] for each in world.get(
            '/resource_filters', version=version, **who)['resource_filters']}
        newest = world.get('/resource_filters', **ADMIN)['resource_filters']
        assert set(listed) == {*lists, 'pool', 'volume_type'}
        for name in {name for each in newest for name in each['filters']} | {'colour'}:
            for resource, path in lists.items():
                answer = world.call('GET', f'/v3/p1{path}?{name}=x', version=version, **who)
                taken = answer.status != 400 or 'Invalid filters' not in answer.message
                assert taken == (name in listed[resource]), (resource, name)


class TestMessages:

    @pytest.fixture
    def told(self, world):
        """A volume whose extend came to nothing, and the message about it."""
        id = world.create()
        world.attach(id)
        world.nova.hosts['host1']['extend_attached'] = False
        world.extend(id, 2)
        world.run()
        return id, world.get('/messages')['messages'][0]

    def test_says_what_about_what(self, world, told):
        id, message = told
        assert set(message) == {'id', 'event_id', 'user_message', 'message_level', 'created_at', 'guaranteed_until',
                                'request_id', 'links', 'resource_type', 'resource_uuid'}
        assert (message['resource_uuid'], message['resource_type'], message['message_level']) == (id, 'VOLUME', 'ERROR')
        assert message['request_id'].startswith('req-')

    def test_show(self, world, told):
        assert world.get(f'/messages/{told[1]["id"]}')['message'] == told[1]

    def test_delete(self, world, told):
        world.delete(f'/messages/{told[1]["id"]}', 204)
        assert world.get('/messages') == {'messages': []}

    def test_another_projects(self, world, told):
        for method in ('GET', 'DELETE'):
            world.refused(404, method, f'/messages/{told[1]["id"]}', project='p2')
        assert world.get('/messages', project='p2') == {'messages': []}

    @pytest.mark.parametrize('query, found', [('resource_uuid={id}', 1), (f'resource_uuid={ELSEWHERE}', 0),
                                              ('message_level=ERROR', 1), ('limit=0', 0), ('resource_type=VOLUME', 1)])
    def test_filter(self, world, told, query, found):
        assert len(world.get(f'/messages?{query.format(id=told[0])}')['messages']) == found

    def test_unknown_filter(self, world):
        world.refused(400, 'GET', '/messages?colour=red')

    def test_came_with_3_3(self, world):
        assert world.call('GET', '/v3/p1/messages', version='3.2').status == 404

    def test_unknown(self, world):
        world.refused(404, 'GET', f'/messages/{ELSEWHERE}')


class TestOperations:

    def test_of_a_volume(self, world):
        id = world.create()
        world.extend(id, 2)
        found = world.get(f'/operations?volume_id={id}')['operations']
        assert [(op['name'], op['state']) for op in found] == [('extend-volume', 'running'), ('create-volume', 'done')]

    def test_below_the_volume(self, world):
        id = world.create()
        assert world.get(f'/volumes/{id}/operations') == world.get(f'/operations?volume_id={id}')

    def test_steps_have_times(self, world):
        (op,) = world.get(f'/operations?volume_id={world.create()}')['operations']
        step = op['steps'][0]
        assert (step['name'], step['target'], step['state'], step['attempts']) == (
            'make_volume', 'worker:host@memory', 'done', 1)
        assert step['seconds'] >= 0 and op['created_at'] <= step['finished_at'] <= op['finished_at']
        assert len(op['created_at']) == 26

    def test_never_shows_what_it_was_given(self, world):
        id = world.create()
        world.attach(id)
        found = world.get(f'/operations?volume_id={id}')
        assert 'iqn.' not in str(found) and 'params' not in str(found) and 'secret' not in str(found)

    def test_show(self, world):
        (op,) = world.get(f'/operations?volume_id={world.create()}')['operations']
        assert world.get(f'/operations/{op["id"]}')['operation'] == op

    def test_by_request(self, world):
        id = world.create()
        answer = world.extend(id, 2)
        found = world.get(f'/operations?request_id={answer.headers["X-OpenStack-Request-ID"]}')['operations']
        assert [op['name'] for op in found] == ['extend-volume']

    @pytest.mark.parametrize('state, found', [('live', 1), ('running', 1), ('done', 1), ('stuck', 0)])
    def test_by_state(self, world, state, found):
        world.extend(world.create(), 2)
        assert len(world.get(f'/operations?state={state}')['operations']) == found

    def test_of_a_volume_that_is_gone(self, world):
        id = world.create()
        world.delete(f'/volumes/{id}')
        world.run()
        assert len(world.get(f'/operations?volume_id={id}')['operations']) == 2

    def test_another_projects(self, world):
        id = world.create()
        (op,) = world.get(f'/operations?volume_id={id}')['operations']
        assert world.get(f'/operations?volume_id={id}', project='p2') == {'operations': []}
        world.refused(404, 'GET', f'/operations/{op["id"]}', project='p2')

    def test_administrators_see_all(self, world):
        id = world.create()
        assert len(world.get(f'/operations?volume_id={id}', project='p2', **ADMIN)['operations']) == 1
        assert len(world.get('/operations?all_tenants=1', project='p2', **ADMIN)['operations']) == 1

    def test_wrong_state(self, world):
        world.refused(400, 'GET', '/operations?state=x')

    def test_unknown(self, world):
        world.refused(404, 'GET', f'/operations/{ELSEWHERE}')


def test_metrics_count_operations(world):
    world.create()
    assert 'volsvc_operations{name="create-volume",state="done"} 1' in world.call('GET', '/metrics').raw.decode()


def test_healthcheck(world):
    assert world.call('GET', '/healthcheck', version=None).status == 200


def test_worker_reports_what_it_has(world):
    world.create(5)
    world.worker.report()
    (found,) = world.get('/scheduler-stats/get_pools?detail=True', **ADMIN)['pools']
    assert found['capabilities']['provisioned_capacity_gb'] == 5 and GIB == 2 ** 30


class TestTokens:

    @pytest.fixture
    def world(self, make_world):
        return make_world(api__auth_strategy='keystone', keystone_authtoken__www_authenticate_uri='http://identity/v3',
                          keystone_authtoken__auth_url='http://127.0.0.1:1', keystone_authtoken__auth_type='v3password',
                          keystone_authtoken__http_connect_timeout=1, keystone_authtoken__http_request_max_retries=0)

    @pytest.mark.parametrize('method, path', [('GET', '/v3/p1/volumes'), ('POST', '/v3/p1/volumes'),
                                              ('GET', '/v3/p1/nothing'), ('DELETE', f'/v3/p1/volumes/{ELSEWHERE}')])
    def test_none(self, world, method, path):
        """What a client says of itself in the middleware's headers counts for nothing."""
        answer = world.call(method, path, {'volume': {'size': 1}}, **ADMIN)
        assert answer.status == 401 and answer.fault[0] == 'unauthorized'
        assert 'http://identity/v3' in answer.headers['WWW-Authenticate']

    def test_documents_need_none(self, world):
        assert world.call('GET', '/').status == 300 and world.call('GET', '/healthcheck').status == 200
