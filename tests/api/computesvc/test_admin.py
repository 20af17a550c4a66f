"""What operators ask: flavors, services, hypervisors, zones, quotas; and what every client asks on its way."""
import pytest

import brick

ADMIN = {'roles': 'admin'}


def admin(world, method, path, body=None, status=200, **kw):
    answer = world.call(method, f'/v2.1{path}', body, roles='admin', **kw)
    assert answer.status == status, (answer.status, answer.raw)
    return answer.json if answer.raw else None


def test_version_documents(world):
    for path in ('/', '/v2.1', '/v2.1/', '/compute/v2.1/'):
        found = world.call('GET', path).json
        version = found['versions'][0] if 'versions' in found else found['version']
        assert (version['id'], version['min_version'], version['version']) == ('v2.1', '2.1', '2.96')
    assert world.call('GET', '/healthcheck').status == 200
    assert b'operations' in world.call('GET', '/metrics').raw


def test_microversions(world):
    answer = world.call('GET', '/v2.1/flavors', version='2.97')
    assert answer.status == 406 and '2.96' in answer.message
    assert world.call('GET', '/v2.1/flavors', version='latest').headers['OpenStack-API-Version'] == 'compute 2.96'
    assert world.call('GET', '/v2.1/flavors', version='two').status == 400
    answer = world.call('GET', '/v2.1/flavors', version=None,
                        headers={'HTTP_X_OPENSTACK_NOVA_API_VERSION': '2.60'})
    assert answer.headers['X-OpenStack-Nova-API-Version'] == '2.60'


def test_flavors(world):
    assert [f['id'] for f in world.get('/flavors')['flavors']] == ['1', '2', '3', '4', '42', '5', '84']
    nano = world.get('/flavors/42')['flavor']
    assert (nano['ram'], nano['vcpus'], nano['disk'], nano['swap']) == (128, 1, 1, 0)
    assert world.get('/flavors/42', version='2.1')['flavor']['swap'] == ''
    assert 'extra_specs' not in world.get('/flavors/42', version='2.60')['flavor']
    assert len(world.get('/flavors/detail?minRam=4096')['flavors']) == 3
    page = world.get('/flavors?limit=3')
    assert len(page['flavors']) == 3 and 'marker=3' in page['flavors_links'][0]['href']
    assert world.call('GET', '/v2.1/flavors/99').status == 404
    made = admin(world, 'POST', '/flavors', {'flavor': {
        'name': 'big', 'id': None, 'ram': 1, 'vcpus': '2', 'disk': 0, 'os-flavor-access:is_public': False}})['flavor']
    assert world.call('GET', f"/v2.1/flavors/{made['id']}").status == 404
    assert made['id'] in [f['id'] for f in admin(world, 'GET', '/flavors?is_public=None')['flavors']]
    admin(world, 'POST', '/flavors', {'flavor': {'name': 'big', 'ram': 1, 'vcpus': 1, 'disk': 0}}, 409)
    specs = f"/flavors/{made['id']}/os-extra_specs"
    assert admin(world, 'POST', specs, {'extra_specs': {'a': 'b'}}) == {'extra_specs': {'a': 'b'}}
    assert admin(world, 'PUT', f'{specs}/a', {'a': 'c'}) == {'a': 'c'}
    admin(world, 'PUT', f'{specs}/a', {'b': 'c'}, 400)
    assert admin(world, 'GET', specs) == {'extra_specs': {'a': 'c'}}
    admin(world, 'DELETE', f'{specs}/a')
    admin(world, 'GET', f'{specs}/a', status=404)
    changed = admin(world, 'PUT', f"/flavors/{made['id']}", {'flavor': {'description': 'x'}})['flavor']
    assert changed['description'] == 'x'
    admin(world, 'DELETE', f"/flavors/{made['id']}", status=202)
    assert world.call('POST', '/v2.1/flavors', {'flavor': {'name': 'n', 'ram': 1, 'vcpus': 1, 'disk': 0}}).status == 403


@pytest.mark.parametrize('wrong', [
    {'ram': 0}, {'ram': -1}, {'ram': 1.5}, {'ram': True}, {'ram': None}, {'ram': 'much'}, {'ram': 10 ** 30},
    {'vcpus': 2 ** 31}, {'disk': -1}, {'name': ''}, {'name': 7}, {'id': 'a/b'}, {'nonsense': 1}])
def test_wrong_flavors(world, wrong):
    body = {'flavor': {'name': 'n', 'ram': 1, 'vcpus': 1, 'disk': 0, **wrong}}
    assert world.call('POST', '/v2.1/flavors', body, **ADMIN).status == 400
    assert len(world.get('/flavors')['flavors']) == 7


def test_services(world):
    found = admin(world, 'GET', '/os-services')['services']
    assert {(s['binary'], s['host'], s['state'], s['zone']) for s in found} == {
        ('nova-compute', 'host1', 'up', 'nova'), ('nova-conductor', 'host1', 'up', 'internal')}
    agent = next(s for s in found if s['binary'] == 'nova-compute')
    body = {'status': 'disabled', 'disabled_reason': 'repair'}
    changed = admin(world, 'PUT', f"/os-services/{agent['id']}", body)['service']
    assert (changed['status'], changed['disabled_reason']) == ('disabled', 'repair')
    admin(world, 'PUT', '/os-services/enable', {'host': 'host1', 'binary': 'nova-compute'}, version='2.1')
    down = admin(world, 'PUT', f"/os-services/{agent['id']}", {'forced_down': True})['service']
    assert (down['status'], down['state'], down['forced_down']) == ('enabled', 'down', True)
    assert admin(world, 'GET', '/os-hypervisors')['hypervisors'][0]['state'] == 'down'
    admin(world, 'PUT', '/os-services/nonsense', {'status': 'enabled'}, 400)
    admin(world, 'PUT', f"/os-services/{agent['id']}", {'status': 'odd'}, 400)
    admin(world, 'PUT', '/os-services/enable', {'host': 'nobody', 'binary': 'nova-compute'}, 404, version='2.1')
    assert isinstance(admin(world, 'GET', '/os-services', version='2.1')['services'][0]['id'], int)
    assert world.call('GET', '/v2.1/os-services').status == 403
    admin(world, 'PUT', f"/os-services/{agent['id']}", {'forced_down': False})
    world.boot()
    admin(world, 'DELETE', f"/os-services/{agent['id']}", status=409)


def test_hypervisors(world):
    server_id = world.boot()
    row = admin(world, 'GET', '/os-hypervisors/detail')['hypervisors'][0]
    assert (row['hypervisor_hostname'], row['hypervisor_type'], row['state']) == ('host1', 'memory', 'up')
    old = admin(world, 'GET', '/os-hypervisors/detail', version='2.1')['hypervisors'][0]
    assert (old['vcpus_used'], old['memory_mb_used'], old['running_vms']) == (1, 128, 1)
    assert old['cpu_info'] == '{}' and isinstance(old['id'], int)
    assert admin(world, 'GET', f"/os-hypervisors/{row['id']}?with_servers=true")['hypervisor']['servers'][0]['uuid'] \
        == server_id
    admin(world, 'GET', '/os-hypervisors/host1', status=404)
    admin(world, 'GET', '/os-hypervisors?hypervisor_hostname_pattern=zzz', status=404)
    assert admin(world, 'GET', '/os-hypervisors/statistics', version='2.60')['hypervisor_statistics']['count'] == 1
    for name in (row['id'], 'host1'):
        answer = world.call('GET', f'/v2.1/os-hypervisors/{name}/capabilities', roles='service')
        found = answer.json['capabilities']
        assert {**found, 'protocols': sorted(found['protocols'])} == {
            'extend_attached': True, 'hypervisor_type': 'memory', 'protocols': sorted(brick.CONNECTORS), 'state': 'up'}
    assert world.call('GET', '/v2.1/os-hypervisors/host1/capabilities').status == 403
    assert world.call('GET', '/v2.1/os-hypervisors/other/capabilities', roles='service').status == 404


def test_hypervisors_by_version(tmp_path):
    from tests.api.computesvc.world import World
    world = World(f'sqlite:///{tmp_path}/db', tmp_path, hosts=('host1', 'host2', 'other'))
    page = admin(world, 'GET', '/os-hypervisors?limit=2')
    assert [h['hypervisor_hostname'] for h in page['hypervisors']] == ['host1', 'host2']
    following = world.call('GET', page['hypervisors_links'][0]['href'].removeprefix('http://compute:80'), **ADMIN).json
    assert [h['hypervisor_hostname'] for h in following['hypervisors']] == ['other']
    assert 'hypervisors_links' not in following
    assert len(admin(world, 'GET', '/os-hypervisors?limit=2', version='2.32')['hypervisors']) == 3
    admin(world, 'GET', '/os-hypervisors?marker=none', status=400)
    admin(world, 'GET', '/os-hypervisors?nonsense=1', status=400)
    assert len(admin(world, 'GET', '/os-hypervisors?hypervisor_hostname_pattern=host')['hypervisors']) == 2
    assert len(admin(world, 'GET', '/os-hypervisors/host/search', version='2.52')['hypervisors']) == 2
    server_id = world.boot()
    there = admin(world, 'GET', '/os-hypervisors/host1/servers', version='2.52')['hypervisors'][0]
    elsewhere = [h.get('servers') for h in admin(world, 'GET', '/os-hypervisors/host/servers', version='2.52')[
        'hypervisors'] if h['hypervisor_hostname'] != there['hypervisor_hostname']]
    found = {server['uuid'] for server in there.get('servers', ())}
    assert found <= {server_id} and elsewhere in ([None], [[{'uuid': server_id, 'name': f'instance-{server_id[:8]}'}]])
    for path, last in (('search', 52), ('servers', 52), ('uptime', 87)):
        admin(world, 'GET', f'/os-hypervisors/host1/{path}', status=404, version=f'2.{last + 1}')
    rows = admin(world, 'GET', '/os-hypervisors/detail?with_servers=true', version='2.74')['hypervisors']
    assert len([row for row in rows if 'servers' in row]) == 1
    rows = admin(world, 'GET', '/os-hypervisors/detail?with_servers=true', version='2.75')['hypervisors']
    assert len([row for row in rows if 'servers' in row]) == 3
    world.service.db.dispose()


def test_zones(world):
    assert world.get('/os-availability-zone')['availabilityZoneInfo'] == [
        {'zoneName': 'nova', 'zoneState': {'available': True}, 'hosts': None}]
    zones = admin(world, 'GET', '/os-availability-zone/detail')['availabilityZoneInfo']
    assert [z['zoneName'] for z in zones] == ['internal', 'nova']


def test_quotas(world):
    assert world.get('/os-quota-sets/p1')['quota_set']['instances'] == 10
    assert world.call('GET', '/v2.1/os-quota-sets/p2').status == 403
    changed = admin(world, 'PUT', '/os-quota-sets/p1', {'quota_set': {'instances': 3, 'cores': '-1'}})['quota_set']
    assert (changed['instances'], changed['cores']) == (3, -1)
    world.boot()
    detail = world.get('/os-quota-sets/p1/detail')['quota_set']
    assert detail['instances'] == {'limit': 3, 'in_use': 1, 'reserved': 0}
    admin(world, 'PUT', '/os-quota-sets/p1', {'quota_set': {'instances': 0}}, 400)
    admin(world, 'PUT', '/os-quota-sets/p1', {'quota_set': {'instances': 0, 'force': True}})
    admin(world, 'DELETE', '/os-quota-sets/p1', status=202)
    assert world.get('/os-quota-sets/p1')['quota_set'] == world.get('/os-quota-sets/p1/defaults')['quota_set']
    for wrong in ({'instances': -2}, {'instances': 1.5}, {'instances': None}, {'instances': 10 ** 30},
                  {'instances': 'x'}, {'nonsense': 1}, {'instances': True}):
        admin(world, 'PUT', '/os-quota-sets/p1', {'quota_set': wrong}, 400)
    assert 'floating_ips' in world.get('/os-quota-sets/p1', version='2.35')['quota_set']
    assert 'floating_ips' not in world.get('/os-quota-sets/p1', version='2.36')['quota_set']


def test_limits_extensions_and_empty_lists(world):
    absolute = world.get('/limits')['limits']['absolute']
    assert absolute['maxTotalInstances'] == 10 and 'maxImageMeta' not in absolute
    assert 'maxImageMeta' in world.get('/limits', version='2.1')['limits']['absolute']
    assert world.call('GET', '/v2.1/limits?tenant_id=p2').status == 403
    assert {'os-server-external-events', 'os-volumes'} <= {e['alias'] for e in world.get('/extensions')['extensions']}
    assert world.get('/extensions/os-volumes')['extension']['alias'] == 'os-volumes'
    assert world.call('GET', '/v2.1/extensions/none').status == 404
    assert admin(world, 'GET', '/os-aggregates') == {'aggregates': []}
    assert world.get('/os-server-groups') == {'server_groups': []}


def test_keypairs(world):
    key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzq8A4c9mH0cQp0i3x9l0b9r8m1n2o3p4q5r6s7t8u9 me@here'
    made = world.post('/os-keypairs', {'keypair': {'name': 'k1', 'public_key': key}}, 201).json['keypair']
    assert made['fingerprint'].count(':') == 15
    assert [k['keypair']['name'] for k in world.get('/os-keypairs')['keypairs']] == ['k1']
    assert world.get('/os-keypairs', user='u2') == {'keypairs': []}
    assert world.get('/os-keypairs/k1')['keypair']['public_key'] == key
    world.post('/os-keypairs', {'keypair': {'name': 'k1', 'public_key': key}}, 409)
    world.post('/os-keypairs', {'keypair': {'name': 'k2', 'public_key': 'no key'}}, 400)
    world.post('/os-keypairs', {'keypair': {'name': 'k2'}}, 400)
    server_id = world.boot(key_name='k1')
    assert world.server(server_id)['key_name'] == 'k1'
    assert world.call('DELETE', '/v2.1/os-keypairs/k1').status == 204
    assert world.call('GET', '/v2.1/os-keypairs/k1').status == 404
