"""/openapi.json is what computesvc does (see tests/api/exploring.py)."""
import itertools

import pytest

from computesvc.api.routes import ROUTES
from tests.api.computesvc.test_keypairs import KEY
from tests.api.exploring import FEW, MEMBER, explore, nouns

LIMITS = {'instances': -1, 'cores': -1, 'ram': -1, 'key_pairs': -1}
_numbers = itertools.count()


@pytest.mark.parametrize('noun', nouns(ROUTES))
@pytest.mark.parametrize('how', [
    {}, {'who': MEMBER, 'examples': FEW}, {'version': '2.1', 'examples': FEW}], ids=['newest', 'member', 'oldest'])
def test_a_noun(world, noun, how):
    """As an administrator at the newest version; a little as a member, and at the oldest one."""
    def known():
        """A server with a second volume, one that is off, and what else there is."""
        world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': LIMITS}, roles='admin')
        service = enabled(world)
        running, off, flavor, key = world.boot(), world.boot(), f'f{next(_numbers)}', f'k{next(_numbers)}'
        world.act(off, 'os-stop')
        world.flavor(flavor)
        world.post('/os-keypairs', {'keypair': {'name': key, 'type': 'ssh', 'public_key': KEY}}, 201)
        used, free = world.attach(running), world.volumes.add(1)
        world.run()
        action = world.get(f'/servers/{running}/os-instance-actions')['instanceActions'][0]['request_id']
        operation = world.get(f'/servers/{running}/operations')['operations'][0]['id']
        host = world.get('/os-hypervisors', roles='admin')['hypervisors'][0]['id']
        image, servers, volumes = world.images.add(), [running, off], [free, used]
        return {'project_id': ['p1'], 'id': ['p1'], 'name': ['default', key], 'key': ['k'], 'server_id': servers,
                'server_uuid': servers, 'volume_id': volumes, 'volumeId': volumes, 'attachment_id': [used],
                'flavor_id': [flavor], 'flavorRef': ['42', flavor], 'imageRef': [image], 'key_name': [key],
                'request_id': [action], 'operation_id': [operation], 'service_id': [service], 'hypervisor_id': [host],
                'host': ['host1'], 'tag': [used], 'tenant': ['p1']}
    explore(world, noun, known, world.run, **how)


def enabled(world):
    """The host's service, whatever requests have made of it."""
    world.agent.heartbeat()
    id, = (each['id'] for each in world.get('/os-services?binary=nova-compute', roles='admin')['services'])
    world.call('PUT', f'/v2.1/os-services/{id}', {'status': 'enabled', 'forced_down': False}, roles='admin')
    return id
