"""Images of servers whose root is a volume, and servers made from such images."""
import json

import pytest

from tests.api.computesvc.test_shelving import events, on_image


def imaged(world, **wish):
    """A server on a volume of 2 GiB with another of 3, the id of an image of it, and the answer."""
    server_id = world.boot(size=2)
    world.attach(server_id, world.volumes.add(3))
    answer = world.act(server_id, 'createImage', {'name': 'both', **wish})
    return server_id, answer.json['image_id']


def test_it_names_a_snapshot_of_each_volume(world):
    server_id, image_id = imaged(world, metadata={'purpose': 'backup'})
    image, data = world.images.images[image_id]
    assert (image['status'], image['size'], data, image['name'], image['purpose'], image['instance_uuid'],
            image['visibility'], image['bdm_v2']) == (
        'active', 0, b'', 'both', 'backup', server_id, 'private', 'True')
    root, other = json.loads(image['block_device_mapping'])
    assert {root['snapshot_id'], other['snapshot_id']} == set(world.volumes.snapshots)
    assert (root['boot_index'], root['device_name'], root['volume_size'], root['source_type']) == (
        0, '/dev/vda', 2, 'snapshot')
    assert (other['boot_index'], other['device_name'], other['volume_size']) == (None, '/dev/vdb', 3)
    assert {snapshot['name'] for snapshot in world.volumes.snapshots.values()} == {'snapshot for both'}
    assert {snapshot['project_id'] for snapshot in world.volumes.snapshots.values()} == {'p1'}
    assert events(world, server_id, 'createImage')['events'][0]['result'] == 'Success'


def test_a_server_made_from_it_has_new_volumes(world):
    _, image_id = imaged(world)
    before = set(world.volumes.volumes)
    made = world.post('/servers', {'server': {'name': 'again', 'flavorRef': '42', 'imageRef': image_id,
                                              'networks': 'none'}}).json['server']['id']
    world.run()
    server = world.server(made)
    assert (server['status'], server['image']) == ('ACTIVE', '')
    new = set(world.volumes.volumes) - before
    assert sorted(world.volumes.volumes[id]['size'] for id in new) == [2, 3]
    assert {disk['target'] for disk in world.hypervisor.disks(made).values()} == {'vda', 'vdb'}


def test_clients_name_the_image_as_a_local_root_too(world):
    _, image_id = imaged(world)
    disk = {'boot_index': 0, 'uuid': image_id, 'source_type': 'image', 'destination_type': 'local'}
    made = world.post('/servers', {'server': {'name': 'again', 'flavorRef': '42', 'imageRef': image_id,
                                              'networks': 'none', 'block_device_mapping_v2': [disk]}})
    world.run()
    assert world.server(made.json['server']['id'])['status'] == 'ACTIVE' and not list(world.folder.rglob('root.raw'))


@pytest.mark.parametrize('service, broken', [('volumes', 'POST snapshots'), ('images', 'POST images'),
                                             ('images', 'PUT file')])
def test_what_fails_leaves_nothing_behind(world, service, broken):
    server_id = world.boot()
    world.attach(server_id)
    peer = getattr(world, service)
    if service == 'volumes':        # the second of two is refused
        peer.before[broken] = lambda: peer.broken.setdefault(broken, 409)
    else:
        peer.broken[broken] = 409
    answer = world.act(server_id, 'createImage', {'name': 'i'}, 400)
    assert 'broken on purpose' in answer.message
    assert world.volumes.snapshots == {} and world.images.images == {}
    action = events(world, server_id, 'createImage')
    assert action['message'] == 'Error' and world.server(server_id)['OS-EXT-STS:task_state'] is None


@pytest.mark.parametrize('mapping', ['no json', '7', '{"a": 1}', '[7]', '[{"source_type": "snapshot"}]',
                                     '[{"source_type": "volume", "boot_index": 0, "uuid": []}]'])
def test_images_that_name_nonsense(world, mapping):
    """Their properties are whatever somebody wrote."""
    image_id = world.images.add(b'', bdm_v2='True', block_device_mapping=mapping, project_id='p1')
    answer = world.call('POST', '/v2.1/servers', {'server': {'name': 's', 'flavorRef': '42', 'imageRef': image_id,
                                                             'networks': 'none'}})
    assert answer.status in (202, 400)


def test_a_volume_that_is_attached_while_a_server_is_shelved(world):
    """It never takes the place of the root disk, which comes back."""
    server_id, _ = on_image(world)
    world.act(server_id, 'shelve')
    world.run()
    volume_id = world.attach(server_id)
    gone = world.attach(server_id)
    world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{gone}')
    world.run()
    world.act(server_id, 'unshelve')
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE'
    assert {id: disk['target'] for id, disk in world.hypervisor.disks(server_id).items()} == {
        server_id: 'vda', volume_id: 'vdb'}
    assert world.volumes.volumes[gone]['status'] == 'available'
