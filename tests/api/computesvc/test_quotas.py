"""Quotas of projects and of the class that all have, limits, and what counts."""
import pytest

ADMIN = {'roles': 'admin'}


def put(world, values, status=200, path='/os-quota-sets/p1', key='quota_set', **kw):
    answer = world.call('PUT', f'/v2.1{path}', {key: values}, **(ADMIN | kw))
    assert answer.status == status, answer.raw
    return answer


def test_names_by_version(world):
    files, network = {'injected_files', 'injected_file_content_bytes'}, {'floating_ips', 'security_groups'}
    for path, key in (('/os-quota-sets/p1', 'quota_set'), ('/os-quota-sets/p1/detail', 'quota_set'),
                      ('/os-quota-sets/p1/defaults', 'quota_set')):
        oldest, middle, newest = (set(world.get(path, version=version)[key]) for version in ('2.1', '2.36', '2.57'))
        assert oldest - middle >= network and middle - newest >= files
        assert newest == {'id', 'instances', 'cores', 'ram', 'metadata_items', 'key_pairs', 'server_groups',
                          'server_group_members'}
    for version, status in (('2.35', 200), ('2.36', 400)):
        put(world, {'floating_ips': 5}, status, version=version)
    for version, status in (('2.56', 200), ('2.57', 400)):
        put(world, {'injected_files': 5}, status, version=version)


def test_limits_by_version(world):
    def names(version):
        return set(world.get('/limits', version=version)['limits']['absolute'])
    assert names('2.35') - names('2.36') == {
        'maxTotalFloatingIps', 'maxSecurityGroups', 'maxSecurityGroupRules', 'totalFloatingIpsUsed',
        'totalSecurityGroupsUsed'}
    assert names('2.38') - names('2.39') == {'maxImageMeta'}
    assert names('2.56') - names('2.57') == {'maxPersonality', 'maxPersonalitySize'}
    assert world.call('GET', '/v2.1/limits?nonsense=1', version='2.75').status == 400
    assert world.call('GET', '/v2.1/limits?nonsense=1', version='2.74').status == 200


def test_the_class_of_all(world):
    path, key = '/os-quota-class-sets/default', 'quota_class_set'
    found = world.get(path, **ADMIN)[key]
    assert (found['id'], found['instances'], found['server_groups']) == ('default', 10, 10)
    assert not {'server_groups', 'server_group_members'} & set(world.get(path, version='2.49', **ADMIN)[key])
    assert 'floating_ips' in world.get(path, version='2.49', **ADMIN)[key]
    assert 'floating_ips' not in world.get(path, version='2.50', **ADMIN)[key]
    assert put(world, {'instances': 1, 'cores': '-1'}, path=path, key=key).json[key]['instances'] == 1
    assert world.get('/os-quota-sets/p2/defaults')['quota_set']['instances'] == 1
    assert world.get('/os-quota-sets/p1')['quota_set']['instances'] == 1
    put(world, {'instances': 5})
    assert world.get('/os-quota-sets/p1')['quota_set']['instances'] == 5, "a project's own comes first"
    assert world.get('/os-quota-class-sets/other', **ADMIN)[key]['instances'] == 10
    put(world, {'instances': 1}, 400, path='/os-quota-class-sets/other', key=key)
    assert world.call('GET', f'/v2.1{path}').status == 403


def test_a_users_own_quota_is_not_offered(world):
    put(world, {'instances': 1}, 400, path='/os-quota-sets/p1?user_id=u1')
    assert world.get('/os-quota-sets/p1?user_id=u1')['quota_set']['instances'] == 10
    assert world.call('GET', '/v2.1/os-quota-sets/p1?nonsense=1', version='2.75').status == 400


@pytest.mark.parametrize('resource, most, asked', [
    ('instances', 1, {'min_count': 2}), ('cores', 1, {'min_count': 2}), ('ram', 128, {'min_count': 2}),
    ('metadata_items', 1, {'metadata': {'a': 'b', 'c': 'd'}})])
def test_what_a_new_server_takes(world, resource, most, asked):
    put(world, {resource: most})
    body = {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none', 'imageRef': world.images.add()}}
    answer = world.call('POST', '/v2.1/servers', {'server': body['server'] | asked})
    assert answer.status in (403, 413) and world.get('/servers')['servers'] == []
    assert world.get('/limits')['limits']['absolute']['totalInstancesUsed'] == 0
    assert world.call('POST', '/v2.1/servers', body).status == 202
    used = world.get('/limits')['limits']['absolute']
    assert (used['totalInstancesUsed'], used['totalCoresUsed'], used['totalRAMUsed']) == (1, 1, 128)
