"""Examples of shelving, unshelving and making images, for the matrix."""
from computesvc.db.models import Server
from computesvc.operations import drop_image
from svckit.operations import queries
from tests.operations.computesvc_examples import ComputeExample, act, example


class ImageExample(ComputeExample):
    """The image service is part of what is visible."""

    def snapshot(self):
        found = super().snapshot()
        for row in found['servers']:
            row['shelved_at'] = row['shelved_at'] is not None
            row.pop('fault')            # of one that came to nothing it says why
        return found | {'images': self.world.images.state()}


def on_image(world, volumes=1):
    """A server with a local root disk and perhaps a volume."""
    world.post('/flavors', {'flavor': {'id': 'tiny', 'name': 'tiny', 'vcpus': 1, 'ram': 64, 'disk': 0}}, 200,
               roles='admin')
    image_id = world.images.add(b'x' * 1000, os_distro='tiny')
    answer = world.post('/servers', {'server': {'name': 's1', 'flavorRef': 'tiny', 'networks': 'none',
                                                'imageRef': image_id, 'block_device_mapping_v2': [
        {'uuid': world.volumes.add(1), 'source_type': 'volume', 'destination_type': 'volume'}] * volumes}},
        roles='admin,member')
    world.run()
    return answer.json['server']['id']


def alone(world):
    return on_image(world, 0)


def shelved(seconds, volumes=1):
    """Such a server, shelved, to be taken off its host after `seconds`."""
    def prepare(world):
        world.conf.set_override('shelved_offload_time', seconds)
        server_id = on_image(world, volumes)
        world.act(server_id, 'shelve')
        world.run()
        return server_id
    return prepare


def offload(world, server_id):
    world.act(server_id, 'shelveOffload', roles='admin')


def drop(world, server_id):
    """As the operation does that makes the image needless."""
    with world.service.db.transaction() as session:
        parent = queries.of_resource(session, f'server:{server_id}')[0]
        drop_image.begin(session, parent, session.get(Server, server_id).shelved_image_id)


EXAMPLES = {
    'shelve-server': example(on_image, act('shelve'), ImageExample),
    'offload-server': example(shelved(-1), offload, ImageExample),
    'start-shelved': example(shelved(-1, 0), act('unshelve'), ImageExample),
    'unshelve-server': example(shelved(0), act('unshelve'), ImageExample),
    'create-image': example(alone, act('createImage', {'name': 'i'}), ImageExample),
    'drop-image': example(shelved(-1, 0), drop, ImageExample),
}
