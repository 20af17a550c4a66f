"""Quotas and limits."""
import pytest

from tests.api.volsvc.world import ADMIN

DEFAULTS = {'volumes': 10, 'gigabytes': 1000, 'snapshots': 10, 'backups': 10, 'backup_gigabytes': 1000, 'groups': 10,
            'per_volume_gigabytes': -1, 'volumes___DEFAULT__': -1, 'gigabytes___DEFAULT__': -1,
            'snapshots___DEFAULT__': -1}


def test_show(world):
    assert world.get('/os-quota-sets/p1')['quota_set'] == {'id': 'p1', **DEFAULTS}


def test_usage(world):
    world.create(3)
    found = world.get('/os-quota-sets/p1?usage=True')['quota_set']
    assert found['gigabytes'] == {'limit': 1000, 'in_use': 3, 'reserved': 0}
    assert found['volumes___DEFAULT__'] == {'limit': -1, 'in_use': 1, 'reserved': 0}


def test_defaults(world):
    world.put('/os-quota-sets/p1', {'quota_set': {'volumes': 5}}, **ADMIN)
    assert world.get('/os-quota-sets/p1/defaults')['quota_set'] == {'id': 'p1', **DEFAULTS}


def test_another_projects(world):
    world.refused(403, 'GET', '/os-quota-sets/p2')
    world.refused(403, 'GET', '/os-quota-sets/p2/defaults')
    assert world.get('/os-quota-sets/p2', **ADMIN)['quota_set']['id'] == 'p2'


def test_update(world):
    found = world.put('/os-quota-sets/p1', {'quota_set': {'volumes': 5, 'gigabytes': '-1', 'tenant_id': 'p1'}}, **ADMIN)
    assert found['quota_set'] == {**DEFAULTS, 'volumes': 5, 'gigabytes': -1}
    assert world.get('/os-quota-sets/p1')['quota_set']['volumes'] == 5


def test_delete(world):
    world.put('/os-quota-sets/p1', {'quota_set': {'volumes': 5}}, **ADMIN)
    world.delete('/os-quota-sets/p1', 200, **ADMIN)
    assert world.get('/os-quota-sets/p1')['quota_set'] == {'id': 'p1', **DEFAULTS}


def test_below_what_is_used(world):
    world.create(3)
    assert '3' in world.refused(400, 'PUT', '/os-quota-sets/p1', {'quota_set': {'gigabytes': 2}}, **ADMIN)


def test_of_a_type(world):
    world.put('/os-quota-sets/p1', {'quota_set': {'volumes___DEFAULT__': 1}}, **ADMIN)
    world.create()
    assert world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1}}).status == 413


@pytest.mark.parametrize('body', [{}, {'quota_set': None}, {'quota_set': {}}, {'quota_set': {'volumes': -2}},
                                  {'quota_set': {'volumes': 'many'}}, {'quota_set': {'volumes': 1.5}},
                                  {'quota_set': {'volumes': True}}, {'quota_set': {'volumes': None}},
                                  {'quota_set': {'volumes': 2 ** 31}}, {'quota_set': {'unicorns': 1}},
                                  {'quota_set': {'tenant_id': 'p1'}}, {'quota_set': {'volumes': 5, 'unicorns': 1}}])
def test_wrong(world, body):
    world.refused(400, 'PUT', '/os-quota-sets/p1', body, **ADMIN)
    assert world.get('/os-quota-sets/p1')['quota_set']['volumes'] == 10


@pytest.mark.parametrize('method', ['PUT', 'DELETE'])
def test_users_may_not(world, method):
    world.refused(403, method, '/os-quota-sets/p1', {'quota_set': {'volumes': 100}})


def test_class(world):
    world.put('/os-quota-class-sets/default', {'quota_class_set': {'volumes': 7, 'class_name': 'default'}}, **ADMIN)
    assert world.get('/os-quota-class-sets/default', **ADMIN)['quota_class_set']['volumes'] == 7
    assert world.get('/os-quota-sets/p1')['quota_set']['volumes'] == 7


def test_class_that_is_not_there(world):
    world.refused(400, 'PUT', '/os-quota-class-sets/gold', {'quota_class_set': {'volumes': 7}}, **ADMIN)


def test_class_is_not_for_users(world):
    world.refused(403, 'PUT', '/os-quota-class-sets/default', {'quota_class_set': {'volumes': 7}})


class TestLimits:

    def test_own(self, world):
        world.create(3)
        assert world.get('/limits')['limits'] == {'rate': [], 'absolute': {
            'maxTotalVolumes': 10, 'maxTotalVolumeGigabytes': 1000, 'maxTotalSnapshots': 10, 'maxTotalBackups': 10,
            'maxTotalBackupGigabytes': 1000, 'totalVolumesUsed': 1, 'totalGigabytesUsed': 3, 'totalSnapshotsUsed': 0,
            'totalBackupsUsed': 0, 'totalBackupGigabytesUsed': 0}}

    def test_of_another_project(self, world):
        world.create(3)
        found = world.get('/limits?project_id=p1', project='p2', **ADMIN)
        assert found['limits']['absolute']['totalGigabytesUsed'] == 3

    def test_users_get_their_own(self, world):
        world.create(3)
        assert world.get('/limits?project_id=p1', project='p2')['limits']['absolute']['totalGigabytesUsed'] == 0

    def test_project_came_with_3_39(self, world):
        world.create(3)
        found = world.get('/limits?project_id=p1', project='p2', version='3.38', **ADMIN)
        assert found['limits']['absolute']['totalGigabytesUsed'] == 0
