"""Shelving, taking off a host, unshelving, and images of servers."""
import pytest

from tests.api.computesvc.world import World

GIB = 1 << 30



@pytest.fixture
def two(tmp_path):
    """Two hosts."""
    made = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, hosts=('host1', 'host2'))
    yield made
    made.service.db.dispose()


def on_image(world, data=b'root disk', **values):
    """A server with a local root disk as large as its image, and the image's id."""
    world.post('/flavors', {'flavor': {'id': 'tiny', 'name': 'tiny', 'vcpus': 1, 'ram': 64, 'disk': 0}}, 200,
               roles='admin')
    image_id = world.images.add(data, os_distro='tiny', min_ram=32)
    return boot_from(world, image_id, **values), image_id


def boot_from(world, image_id, **values):
    """Only administrators may use a flavor whose disk is as large as the image."""
    answer = world.post('/servers', {'server': {'name': 'web', 'flavorRef': 'tiny', 'imageRef': image_id,
                                                'networks': 'none', **values}}, roles='admin,member')
    world.run()
    return answer.json['server']['id']


def written(world, server_id, data):
    """The guest writes to its root disk."""
    next(world.folder.rglob(f'{server_id}/root.raw')).write_bytes(data)


def shelved_image(world, image_id):
    """The one image that is not the first."""
    (image, data), = (found for id, found in world.images.images.items() if id != image_id)
    return image, data


def events(world, server_id, action):
    found = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions']
    request = next(a['request_id'] for a in found if a['action'] == action)
    return world.get(f'/servers/{server_id}/os-instance-actions/{request}')['instanceAction']


def claims(world):
    from computesvc.db.models import Claim, Hypervisor
    with world.service.db.reader() as session:
        return ({claim.key: claim.host for claim in session.query(Claim)},
                {row.host: row.vcpus_used for row in session.query(Hypervisor)})


def test_a_server_on_a_volume_needs_no_image(two):
    server_id = two.boot()
    data = two.attach(server_id)
    old = two.server(server_id, roles='admin')['OS-EXT-SRV-ATTR:host']
    attachments = set(two.volumes.attachments)
    two.act(server_id, 'shelve')
    assert two.server(server_id)['OS-EXT-STS:task_state'] == 'shelving'
    two.act(server_id, 'shelve', status=409)
    two.run()
    server = two.server(server_id, roles='admin')
    assert (server['status'], server['OS-EXT-STS:vm_state'], server['OS-EXT-STS:power_state']) == (
        'SHELVED_OFFLOADED', 'shelved_offloaded', 4)
    assert server['OS-EXT-SRV-ATTR:host'] is None and server['hostId'] == ''
    assert {a['id'] for a in server['os-extended-volumes:volumes_attached']} == set(two.volumes.volumes)
    assert {v['status'] for v in two.volumes.volumes.values()} == {'in-use'}
    assert not attachments & set(two.volumes.attachments) and len(two.volumes.attachments) == 2
    assert all(hypervisor.servers() == {} for hypervisor in two.hypervisors.values())
    assert claims(two) == ({}, {'host1': 0, 'host2': 0})
    shown = two.get(f'/servers/{server_id}/os-volume_attachments/{data}')['volumeAttachment']
    assert shown['attachment_id'] in two.volumes.attachments
    assert events(two, server_id, 'shelve')['events'][0]['result'] == 'Success'
    assert two.images.images == {}

    other = {'host1': 'host2', 'host2': 'host1'}[old]
    two.act(server_id, 'unshelve', {'host': other}, roles='admin')
    assert two.server(server_id)['OS-EXT-STS:task_state'] == 'unshelving'
    two.run()
    server = two.server(server_id, roles='admin')
    assert (server['status'], server['OS-EXT-SRV-ATTR:host']) == ('ACTIVE', other)
    assert {v['status'] for v in two.volumes.volumes.values()} == {'in-use'}
    assert {d['target'] for d in two.hypervisors[other].disks(server_id).values()} == {'vda', 'vdb'}
    assert two.hypervisors[other].power_state(server_id) == 'running'
    assert claims(two)[0] == {f'server:{server_id}': other}


def test_a_local_root_disk_is_an_image_meanwhile(two):
    server_id, image_id = on_image(two)
    written(two, server_id, b'what the guest wrote')
    two.act(server_id, 'shelve')
    two.run()
    assert two.server(server_id)['status'] == 'SHELVED_OFFLOADED'
    image, data = shelved_image(two, image_id)
    assert data == b'what the guest wrote'
    assert (image['name'], image['owner'], image['visibility'], image['image_type'], image['instance_uuid'],
            image['base_image_ref'], image['os_distro'], image['min_ram']) == (
        'web-shelved', 'p1', 'private', 'snapshot', server_id, image_id, 'tiny', 32)
    assert not list(two.folder.rglob('*.raw'))
    two.act(server_id, 'unshelve')
    two.run()
    server = two.server(server_id)
    assert server['status'] == 'ACTIVE' and server['image']['id'] == image_id
    assert next(two.folder.rglob('root.raw')).read_bytes() == b'what the guest wrote'
    assert list(two.images.images) == [image_id], 'the image is needless'


def test_of_a_large_disk_only_what_was_written_is_sent(world):
    image_id = world.images.add(b'boot me')
    server_id = world.post('/servers', {'server': {'name': 'web', 'flavorRef': '42', 'imageRef': image_id,
                                                   'networks': 'none'}}).json['server']['id']
    world.run()
    disk = next(world.folder.rglob('root.raw'))
    with open(disk, 'r+b') as file:
        file.seek(5 << 20)
        file.write(b'written late')
    world.act(server_id, 'shelve')
    world.run()
    image, data = shelved_image(world, image_id)
    assert (image['min_disk'], len(data), data[:7], data[5 << 20:][:12]) == (1, 6 << 20, b'boot me', b'written late')
    world.act(server_id, 'unshelve')
    world.run()
    assert disk.stat().st_size == GIB and disk.stat().st_blocks < 8192
    with open(disk, 'rb') as file:
        assert file.read(6 << 20) == data


def test_it_can_stay_on_its_host_for_a_time(tmp_path):
    world = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, shelved_offload_time=100)
    server_id, image_id = on_image(world)
    world.act(server_id, 'shelve')
    world.run()
    server = world.server(server_id, roles='admin')
    assert (server['status'], server['OS-EXT-SRV-ATTR:host']) == ('SHELVED', 'host1')
    assert world.hypervisor.power_state(server_id) == 'shutdown' and claims(world)[1] == {'host1': 1}
    for action in ('os-start', 'os-stop', 'pause', 'unpause', 'createImage'):
        world.act(server_id, action, {'name': 'i'} if action == 'createImage' else None, 409)
    world.act(server_id, 'reboot', {'type': 'HARD'}, 409)
    world.act(server_id, 'unshelve', {'availability_zone': 'nova'}, 409)
    world.act(server_id, 'unshelve')
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE' and list(world.images.images) == [image_id]
    assert world.hypervisor.power_state(server_id) == 'running'

    world.act(server_id, 'shelve')
    world.run()
    world.conductor.sweep()
    world.run()
    assert world.server(server_id)['status'] == 'SHELVED', 'it is not yet time'
    age(world, server_id, 101)
    world.conductor.sweep()
    world.run()
    assert world.server(server_id)['status'] == 'SHELVED_OFFLOADED'
    assert events(world, server_id, 'shelveOffload')['events'][0]['result'] == 'Success'


def age(world, server_id, seconds):
    import datetime

    from computesvc.db.models import Server
    with world.service.db.transaction() as session:
        server = session.get(Server, server_id)
        server.shelved_at -= datetime.timedelta(seconds=seconds)


def test_an_administrator_takes_it_off(tmp_path):
    world = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, shelved_offload_time=-1)
    server_id, _ = on_image(world)
    world.act(server_id, 'shelveOffload', status=403)
    world.act(server_id, 'shelveOffload', status=409, roles='admin')
    world.act(server_id, 'shelve')
    world.run()
    world.conductor.sweep()
    world.run()
    assert world.server(server_id)['status'] == 'SHELVED'
    world.act(server_id, 'shelveOffload', roles='admin')
    assert world.server(server_id)['OS-EXT-STS:task_state'] == 'shelving_offloading'
    world.run()
    assert world.server(server_id)['status'] == 'SHELVED_OFFLOADED'


@pytest.mark.parametrize('before, power', [('os-stop', 'shutdown'), ('pause', 'paused'), (None, 'running')])
def test_an_image_service_that_refuses_leaves_it_as_it_was(world, before, power):
    server_id, image_id = on_image(world)
    if before:
        world.act(server_id, before)
        world.run()
    status = world.server(server_id)['status']
    world.images.broken['PUT .*'] = 403
    world.act(server_id, 'shelve')
    world.run()
    server = world.server(server_id)
    assert (server['status'], server['OS-EXT-STS:task_state']) == (status, None)
    assert world.hypervisor.power_state(server_id) == power and list(world.images.images) == [image_id]
    action = events(world, server_id, 'shelve')
    assert action['message'] == 'Error' and 'broken on purpose' in action['events'][0]['details']


def test_no_host_leaves_it_shelved(two):
    server_id = two.boot()
    two.act(server_id, 'shelve')
    two.run()
    services = two.get('/os-services?binary=nova-compute', roles='admin')['services']
    for service in services:
        two.call('PUT', f"/v2.1/os-services/{service['id']}", {'status': 'disabled'}, roles='admin')
    two.act(server_id, 'unshelve')
    two.run()
    server = two.server(server_id, roles='admin')
    assert (server['status'], server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']) == (
        'SHELVED_OFFLOADED', None, None)
    assert 'No valid host' in events(two, server_id, 'unshelve')['events'][0]['details']
    assert 'No valid host' in server['fault']['message']
    assert claims(two)[0] == {} and {v['status'] for v in two.volumes.volumes.values()} == {'in-use'}


def test_the_next_host_if_the_first_refuses(two):
    server_id = two.boot()
    two.act(server_id, 'shelve')
    two.run()
    for hypervisor in two.hypervisors.values():
        hypervisor.faults.fail('capabilities', times=4)
    two.act(server_id, 'unshelve')
    two.run()
    two.hurry()
    two.run()
    assert two.server(server_id)['status'] in ('ACTIVE', 'SHELVED_OFFLOADED')


@pytest.mark.parametrize('wish, version, roles, status', [
    (None, '2.96', 'member', 202), ({'anything': 1}, '2.76', 'member', 202), ({}, '2.90', 'member', 400),
    ({'availability_zone': 'nova'}, '2.77', 'member', 202), ({'availability_zone': None}, '2.90', 'member', 400),
    ({'availability_zone': None}, '2.91', 'member', 202), ({'availability_zone': 'mars'}, '2.91', 'member', 400),
    ({'host': 'host2'}, '2.91', 'member', 403), ({'host': 'host2'}, '2.91', 'admin', 202),
    ({'host': 'host9'}, '2.91', 'admin', 400), ({'host': 'host2', 'x': 1}, '2.91', 'admin', 400),
    ({'host': 'host2', 'availability_zone': 'nova'}, '2.91', 'admin', 202)])
def test_where_to_unshelve(two, wish, version, roles, status):
    server_id = two.boot()
    two.act(server_id, 'shelve')
    two.run()
    two.act(server_id, 'unshelve', wish, status, version=version, roles=roles)
    two.run()
    server = two.server(server_id, roles='admin')
    assert server['status'] == ('ACTIVE' if status == 202 else 'SHELVED_OFFLOADED')
    if status == 202 and isinstance(wish, dict) and 'host' in wish:
        assert server['OS-EXT-SRV-ATTR:host'] == 'host2'
    if status == 202 and isinstance(wish, dict) and wish.get('availability_zone'):
        assert server['pinned_availability_zone'] == 'nova'


def test_a_grown_volume_is_seen_where_it_starts(two):
    server_id = two.boot()
    volume_id = two.attach(server_id)
    two.act(server_id, 'shelve')
    two.run()
    answer = two.post('/os-server-external-events', {'events': [
        {'name': 'volume-extended', 'server_uuid': server_id, 'tag': volume_id}]}, None or 207, roles='service')
    assert answer.json['events'][0]['code'] == 422, 'it is on no host: its volume service need not wait for it'
    two.volumes.volumes[volume_id]['size'] = 5
    two.act(server_id, 'unshelve')
    two.run()
    host = two.server(server_id, roles='admin')['OS-EXT-SRV-ATTR:host']
    assert two.hypervisors[host].disks(server_id)[volume_id]['size'] == 5 * GIB


@pytest.mark.parametrize('offload', [0, -1])
def test_deleting_a_shelved_server_takes_all_of_it(tmp_path, offload):
    world = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path, shelved_offload_time=offload)
    server_id, image_id = on_image(world)
    volume_id = world.attach(server_id)
    world.act(server_id, 'shelve')
    world.run()
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert list(world.images.images) == [image_id] and world.volumes.attachments == {}
    assert world.volumes.volumes[volume_id]['status'] == 'available' and world.hypervisor.servers() == {}
    assert not list(world.folder.rglob('*.raw')) and claims(world) == ({}, {'host1': 0})
    assert world.get('/limits')['limits']['absolute']['totalInstancesUsed'] == 0


def test_one_that_is_being_unshelved_can_be_deleted(world):
    server_id, image_id = on_image(world)
    world.attach(server_id)
    world.act(server_id, 'shelve')
    world.run()
    world.act(server_id, 'unshelve')
    world.run(world.conductor.worker)
    world.agent.worker.run_due()
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.hurry()
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert list(world.images.images) == [image_id] and world.volumes.attachments == {}
    assert world.hypervisor.servers() == {} and claims(world)[0] == {}


@pytest.mark.parametrize('action, value', [('createImage', {'name': 'i'}), ('shelve', None)])
@pytest.mark.parametrize('turns', range(5))
def test_one_whose_image_is_being_made_can_be_deleted(world, action, value, turns):
    """An image that is not yet whole goes with the server."""
    server_id, image_id = on_image(world)
    world.act(server_id, action, value)
    for turn in range(turns):
        world.workers[turn % 2].run_due()
    half = [id for id, (image, _) in world.images.images.items() if image['status'] != 'active']
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert not set(half) & set(world.images.images) and not list(world.folder.rglob('*.raw*'))
    assert action == 'createImage' or list(world.images.images) == [image_id]


def test_locked_servers_are_let_alone_but_can_be_imaged(world):
    server_id, image_id = on_image(world)
    world.act(server_id, 'lock')
    world.act(server_id, 'shelve', status=409)
    world.act(server_id, 'createImage', {'name': 'i'})


def test_an_image_of_a_running_server(world):
    server_id, image_id = on_image(world)
    written(world, server_id, b'as it is now')
    answer = world.act(server_id, 'createImage', {'name': ' nightly ', 'metadata': {'purpose': 'backup'}})
    made = answer.json['image_id']
    assert world.server(server_id)['OS-EXT-STS:task_state'] == 'image_snapshot_pending'
    world.run(world.conductor.worker)
    assert world.images.images[made][0]['status'] == 'queued'
    assert world.server(server_id)['OS-EXT-STS:task_state'] == 'image_uploading'
    world.run()
    image, data = world.images.images[made]
    assert data == b'as it is now' and (image['status'], image['name'], image['purpose'], image['owner']) == (
        'active', 'nightly', 'backup', 'p1')
    server = world.server(server_id)
    assert (server['status'], server['OS-EXT-STS:task_state']) == ('ACTIVE', None)
    assert world.hypervisor.power_state(server_id) == 'running'
    assert [path.name for path in world.folder.rglob('*.raw*')] == ['root.raw'], 'no copy stays'
    again = boot_from(world, made)
    assert next(world.folder.rglob(f'{again}/root.raw')).read_bytes() == b'as it is now'


@pytest.mark.parametrize('before, power', [('os-stop', 'shutdown'), ('pause', 'paused')])
def test_an_image_of_one_that_does_not_run(world, before, power):
    server_id, _ = on_image(world)
    world.act(server_id, before)
    world.run()
    made = world.act(server_id, 'createImage', {'name': 'i'}).json['image_id']
    world.run()
    assert world.images.images[made][1] == b'root disk' and world.hypervisor.power_state(server_id) == power


def test_where_the_image_is_was_told_by_a_header(world):
    server_id, _ = on_image(world)
    answer = world.act(server_id, 'createImage', {'name': 'i'}, version='2.44')
    image_id = answer.headers['Location'].rsplit('/', 1)[-1]
    assert answer.raw == b'' and answer.headers['Location'] == f'http://images/v2/images/{image_id}'
    world.run()
    assert world.images.images[image_id][0]['status'] == 'active'


def test_a_refused_image_is_said_at_once(world):
    server_id, image_id = on_image(world)
    world.images.broken['POST .*'] = 403
    with world.running(reserve_wait=10.0):
        answer = world.act(server_id, 'createImage', {'name': 'i'}, 400)
    assert 'broken on purpose' in answer.message
    assert world.server(server_id)['OS-EXT-STS:task_state'] is None and list(world.images.images) == [image_id]


@pytest.mark.parametrize('body', [None, {}, {'name': ''}, {'name': ' '}, {'name': 'n' * 256}, {'name': 'i', 'size': 1},
                                  {'name': 'i', 'metadata': {'k': 1}}, {'name': 'i', 'metadata': {'k': 'v' * 256}}])
def test_bad_images_are_refused(world, body):
    world.act(on_image(world)[0], 'createImage', body, 400)


def test_a_failed_image_lets_the_guest_run_on(world):
    server_id, image_id = on_image(world)
    world.images.broken['PUT .*'] = 413
    world.act(server_id, 'createImage', {'name': 'i'})
    world.run()
    assert list(world.images.images) == [image_id] and world.hypervisor.power_state(server_id) == 'running'
    assert [path.name for path in world.folder.rglob('*.raw*')] == ['root.raw']
    assert world.server(server_id)['OS-EXT-STS:task_state'] is None
    assert events(world, server_id, 'createImage')['message'] == 'Error'


def test_other_projects_servers_are_not_there(world):
    server_id, _ = on_image(world)
    for action in ('shelve', 'unshelve', 'createImage'):
        world.act(server_id, action, {'name': 'i'} if action == 'createImage' else None, 404, project='p2')
    for action in ('shelve', 'unshelve', 'createImage'):
        world.act(server_id, action, {'name': 'i'} if action == 'createImage' else None, 403, roles='reader')
