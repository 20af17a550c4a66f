"""Servers: making, showing, listing, changing, deleting; and what they show by microversion and role."""
import uuid

GIB = 1024 ** 3


def test_boots_from_volume(world):
    server_id = world.boot(run=False)
    before = world.server(server_id)
    assert (before['status'], before['OS-EXT-STS:task_state']) == ('BUILD', 'scheduling')
    world.run()
    server = world.server(server_id)
    assert server['status'] == 'ACTIVE' and server['OS-EXT-STS:vm_state'] == 'active'
    assert server['OS-EXT-STS:power_state'] == 1 and server['OS-EXT-STS:task_state'] is None
    assert server['image'] == '' and server['flavor']['original_name'] == 'm1.nano'
    volume_id, = world.volumes.volumes
    assert server['os-extended-volumes:volumes_attached'] == [{'id': volume_id, 'delete_on_termination': False}]
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'
    assert world.hypervisor.disks(server_id)[volume_id]['target'] == 'vda'
    assert world.hypervisor.power_state(server_id) == 'running'


def test_boots_from_image(world):
    image_id = world.images.add(b'boot me')
    answer = world.post('/servers', {'server': {'name': 'web', 'flavorRef': '42', 'imageRef': image_id,
                                                'networks': 'auto', 'metadata': {'a': 'b'}}})
    server_id = answer.json['server']['id']
    assert answer.headers['Location'].endswith(f'/v2.1/servers/{server_id}')
    assert answer.json['server']['security_groups'] == [{'name': 'default'}]
    world.run()
    server = world.server(server_id)
    assert server['status'] == 'ACTIVE' and server['image']['id'] == image_id and server['metadata'] == {'a': 'b'}
    path = world.folder / 'servers' / server_id / 'root.raw'
    assert path.read_bytes()[:7] == b'boot me' and path.stat().st_size == GIB
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert not path.parent.exists() and world.hypervisor.servers() == {}
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404


def test_boots_from_a_volume_made_from_an_image(world):
    """The volume goes with the server when that was asked."""
    image_id = world.images.add()
    answer = world.post('/servers', {'server': {
        'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': [
            {'boot_index': 0, 'uuid': image_id, 'source_type': 'image', 'destination_type': 'volume',
             'volume_size': 3, 'delete_on_termination': True}]}})
    world.run()
    server_id = answer.json['server']['id']
    assert world.server(server_id)['status'] == 'ACTIVE'
    assert [v['size'] for v in world.volumes.volumes.values()] == [3]
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run()
    assert world.volumes.volumes == {} and world.volumes.attachments == {}


def test_several_at_once(world):
    image_id = world.images.add()
    body = {'server': {'name': 'n', 'flavorRef': '42', 'networks': 'none', 'imageRef': image_id, 'min_count': 2,
                       'max_count': 3, 'return_reservation_id': True}}
    reservation = world.post('/servers', body).json['reservation_id']
    world.run()
    found = world.get('/servers/detail?sort_key=display_name&sort_dir=asc', roles='admin')['servers']
    assert [server['name'] for server in found] == ['n-1', 'n-2', 'n-3']
    assert {server['OS-EXT-SRV-ATTR:reservation_id'] for server in found} == {reservation}
    assert {server['status'] for server in found} == {'ACTIVE'}


def test_no_host_is_an_error_with_a_fault(world):
    with world.service.db.transaction() as session:
        from computesvc.db.models import Service
        session.query(Service).update({'disabled': True})
    server_id = world.boot()
    server = world.server(server_id)
    assert server['status'] == 'ERROR' and 'No valid host' in server['fault']['message']
    assert set(server['fault']) == {'code', 'created', 'message'}
    assert server['os-extended-volumes:volumes_attached'] == []
    assert {v['status'] for v in world.volumes.volumes.values()} == {'available'}
    action = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions'][0]
    assert action['action'] == 'create' and action['message'] == 'Error'
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run()
    assert world.get('/limits')['limits']['absolute']['totalInstancesUsed'] == 0


def test_spawn_failure_frees_the_volumes(world):
    from computesvc.host.base import HostError
    world.hypervisor.faults.fail('power_on', times=100, error=HostError('no more memory'))
    server_id = world.boot(run=False)
    for _ in range(6):
        world.run()
        world.hurry()
    world.run()
    server = world.server(server_id)
    assert server['status'] == 'ERROR' and 'no more memory' in server['fault']['message']
    assert world.volumes.attachments == {} and world.hypervisor.servers() == {}


def test_quota(world):
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': {'instances': 1}}, roles='admin')
    first = world.boot()
    volume_id = world.volumes.add()
    body = {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': [
        {'boot_index': 0, 'uuid': volume_id, 'source_type': 'volume', 'destination_type': 'volume'}]}}
    answer = world.call('POST', '/v2.1/servers', body)
    assert answer.status in (403, 413) and '1 of 1' in answer.message
    assert world.get('/limits')['limits']['absolute'] | {
        'totalInstancesUsed': 1, 'totalCoresUsed': 1, 'totalRAMUsed': 128} == world.get('/limits')['limits']['absolute']
    world.call('DELETE', f'/v2.1/servers/{first}')
    world.run()
    world.post('/servers', body)


def test_filters_and_pages(world):
    ids = [world.boot(name=f'n{number}') for number in range(3)]
    names = [s['name'] for s in world.get('/servers?sort_key=created_at&sort_dir=asc')['servers']]
    assert names == ['n0', 'n1', 'n2']
    assert [s['id'] for s in world.get('/servers?name=n1')['servers']] == [ids[1]]
    assert len(world.get('/servers?name=^n[01]$')['servers']) == 2
    assert world.get('/servers/detail?status=SHUTOFF')['servers'] == []
    assert world.get('/servers/detail?status=nonsense', version='2.37')['servers'] == []
    assert world.call('GET', '/v2.1/servers/detail?status=nonsense').status == 400
    page = world.get('/servers?limit=2')
    assert len(page['servers']) == 2
    marker = page['servers'][-1]['id']
    assert f'marker={marker}' in page['servers_links'][0]['href']
    rest = world.get(f'/servers?limit=2&marker={marker}')
    assert len(rest['servers']) == 1 and 'servers_links' not in rest
    assert {s['id'] for s in page['servers'] + rest['servers']} == set(ids)
    for key in ('host', 'updated_at', 'display_name', 'launched_at'):
        seen, marker = [], None
        for _ in ids:
            more = f'&marker={marker}' if marker else ''
            found = world.get(f'/servers?limit=1&sort_key={key}&sort_dir=desc{more}', roles='admin')['servers']
            seen += [s['id'] for s in found]
            marker = seen[-1]
        assert sorted(seen) == sorted(ids), key
    assert world.call('GET', f'/v2.1/servers?marker={uuid.uuid4()}').status == 400
    assert world.call('GET', '/v2.1/servers?limit=-1').status == 400
    assert world.call('GET', '/v2.1/servers?sort_key=nonsense').status == 400
    assert world.call('GET', '/v2.1/servers?name=%5B').status == 400
    assert world.call('GET', '/v2.1/servers?nonsense=1').status == 400
    assert world.call('GET', '/v2.1/servers?nonsense=1', version='2.1').status == 200
    assert world.call('GET', '/v2.1/servers?changes-since=yesterday').status == 400
    assert len(world.get('/servers?changes-since=2020-01-01T00:00:00Z')['servers']) == 3
    assert world.get('/servers?changes-before=2020-01-01T00:00:00Z')['servers'] == []


def test_other_projects(world):
    server_id = world.boot()
    for method, path, body in [
            ('GET', '', None), ('DELETE', '', None), ('PUT', '', {'server': {'name': 'x'}}),
            ('POST', '/action', {'os-stop': None}), ('GET', '/os-volume_attachments', None),
            ('GET', '/os-instance-actions', None), ('GET', '/metadata', None)]:
        answer = world.call(method, f'/v2.1/servers/{server_id}{path}', body, project='p2')
        assert answer.status == 404, (method, path, answer.raw)
    assert world.get('/servers', project='p2')['servers'] == []
    assert world.call('GET', '/v2.1/servers?all_tenants=1').status == 403
    assert len(world.get('/servers?all_tenants=1', roles='admin', project='p2')['servers']) == 1
    assert world.get('/servers?all_tenants=1&project_id=p2', roles='admin')['servers'] == []


def test_update(world):
    server_id = world.boot()
    body = {'server': {'name': ' new ', 'description': 'what for'}}
    answer = world.call('PUT', f'/v2.1/servers/{server_id}', body)
    assert answer.status == 200 and answer.json['server']['name'] == 'new'
    assert world.server(server_id)['description'] == 'what for'
    for wrong in ({'name': ''}, {'name': ' '}, {'name': 3}, {'name': 'x' * 256}, {'nonsense': 1}):
        assert world.call('PUT', f'/v2.1/servers/{server_id}', {'server': wrong}).status == 400
    assert world.server(server_id)['name'] == 'new'
    assert world.call('PUT', f'/v2.1/servers/{server_id}', body, version='2.1').status == 400


def test_shape_by_microversion_and_role(world):
    server_id = world.boot()
    oldest = world.server(server_id, version='2.1')
    assert oldest['flavor'] == {'id': '42', 'links': [{'rel': 'bookmark', 'href': 'http://compute:80/flavors/42'}]}
    newer = {'locked', 'description', 'tags', 'trusted_image_certificates', 'server_groups', 'locked_reason',
             'OS-EXT-SRV-ATTR:hostname', 'pinned_availability_zone', 'host_status'}
    assert not newer & set(oldest) and 'OS-EXT-SRV-ATTR:host' not in oldest
    assert oldest['os-extended-volumes:volumes_attached'] == [{'id': next(iter(world.volumes.volumes))}]
    latest = world.server(server_id)
    assert newer - set(latest) == {'host_status'}
    admin = world.server(server_id, roles='admin')
    assert admin['OS-EXT-SRV-ATTR:host'] == 'host1' and admin['host_status'] == 'UP'
    assert admin['OS-EXT-SRV-ATTR:hypervisor_hostname'] == 'host1'
    assert 'server_groups' not in world.get('/servers/detail')['servers'][0]


def test_power(world):
    server_id = world.boot()

    def status():
        return world.server(server_id)['status']
    for action, value, during, after in [
            ('os-stop', None, 'powering-off', 'SHUTOFF'), ('os-start', None, 'powering-on', 'ACTIVE'),
            ('pause', None, 'pausing', 'PAUSED'), ('unpause', None, 'unpausing', 'ACTIVE'),
            ('reboot', {'type': 'SOFT'}, 'rebooting', 'ACTIVE'),
            ('reboot', {'type': 'HARD'}, 'rebooting_hard', 'ACTIVE')]:
        world.act(server_id, action, value)
        assert world.server(server_id)['OS-EXT-STS:task_state'] == during
        answer = world.call('POST', f'/v2.1/servers/{server_id}/action', {action: value})
        assert answer.status == 409 and 'conflictingRequest' in answer.json and during in answer.message
        world.run()
        assert status() == after
    world.act(server_id, 'os-stop')
    world.run()
    answer = world.call('POST', f'/v2.1/servers/{server_id}/action', {'os-stop': None})
    assert answer.status == 409
    assert answer.message.startswith(f"Cannot 'stop' instance {server_id} while it is in vm_state")
    assert world.call('POST', f'/v2.1/servers/{server_id}/action', {'unpause': None}).status == 409
    actions = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions']
    assert [a['action'] for a in actions] == ['stop', 'reboot', 'reboot', 'unpause', 'pause', 'start', 'stop', 'create']


def test_failed_power_operation_leaves_the_server_usable(world):
    from computesvc.host.base import HostError
    server_id = world.boot()
    world.hypervisor.faults.fail('power_off', times=100, error=HostError('no'))
    request = world.act(server_id, 'os-stop').headers['X-OpenStack-Request-ID']
    for _ in range(6):
        world.run()
        world.hurry()
    assert world.server(server_id)['status'] == 'ACTIVE' and world.server(server_id)['OS-EXT-STS:task_state'] is None
    action = world.get(f'/servers/{server_id}/os-instance-actions/{request}')['instanceAction']
    assert action['message'] == 'Error' and action['events'][0]['result'] == 'Error'
    assert 'no' in action['events'][0]['details']


def test_console_output(world):
    server_id = world.boot()
    output = world.act(server_id, 'os-getConsoleOutput', {}, 200).json['output']
    assert 'Linux guest starting' in output
    last = world.act(server_id, 'os-getConsoleOutput', {'length': 1}, 200).json['output']
    assert last == output.splitlines()[-1] + '\n'
    assert world.act(server_id, 'os-getConsoleOutput', {'length': '-1'}, 200).json['output'] == output
    world.act(server_id, 'os-getConsoleOutput', {'length': 'many'}, 400)
    world.hypervisor.faults.fail('console_output', error=OSError('away'))
    world.act(server_id, 'os-getConsoleOutput', {}, 503)


def test_locked(world):
    server_id = world.boot()
    volume_id = world.volumes.add()
    world.act(server_id, 'lock', {'locked_reason': 'mine'})
    assert world.server(server_id)['locked_reason'] == 'mine'
    world.act(server_id, 'os-stop', status=409)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 409
    assert world.call('POST', f'/v2.1/servers/{server_id}/os-volume_attachments',
                      {'volumeAttachment': {'volumeId': volume_id}}).status == 409
    world.act(server_id, 'unlock')
    world.act(server_id, 'os-stop')


def test_server_that_stops_by_itself_is_shut_off(world):
    server_id = world.boot()
    world.hypervisor.crash(server_id)
    world.agent.heartbeat()
    assert world.server(server_id)['status'] == 'ACTIVE', 'an operation may just have ended'
    world.age_servers()
    world.agent.heartbeat()
    assert world.server(server_id)['status'] == 'SHUTOFF'
    world.act(server_id, 'os-start')
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE'


def test_delete_takes_over(world):
    """A server being built, or with an attach under way, can be deleted; nothing is left of it."""
    server_id = world.boot(run=False)
    world.run(world.conductor.worker)       # now it waits for its agent
    assert {v['status'] for v in world.volumes.volumes.values()} == {'reserved'}
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    assert world.server(server_id)['OS-EXT-STS:task_state'] == 'deleting'
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert {v['status'] for v in world.volumes.volumes.values()} == {'available'}
    server_id = world.boot()
    world.attach(server_id, run=False)
    world.run(world.conductor.worker)
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run()
    assert world.volumes.attachments == {} and world.hypervisor.servers() == {}
    assert {v['status'] for v in world.volumes.volumes.values()} == {'available'}
    assert world.get('/limits')['limits']['absolute']['totalInstancesUsed'] == 0


def test_delete_on_a_dead_host(world):
    """It waits for the host, until an operator says that the host is gone; a host that comes back is cleaned."""
    server_id = world.boot()
    volume_id = world.attach(server_id)
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run(world.conductor.worker)
    assert world.server(server_id)['OS-EXT-STS:task_state'] == 'deleting'
    agent = world.get('/os-services?binary=nova-compute', roles='admin')['services'][0]
    world.call('PUT', f"/v2.1/os-services/{agent['id']}", {'forced_down': True}, roles='admin')
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run(world.conductor.worker)
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert world.volumes.volumes[volume_id]['status'] == 'available'
    assert server_id in world.hypervisor.servers()
    world.agent.sweep()
    assert world.hypervisor.servers() == {}


def test_delete_ends_attachments(world):
    server_id = world.boot()
    kept = world.attach(server_id)
    gone = world.attach(server_id, delete_on_termination=True)
    request = world.call('DELETE', f'/v2.1/servers/{server_id}').headers['X-OpenStack-Request-ID']
    world.run()
    assert kept in world.volumes.volumes and gone not in world.volumes.volumes
    assert world.volumes.attachments == {}
    action = world.get(f'/servers/{server_id}/os-instance-actions/{request}')['instanceAction']
    assert action['action'] == 'delete' and action['events'][0]['result'] == 'Success'
    assert world.call('GET', f'/v2.1/servers/{server_id}/os-instance-actions/{request}', version='2.20').status == 404
    assert [s['id'] for s in world.get('/servers?deleted=true', roles='admin')['servers']] == [server_id]


def test_metadata(world):
    server_id = world.boot()
    path = f'/v2.1/servers/{server_id}/metadata'
    assert world.call('POST', path, {'metadata': {'a': '1'}}).json == {'metadata': {'a': '1'}}
    assert world.call('PUT', f'{path}/b', {'meta': {'b': '2'}}).json == {'meta': {'b': '2'}}
    assert world.call('GET', path).json == {'metadata': {'a': '1', 'b': '2'}}
    assert world.call('DELETE', f'{path}/a').status == 204
    assert world.call('GET', f'{path}/a').status == 404
    assert world.call('PUT', path, {'metadata': {'c': '3'}}).json == {'metadata': {'c': '3'}}
    assert world.call('PUT', path, {'metadata': {'c': 3}}).status == 400
