"""Examples of servers that go from one host to another, and of what follows from that."""
from tests.operations.computesvc_examples import ComputeExample, example

MIB = 1024 ** 2


class MoveExample(ComputeExample):
    """Two hosts; a move that came to nothing is on record, and its reason is the server's fault."""

    HOSTS = ('host1', 'host2')

    def snapshot(self):
        found = super().snapshot()
        # Their numbers count on from one run to the next.
        found['migrations'] = [{**row, 'id': None} for row in found['migrations'] if row['status'] != 'error']
        for row in found['servers']:
            row.pop('fault')
        return found


def with_disks(world):
    """A server with a root disk from an image, swap and a volume, on the first of two hosts; its id."""
    world.flavor('small', ram=64, disk=1, swap=1)
    world.flavor('large', ram=128, disk=2, swap=2)
    server_id = world.post('/servers', {'server': {
        'name': 's1', 'flavorRef': 'small', 'networks': 'none', 'imageRef': world.images.add(b'x' * MIB),
        'host': 'host1'}}, roles='admin').json['server']['id']
    world.run()
    world.attach(server_id)
    return server_id


def resize(world, server_id, **kw):
    world.act(server_id, 'resize', {'flavorRef': 'large'}, **kw)


def resized(world):
    server_id = with_disks(world)
    resize(world, server_id)
    world.run()
    return server_id


def confirm(world, server_id):
    world.act(server_id, 'confirmResize', status=204)


def leave(world, server_id):
    confirm(world, server_id)
    world.run(world.conductor.worker)


def revert(world, server_id):
    world.act(server_id, 'revertResize')


EXAMPLES = {
    'resize-server': example(with_disks, resize, MoveExample),
    'confirm-resize': example(resized, confirm, MoveExample),
    'revert-resize': example(resized, revert, MoveExample),
    'leave-host': example(resized, leave, MoveExample),
}
