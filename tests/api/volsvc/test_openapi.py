"""/openapi.json is what volsvc does (see tests/api/exploring.py)."""
import itertools

import pytest

from tests.api.exploring import FEW, MEMBER, explore, nouns
from tests.api.volsvc.world import CONNECTOR
from volsvc.api.routes import ROUTES

_numbers = itertools.count()
LIMITS = {'volumes': -1, 'gigabytes': -1, 'snapshots': -1}


@pytest.mark.parametrize('noun', nouns(ROUTES))
@pytest.mark.parametrize('how', [
    {}, {'who': MEMBER, 'examples': FEW}, {'version': '3.0', 'examples': FEW}], ids=['newest', 'member', 'oldest'])
def test_a_noun(make_world, noun, how):
    """As an administrator at the newest version; a little as a member, and at the oldest one."""
    world = make_world(memory__capacity_gb=100000)

    def known():
        """A volume that nobody uses, with a snapshot; one that a server has; and what else there is."""
        world.put('/os-quota-sets/p1', {'quota_set': LIMITS}, roles='admin')
        world.put('/os-services/enable', {'host': world.worker.host, 'binary': 'cinder-volume'}, roles='admin')
        free, used = world.create(1), world.create(2)
        snapshot = world.post('/snapshots', {'snapshot': {'volume_id': free}})['snapshot']['id']
        volumes, kind = [free, used, world.create(1)], world.get('/types')['volume_types'][0]['id']
        operations = [each['id'] for each in world.get('/operations')['operations'][:3]]
        return {'project_id': ['p1'], 'volume_id': volumes, 'volume_uuid': volumes, 'source_volid': volumes,
                'snapshot_id': [snapshot], 'attachment_id': [world.attach(used)], 'instance_uuid': [world.nova.boot()],
                'type_id': [kind, make_type(world)], 'operation_id': operations, 'volume_type': [kind], 'key': ['k'],
                'host': [world.worker.host], 'binary': ['cinder-volume'], 'host_name': [CONNECTOR['host']],
                'target_id': ['p1'], 'message_id': [make_message(world)], 'size': ['1'], 'name': ['default', 'k']}
    with world.eager():
        explore(world, noun, known, **how)


def make_type(world):
    """A type that no volume has."""
    body = {'volume_type': {'name': f'type {next(_numbers)}'}}
    return world.post('/types', body, 200, roles='admin')['volume_type']['id']


def make_message(world):
    """What became of a volume that no backend has room for."""
    world.create(10 ** 6)
    return world.get('/messages')['messages'][0]['id']
