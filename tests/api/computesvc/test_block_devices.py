"""The disks of a new server: every form of block device mapping."""
import pytest

GIB, MIB = 1024 ** 3, 1024 ** 2
FLAVOR = {'name': 'disks', 'id': 'disks', 'ram': 64, 'vcpus': 1, 'disk': 1, 'OS-FLV-EXT-DATA:ephemeral': 2, 'swap': 64}


@pytest.fixture
def flavor(world):
    assert world.call('POST', '/v2.1/flavors', {'flavor': FLAVOR}, roles='admin').status == 200
    return 'disks'


def create(world, disks, status=202, version='2.96', **values):
    return world.post('/servers', {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none',
                                              'block_device_mapping_v2': disks, **values}}, status, version=version)


def booted(world, disks, **values):
    """The server's id, and what its guest has: {target: volume id or name}."""
    server_id = create(world, disks, **values).json['server']['id']
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE', world.server(server_id)
    return server_id


def row(world, server_id):
    from computesvc.db.models import Server
    with world.service.db.reader() as session:
        return session.get(Server, server_id)


def targets(world, server_id):
    return {disk['target']: volume_id for volume_id, disk in world.hypervisor.disks(server_id).items()}


def root_of(id, **more):
    return {'boot_index': 0, 'uuid': id, 'source_type': 'volume', 'destination_type': 'volume', **more}


def image_root(id):
    """As clients send it beside imageRef."""
    return {'boot_index': 0, 'uuid': id, 'source_type': 'image', 'destination_type': 'local',
            'delete_on_termination': True}


def test_root_from_each_source(world):
    image_id, volume_id = world.images.add(), world.volumes.add(4)
    made = {'image': {'uuid': image_id, 'volume_size': 2}, 'snapshot': {'uuid': volume_id}, 'volume': {
        'uuid': volume_id}}
    for kind, entry in made.items():
        server_id = booted(world, [{'boot_index': 0, 'source_type': kind, 'destination_type': 'volume',
                                    'delete_on_termination': True, **entry}])
        assert list(targets(world, server_id)) == ['vda'] and row(world, server_id).root_gb == 0
        assert world.server(server_id)['image'] == ''
        world.call('DELETE', f'/v2.1/servers/{server_id}')
        world.run()
    assert world.volumes.volumes == {}


def test_more_disks_than_one(world):
    """Boot order is the guest's order; a device name is a wish."""
    image_id, data = world.images.add(), world.volumes.add(3)
    server_id = booted(world, [
        {'uuid': data, 'source_type': 'volume', 'destination_type': 'volume', 'boot_index': None,
         'device_name': '/dev/vdx', 'tag': 'data'},
        {'source_type': 'blank', 'destination_type': 'volume', 'volume_size': '2', 'boot_index': '-1'},
        {'uuid': image_id, 'source_type': 'image', 'destination_type': 'volume', 'volume_size': 5, 'boot_index': 1},
        image_root(image_id)], imageRef=image_id)
    found = targets(world, server_id)
    assert found['vdx'] == data and len(set(found) & {'vdb', 'vdc'}) == 2
    sizes = {target: world.volumes.volumes[id]['size'] for target, id in found.items() if id in world.volumes.volumes}
    assert sizes == {'vdb': 5, 'vdc': 2, 'vdx': 3}
    attachment = world.get(f'/servers/{server_id}/os-volume_attachments/{data}')['volumeAttachment']
    assert attachment['tag'] == 'data' and not attachment['delete_on_termination']


def test_the_flavors_local_disks(world, flavor):
    image_id = world.images.add()
    for disks in ([image_root(image_id)], []):
        server_id = create(world, disks, imageRef=image_id, flavorRef=flavor).json['server']['id']
        server = row(world, server_id)
        assert [(d['name'], d['device'], d['size'], d['format']) for d in server.local_disks] == [
            ('ephemeral0', '/dev/vdb', 2 * GIB, 'ext4'), ('swap', '/dev/vdc', 64 * MIB, 'swap')]
        assert (server.root_gb, server.ephemeral_gb, server.swap_mb) == (1, 2, 64)


def test_local_disks_as_asked(world, flavor):
    volume_id = world.volumes.add()
    blank = {'source_type': 'blank', 'destination_type': 'local', 'boot_index': -1, 'delete_on_termination': True}
    disks = [root_of(volume_id), {**blank, 'volume_size': 1}, {**blank, 'volume_size': 1, 'guest_format': 'ext4'},
             {**blank, 'guest_format': 'swap', 'volume_size': 32}]
    server_id = create(world, disks, flavorRef=flavor).json['server']['id']
    assert [(d['name'], d['device'], d['size']) for d in row(world, server_id).local_disks] == [
        ('ephemeral0', '/dev/vdb', GIB), ('ephemeral1', '/dev/vdc', GIB), ('swap', '/dev/vdd', 32 * MIB)]


def test_the_older_form(world, flavor):
    volume_id, data = world.volumes.add(), world.volumes.add()
    body = {'server': {'name': 's', 'flavorRef': flavor, 'block_device_mapping': [
        {'device_name': 'vda', 'volume_id': volume_id, 'delete_on_termination': '1'},
        {'device_name': '/dev/vdh', 'volume_id': data}, {'device_name': '/dev/vdz', 'no_device': True},
        {'device_name': 'vdc', 'virtual_name': 'swap', 'volume_size': 16}]}}
    server_id = world.post('/servers', body, version='2.1').json['server']['id']
    world.run()
    found = targets(world, server_id)
    assert found['vda'] == volume_id and found['vdh'] == data
    assert [d['size'] for d in row(world, server_id).local_disks if d['name'] == 'swap'] == [16 * MIB]
    both = {**body['server'], 'block_device_mapping_v2': [root_of(volume_id)]}
    assert world.call('POST', '/v2.1/servers', {'server': both}, version='2.1').status == 400


@pytest.mark.parametrize('why, disks', [
    ('boot sequence', [{'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1, 'boot_index': 2},
                       {'source_type': 'volume', 'destination_type': 'volume', 'uuid': 'V', 'boot_index': 0}]),
    ('boot sequence', [{'source_type': 'volume', 'destination_type': 'volume', 'uuid': 'V', 'boot_index': 0},
                       {'source_type': 'image', 'destination_type': 'volume', 'uuid': 'I', 'volume_size': 1,
                        'boot_index': 0}]),
    ('needs an image', [{'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1}]),
    ('missing device', [{'source_type': 'volume', 'destination_type': 'volume', 'boot_index': 0}]),
    ('invalid device uuid', [{'source_type': 'blank', 'destination_type': 'volume', 'uuid': 'V', 'volume_size': 1}]),
    ('volume_size', [{'source_type': 'image', 'destination_type': 'volume', 'uuid': 'I', 'boot_index': 0}]),
    ('existing volume', [{'source_type': 'volume', 'destination_type': 'volume', 'uuid': 'V', 'boot_index': 0,
                          'volume_type': 'fast'}]),
    ('destination_type', [{'source_type': 'snapshot', 'destination_type': 'local', 'uuid': 'V'}]),
    ('image to local', [{'source_type': 'image', 'destination_type': 'local', 'uuid': 'I', 'boot_index': 1}]),
    ('larger than the', [{'source_type': 'blank', 'destination_type': 'local', 'volume_size': 3}]),
    ('swap drive', [{'source_type': 'blank', 'destination_type': 'local', 'guest_format': 'swap', 'volume_size': 65}]),
    ('more than one swap', [{'source_type': 'blank', 'destination_type': 'local', 'guest_format': 'swap'}] * 2),
    ('guest_format', [{'source_type': 'blank', 'destination_type': 'local', 'guest_format': 'ntfs'}]),
    ('same device name', [{'source_type': 'volume', 'destination_type': 'volume', 'uuid': 'V',
                           'device_name': 'vda'}]),
])
def test_what_makes_no_sense(world, flavor, why, disks):
    ids = {'V': world.volumes.add(), 'I': world.images.add()}
    disks = [{**disk, 'uuid': ids[disk['uuid']]} if 'uuid' in disk else disk for disk in disks]
    with_image = why not in ('needs an image', 'boot sequence')
    root = [] if any(disk.get('boot_index') == 0 for disk in disks) or not with_image else [image_root(ids['I'])]
    image = {'imageRef': ids['I']} if root else {}
    assert why in create(world, root + disks, 400, flavorRef=flavor, **image).message.lower()
    assert len(world.volumes.volumes) == 1 and world.get('/servers')['servers'] == []


def test_by_version(world):
    volume_id = world.volumes.add()
    tagged = [root_of(volume_id, tag='a')]
    for version in ('2.31', '2.33', '2.41'):
        create(world, tagged, 400, version=version, networks='none' if version == '2.41' else [])
    typed = [{'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1, 'volume_type': 'x'}]
    create(world, [root_of(volume_id), *typed], 400, version='2.66')
    shared = world.volumes.add(multiattach=True)
    create(world, [root_of(shared)], 400, version='2.59')
    create(world, [root_of(shared), *typed], version='2.67')
    create(world, tagged, version='2.32', networks=[])


def test_a_flavor_without_a_disk(world):
    """From an image only administrators may: the root is then as large as the image."""
    world.call('POST', '/v2.1/flavors', {'flavor': {**FLAVOR, 'id': 'none', 'name': 'none', 'disk': 0}}, roles='admin')
    image_id, volume_id = world.images.add(), world.volumes.add()
    create(world, [], 403, imageRef=image_id, flavorRef='none')
    create(world, [root_of(volume_id)], flavorRef='none')
