"""Whatever is wrong with a request is said in a sentence, and nothing changes."""
import pytest
import sqlalchemy as sa

from computesvc.db import models

ROOT = {'boot_index': 0, 'source_type': 'volume', 'destination_type': 'volume'}


def rows(world):
    """Everything in the database, but for the reports of services."""
    with world.service.db.reader() as session:
        return {table.name: sorted(map(str, session.execute(sa.select(table)).all()))
                for table in models.Base.metadata.sorted_tables if table.name not in ('services', 'hypervisors')}


def check(world, answer, low=400, high=499):
    assert low <= answer.status <= high, (answer.status, answer.raw)
    fault, = answer.json.values()
    assert fault['code'] == answer.status and len(fault['message']) > 8


@pytest.mark.parametrize('raw', [b'', b'{', b'[]', b'"x"', b'null', b'\xff\xfe', b'{"server": NaN}', b'{"a":' * 3000,
                                 b'{"server": {"name": "\\u0000"}}', b'{"server": {"name": "\\ud800"}}'])
def test_no_json(world, raw):
    before = rows(world)
    for path in ('/servers', '/os-server-external-events', '/flavors'):
        check(world, world.call('POST', f'/v2.1{path}', raw=raw, roles='admin'))
    assert rows(world) == before


def test_too_large(world):
    answer = world.call('POST', '/v2.1/servers', raw=b'{"server": "' + b'x' * 65536 + b'"}')
    check(world, answer)


@pytest.mark.parametrize('wrong', [
    {'name': ''}, {'name': None}, {'name': 3}, {'name': 'x' * 256}, {'name': ['x']},
    {'flavorRef': None}, {'flavorRef': {}}, {'flavorRef': 'none-such'}, {'flavorRef': True}, {'flavorRef': 1.5},
    {'imageRef': 3}, {'imageRef': 'not-an-id'}, {'imageRef': '11111111-1111-1111-1111-111111111111'},
    {'networks': 'some'}, {'networks': None}, {'networks': [{'uuid': '11111111-1111-1111-1111-111111111111'}]},
    {'networks': [{'nonsense': 1}]}, {'metadata': {'a': 1}}, {'metadata': []}, {'metadata': {'x' * 256: 'y'}},
    {'min_count': 0}, {'min_count': -1}, {'min_count': 1.5}, {'min_count': True}, {'min_count': 'two'},
    {'min_count': 10 ** 30}, {'min_count': 2, 'max_count': 1}, {'max_count': 1000}, {'nonsense': 1},
    {'config_drive': 'perhaps'}, {'tags': 'x'}, {'tags': ['a,b']}, {'key_name': 'none-such'}, {'user_data': 7},
    {'security_groups': [{}]}, {'personality': []}, {'hostname': 'a b'}, {'availability_zone': 3},
    {'block_device_mapping_v2': {}}, {'block_device_mapping_v2': [{}]},
    {'block_device_mapping_v2': [{**ROOT}]}, {'block_device_mapping_v2': [{**ROOT, 'uuid': 'nonsense'}]},
    {'block_device_mapping_v2': [{**ROOT, 'uuid': '11111111-1111-1111-1111-111111111111'}]},
    {'block_device_mapping_v2': [{'boot_index': 0, 'source_type': 'image', 'destination_type': 'volume', 'uuid': 'x'}]},
    {'block_device_mapping_v2': [{'boot_index': 0, 'source_type': 'blank', 'destination_type': 'local'}]},
    {'block_device_mapping_v2': [{**ROOT, 'uuid': 'x', 'volume_size': -1}]},
    {'block_device_mapping_v2': [{**ROOT, 'uuid': 'x', 'volume_size': 10 ** 30}]},
    {'block_device_mapping_v2': [{**ROOT, 'uuid': 'x', 'boot_index': 1.5}]}, {'imageRef': ''},
])
def test_wrong_servers(world, wrong):
    image_id = world.images.add()
    before = rows(world)
    body = {'server': {'name': 's', 'flavorRef': '42', 'imageRef': image_id, 'networks': 'none', **wrong}}
    if 'block_device_mapping_v2' in wrong:
        del body['server']['imageRef']
    check(world, world.call('POST', '/v2.1/servers', body))
    assert rows(world) == before


def test_promises_that_nobody_keeps(world):
    body = {'server': {'name': 's', 'flavorRef': '42', 'imageRef': world.images.add(), 'networks': 'none'}}
    before = rows(world)
    for more in ({'availability_zone': 'none-such'}, {'trusted_image_certificates': ['x']}, {'user_data': '%'}):
        check(world, world.call('POST', '/v2.1/servers', {'server': body['server'] | more}))
    for host in ({'host': 'none-such'}, {'hypervisor_hostname': 'none-such'}, {'availability_zone': 'nova:none-such'},
                 {'availability_zone': 'nova:host1', 'host': 'host1'}, {'availability_zone': 'a:b:c:d'}):
        check(world, world.call('POST', '/v2.1/servers', {'server': body['server'] | host}, roles='admin'), 400, 400)
    hints = {'os:scheduler_hints': {'group': '11111111-1111-1111-1111-111111111111'}}
    check(world, world.call('POST', '/v2.1/servers', body | hints))
    assert rows(world) == before


def test_on_a_named_host(world):
    """The zone is then the host's own."""
    for place in ({'availability_zone': 'elsewhere:host1'}, {'availability_zone': 'nova:host1:host1'},
                  {'host': 'host1'}, {'hypervisor_hostname': 'host1'}):
        body = {'server': {'name': 's', 'flavorRef': '42', 'imageRef': world.images.add(), 'networks': 'none', **place}}
        server_id = world.call('POST', '/v2.1/servers', body, roles='admin').json['server']['id']
        world.run()
        server = world.server(server_id, roles='admin')
        assert (server['status'], server['OS-EXT-SRV-ATTR:host']) == ('ACTIVE', 'host1')
        assert server['OS-EXT-AZ:availability_zone'] == 'nova' and server['pinned_availability_zone'] is None


def test_wrong_disks(world):
    """Volumes that cannot be booted from, or not by this project."""
    before = rows(world)
    for volume_id in (world.volumes.add(status='in-use'), world.volumes.add(bootable='false'),
                      world.volumes.add(project_id='p2'), world.volumes.add(status='error')):
        body = {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none',
                           'block_device_mapping_v2': [{**ROOT, 'uuid': volume_id}]}}
        check(world, world.call('POST', '/v2.1/servers', body))
    volume_id = world.volumes.add()
    twice = [{**ROOT, 'uuid': volume_id}, {**ROOT, 'uuid': volume_id, 'boot_index': 1}]
    check(world, world.call('POST', '/v2.1/servers', {'server': {
        'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': twice}}))
    for values in ({'disk_format': 'qcow2'}, {'status': 'queued'}, {'min_disk': 2}, {'min_ram': 4096},
                   {'size': 2 * 1024 ** 3}):
        check(world, world.call('POST', '/v2.1/servers', {'server': {
            'name': 's', 'flavorRef': '42', 'networks': 'none', 'imageRef': world.images.add(**values)}}))
    assert rows(world) == before


def test_over_quota_leaves_no_volume(world):
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': {'instances': 0}}, roles='admin')
    before = rows(world)
    body = {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none', 'block_device_mapping_v2': [
        {'boot_index': 0, 'uuid': world.images.add(), 'source_type': 'image', 'destination_type': 'volume',
         'volume_size': 1, 'delete_on_termination': True}]}}
    check(world, world.call('POST', '/v2.1/servers', body))
    assert rows(world) == before and world.volumes.volumes == {}


@pytest.mark.parametrize('body', [
    {}, {'os-stop': None, 'os-start': None}, {'nonsense': None}, {'reboot': None}, {'reboot': {}},
    {'reboot': {'type': 'odd'}}, {'reboot': {'type': 3}}, {'reboot': {'type': 'SOFT', 'more': 1}},
    {'os-getConsoleOutput': None}, {'os-getConsoleOutput': {'length': 1.5}}, {'os-getConsoleOutput': {'length': True}},
    {'os-getConsoleOutput': {'length': 10 ** 30}}, {'lock': {'locked_reason': 3}}, {'lock': {'locked_reason': ''}},
])
def test_wrong_actions(world, body):
    server_id = world.boot()
    before = rows(world)
    check(world, world.call('POST', f'/v2.1/servers/{server_id}/action', body), 400, 400)
    assert rows(world) == before


def test_unknown_ids(world):
    for method, path, body in [
            ('GET', '/servers/x', None), ('DELETE', '/servers/x', None), ('GET', f"/servers/{'x' * 5000}", None),
            ('POST', '/servers/x/action', {'os-stop': None}), ('GET', '/servers/x/os-volume_attachments/y', None),
            ('GET', '/servers/x/os-instance-actions/y', None), ('GET', '/nonsense', None),
            ('GET', '/flavors/x/y', None), ('GET', '/servers/%C3%A4', None)]:
        check(world, world.call(method, f'/v2.1{path}', body), 404, 404)
    answer = world.call('PATCH', '/v2.1/servers')
    check(world, answer, 405, 405)
    assert answer.headers['Allow'] == 'GET, POST'


def test_policy_file_is_live(tmp_path):
    """An edit counts within a second; taken back, the default counts again."""
    import time

    from tests.api.computesvc.world import World
    file = tmp_path / 'policy.yaml'
    file.write_text('{}')
    world = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, oslo_policy__policy_file=str(file))
    server_id = world.boot()
    event = {'events': [{'name': 'network-changed', 'server_uuid': server_id}]}

    def statuses():
        return (world.call('POST', f'/v2.1/servers/{server_id}/action', {'os-getConsoleOutput': {}}).status,
                world.call('POST', '/v2.1/os-server-external-events', event, roles='service').status)
    assert statuses() == (200, 200)
    file.write_text('"os_compute_api:os-console-output": "rule:admin_api"\n'
                    '"os_compute_api:os-server-external-events:create": "!"\n')
    time.sleep(0.6)
    assert statuses() == (403, 403)
    file.write_text('{}')
    time.sleep(0.6)
    assert statuses() == (200, 200)
    world.service.db.dispose()
