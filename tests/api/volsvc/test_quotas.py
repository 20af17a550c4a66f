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


class TestTypes:
    """Each type has limits of its own, which are the type's, whatever it is called."""

    @pytest.fixture
    def gold(self, world):
        return world.post('/types', {'volume_type': {'name': 'gold'}}, 200, **ADMIN)['volume_type']['id']

    def limit(self, world, **limits):
        return world.put('/os-quota-sets/p1', {'quota_set': limits}, **ADMIN)

    @pytest.mark.parametrize('limits, refused, words', [
        ({'volumes_gold': 0}, {}, 'volumes_gold: 1 more asked for, 0 of 0 in use'),
        ({'gigabytes_gold': 2}, {'size': 3}, 'gigabytes_gold: 3 more asked for, 0 of 2 in use'),
        ({'gigabytes_gold': -1, 'gigabytes': 2}, {'size': 3}, 'gigabytes: 3 more asked for, 0 of 2 in use')])
    def test_creating(self, world, gold, limits, refused, words):
        self.limit(world, **limits)
        answer = world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1, 'volume_type': 'gold', **refused}})
        assert answer.status == 413 and words in answer.message and answer.headers['Retry-After'] == '0'
        assert world.used() == {} and world.get('/volumes')['volumes'] == []

    def test_others_are_not_touched(self, world, gold):
        self.limit(world, volumes_gold=0, gigabytes_gold=0)
        world.create(2)

    def test_extending(self, world, gold):
        self.limit(world, gigabytes_gold=3)
        id = world.create(2, volume_type='gold')
        assert 'gigabytes_gold: 2 more asked for, 2 of 3 in use' in world.extend(id, 4).message
        assert world.extend(id, 3).status == 202
        assert world.used()['gigabytes_gold'] == 3

    def test_copying(self, world, gold):
        self.limit(world, snapshots_gold=1, volumes_gold=1)
        id = world.create(volume_type='gold')
        body = {'snapshot': {'volume_id': id}}
        world.post('/snapshots', body)
        assert 'snapshots_gold' in world.refused(413, 'POST', '/snapshots', body)
        world.run()
        assert 'volumes_gold' in world.refused(413, 'POST', '/volumes', {'volume': {'source_volid': id}})

    def test_another_name_changes_nothing(self, world, gold):
        """Not even what is under way, nor what a limit was."""
        id = world.create(2, volume_type='gold')
        self.limit(world, gigabytes_gold=3)
        assert world.extend(id, 3).status == 202
        world.put(f'/types/{gold}', {'volume_type': {'name': 'silver'}}, **ADMIN)
        shown = world.get('/os-quota-sets/p1?usage=true')['quota_set']
        assert shown['gigabytes_silver'] == {'limit': 3, 'in_use': 3, 'reserved': 0} and 'gigabytes_gold' not in shown
        world.run()
        assert world.wrong_usage() == []
        world.delete(f'/volumes/{id}')
        world.run()
        assert world.used() == {}

    def test_a_type_that_is_gone_leaves_nothing_to_the_next(self, world, gold):
        self.limit(world, volumes_gold=0)
        world.delete(f'/types/{gold}', **ADMIN)
        assert 'volumes_gold' not in world.get('/os-quota-sets/p1')['quota_set']
        world.post('/types', {'volume_type': {'name': 'gold'}}, 200, **ADMIN)
        world.create(volume_type='gold')

    def test_the_longest_name(self, world):
        name = 'g' * 255
        world.post('/types', {'volume_type': {'name': name}}, 200, **ADMIN)
        self.limit(world, **{f'gigabytes_{name}': 2})
        world.create(2, volume_type=name)
        assert world.used()[f'gigabytes_{name}'] == 2

    def test_below_what_is_used(self, world, gold):
        world.create(3, volume_type='gold')
        said = world.refused(400, 'PUT', '/os-quota-sets/p1', {'quota_set': {'gigabytes_gold': 2}}, **ADMIN)
        assert said == 'The limit of gigabytes_gold must be at least 3, which are in use, not 2.'

    def test_in_a_class(self, world, gold):
        world.put('/os-quota-class-sets/default', {'quota_class_set': {'volumes_gold': 0}}, **ADMIN)
        assert world.get('/os-quota-sets/p1/defaults')['quota_set']['volumes_gold'] == 0
        world.refused(413, 'POST', '/volumes', {'volume': {'size': 1, 'volume_type': 'gold'}})


class TestOneVolume:
    """per_volume_gigabytes: how large one volume may be, however it comes to its size."""

    WORDS = 'A volume of 4 GiB is larger than the limit of 3 GiB for one volume.'

    @pytest.fixture(params=['project', 'class', 'configuration'])
    def world(self, make_world, request):
        world = make_world(**{'quota__per_volume_gigabytes': 3} if request.param == 'configuration' else {})
        if request.param == 'project':
            world.put('/os-quota-sets/p1', {'quota_set': {'per_volume_gigabytes': 3}}, **ADMIN)
        if request.param == 'class':
            world.put('/os-quota-class-sets/default', {'quota_class_set': {'per_volume_gigabytes': 3}}, **ADMIN)
        return world

    def test_it(self, world):
        assert world.refused(413, 'POST', '/volumes', {'volume': {'size': 4}}) == self.WORDS
        id = world.create(3)
        answer = world.extend(id, 4)
        assert (answer.status, answer.message) == (413, self.WORDS)
        assert world.refused(413, 'POST', '/volumes', {'volume': {'size': 4, 'source_volid': id}}) == self.WORDS
        assert world.used()['gigabytes'] == 3 and world.volume(id)['status'] == 'available'
        shown = world.get('/os-quota-sets/p1?usage=True')['quota_set']['per_volume_gigabytes']
        assert shown == {'limit': 3, 'in_use': 0, 'reserved': 0}

    def test_a_copy_of_one_that_is_larger_already(self, world):
        world.put('/os-quota-sets/p1', {'quota_set': {'per_volume_gigabytes': -1}}, **ADMIN)
        id = world.create(4)
        world.put('/os-quota-sets/p1', {'quota_set': {'per_volume_gigabytes': 3}}, **ADMIN)
        assert world.refused(413, 'POST', '/volumes', {'volume': {'source_volid': id}}) == self.WORDS


@pytest.mark.parametrize('body', [{}, {'quota_set': None}, {'quota_set': {}}, {'quota_set': {'volumes': -2}},
                                  {'quota_set': {'volumes': 'many'}}, {'quota_set': {'volumes': 1.5}},
                                  {'quota_set': {'volumes': True}}, {'quota_set': {'volumes': None}},
                                  {'quota_set': {'volumes': 2 ** 31}}, {'quota_set': {'unicorns': 1}},
                                  {'quota_set': {'tenant_id': 'p1'}}, {'quota_set': {'volumes': 5, 'unicorns': 1}},
                                  {'quota_set': {'volumes': 5, 'force': True}}])
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


def test_other_classes_are_kept_and_shown_and_hold_for_nobody(world):
    world.put('/os-quota-class-sets/default', {'quota_class_set': {'snapshots': 3}}, **ADMIN)
    found = world.put('/os-quota-class-sets/gold', {'quota_class_set': {'volumes': '7'}}, **ADMIN)
    shown = {**DEFAULTS, 'volumes': 7, 'snapshots': 3}
    assert found['quota_class_set'] == shown
    assert world.get('/os-quota-class-sets/gold', **ADMIN)['quota_class_set'] == {'id': 'gold', **shown}
    assert world.get('/os-quota-class-sets/tin', **ADMIN)['quota_class_set'] == {
        'id': 'tin', **DEFAULTS, 'snapshots': 3}
    assert world.get('/os-quota-sets/p1')['quota_set'] == {'id': 'p1', **DEFAULTS, 'snapshots': 3}


@pytest.mark.parametrize('name, body', [('gold', {}), ('gold', {'volumes': -2}), ('gold', {'unicorns': 1}),
                                        ('g' * 250, {'volumes': 1})])
def test_class_wrong(world, name, body):
    world.refused(400, 'PUT', f'/os-quota-class-sets/{name}', {'quota_class_set': body}, **ADMIN)


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
