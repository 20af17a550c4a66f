"""What can be done with a volume, besides growing it."""
import pytest

from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE

ELSEWHERE = '11111111-1111-1111-1111-111111111111'


@pytest.fixture
def volume(world):
    return world.create()


class TestResetStatus:

    def test_status(self, world, volume):
        world.act(volume, 'os-reset_status', {'status': 'error'}, **ADMIN)
        assert world.volume(volume)['status'] == 'error'

    def test_in_capitals(self, world, volume):
        world.act(volume, 'os-reset_status', {'status': 'ERROR'}, **ADMIN)
        assert world.volume(volume)['status'] == 'error'

    def test_attach_status(self, world, volume):
        world.attach(volume)
        world.act(volume, 'os-reset_status', {'status': 'available', 'attach_status': 'detached'}, **ADMIN)
        shown = world.volume(volume)
        assert (shown['status'], shown['attachments']) == ('available', [])
        assert world.get('/attachments')['attachments'] == []

    @pytest.mark.parametrize('value', [None, {}, {'status': 'on fire'}, {'status': 1}, {'state': 'error'}, 'error',
                                       {'attach_status': 'maybe'}, {'migration_status': 'x'}])
    def test_wrong(self, world, volume, value):
        before = world.rows()
        world.act(volume, 'os-reset_status', value, 400, **ADMIN)
        assert world.rows() == before

    def test_users_may_not(self, world, volume):
        assert 'reset_status' in world.refused(403, 'POST', f'/volumes/{volume}/action',
                                               {'os-reset_status': {'status': 'error'}})

    def test_not_while_an_operation_is_at_work(self, world, volume):
        world.extend(volume, 2)
        before = world.rows()
        message = world.refused(409, 'POST', f'/volumes/{volume}/action', {'os-reset_status': {'status': 'available'}},
                                **ADMIN)
        assert 'extend-volume' in message and world.rows() == before

    def test_unknown_volume(self, world):
        world.act(ELSEWHERE, 'os-reset_status', {'status': 'error'}, 404, **ADMIN)


class TestForceDelete:

    @pytest.mark.parametrize('status', ['creating', 'attaching', 'deleting', 'error_deleting', 'maintenance'])
    def test_in_any_status(self, world, volume, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        world.act(volume, 'os-force_delete', None, **ADMIN)
        world.run()
        world.get(f'/volumes/{volume}', 404)
        assert world.used() == {}

    @pytest.mark.parametrize('value', [None, {}, ''])
    def test_value_does_not_matter(self, world, volume, value):
        world.act(volume, 'os-force_delete', value, **ADMIN)

    def test_users_may_not(self, world, volume):
        world.act(volume, 'os-force_delete', None, 403)
        assert world.volume(volume)['status'] == 'available'


class TestBootable:

    @pytest.mark.parametrize('value, shown', [(True, 'true'), ('True', 'true'), ('1', 'true'), (False, 'false')])
    def test_set(self, world, volume, value, shown):
        world.act(volume, 'os-set_bootable', {'bootable': value}, 200)
        assert world.volume(volume)['bootable'] == shown

    def test_set_while_the_volume_is_made(self, world):
        volume = world.create(run=False)
        world.act(volume, 'os-set_bootable', {'bootable': True}, 200)
        world.run()
        assert world.volume(volume)['bootable'] == 'true'

    @pytest.mark.parametrize('value', [None, {}, {'bootable': None}, {'bootable': 'maybe'}, {'bootable': 2}])
    def test_wrong(self, world, volume, value):
        world.act(volume, 'os-set_bootable', value, 400)

    def test_another_projects(self, world, volume):
        world.act(volume, 'os-set_bootable', {'bootable': True}, 404, project='p2')


class TestReadonly:

    def test_shows_in_metadata(self, world, volume):
        world.act(volume, 'os-update_readonly_flag', {'readonly': True})
        assert world.volume(volume)['metadata']['readonly'] == 'True'

    def test_cannot_be_attached_to_write(self, world, volume):
        world.act(volume, 'os-update_readonly_flag', {'readonly': True})
        body = {'attachment': {'volume_uuid': volume, 'instance_uuid': world.nova.boot(), 'connector': CONNECTOR}}
        assert 'read only' in world.refused(400, 'POST', '/attachments', body, **SERVICE)

    def test_only_what_nobody_uses(self, world, volume):
        world.attach(volume)
        world.act(volume, 'os-update_readonly_flag', {'readonly': True}, 400)


class TestDetaching:
    """What a Nova says before and after it takes a volume from a server."""

    def test_begins(self, world, volume):
        world.attach(volume)
        world.act(volume, 'os-begin_detaching', None, **SERVICE)
        assert world.volume(volume)['status'] == 'detaching'

    def test_rolls_back(self, world, volume):
        world.attach(volume)
        world.act(volume, 'os-begin_detaching', None, **SERVICE)
        world.act(volume, 'os-roll_detaching', None, **SERVICE)
        assert world.volume(volume)['status'] == 'in-use'

    def test_ends(self, world, volume):
        attachment = world.attach(volume)
        world.act(volume, 'os-begin_detaching', None, **SERVICE)
        with world.eager():
            world.delete(f'/attachments/{attachment}', 200, **SERVICE)
        assert world.volume(volume)['status'] == 'available'

    def test_only_what_is_in_use(self, world, volume):
        world.act(volume, 'os-begin_detaching', None, 400, **SERVICE)

    def test_rolling_back_what_nobody_began_changes_nothing(self, world, volume):
        world.act(volume, 'os-roll_detaching', None, **SERVICE)
        assert world.volume(volume)['status'] == 'available'


@pytest.mark.parametrize('action', ['os-migrate_volume', 'x', 300 * 'x', ''])
def test_there_is_no_such_action(world, volume, action):
    before = world.rows()
    assert 'no such action' in world.refused(400, 'POST', f'/volumes/{volume}/action', {action: None}, **ADMIN)
    assert world.rows() == before


class TestMetadata:

    @pytest.fixture
    def volume(self, world):
        return world.create(metadata={'a': '1'})

    def path(self, volume, key=''):
        return f'/volumes/{volume}/metadata' + (f'/{key}' if key else '')

    def test_show(self, world, volume):
        assert world.get(self.path(volume)) == {'metadata': {'a': '1'}}

    def test_add(self, world, volume):
        assert world.post(self.path(volume), {'metadata': {'b': '2'}}, 200) == {'metadata': {'a': '1', 'b': '2'}}
        assert world.volume(volume)['metadata'] == {'a': '1', 'b': '2'}

    def test_replace(self, world, volume):
        assert world.put(self.path(volume), {'metadata': {'b': '2'}}) == {'metadata': {'b': '2'}}
        assert world.volume(volume)['metadata'] == {'b': '2'}

    def test_one(self, world, volume):
        assert world.get(self.path(volume, 'a')) == {'meta': {'a': '1'}}

    def test_set_one(self, world, volume):
        assert world.put(self.path(volume, 'a'), {'meta': {'a': '3'}}) == {'meta': {'a': '3'}}
        assert world.volume(volume)['metadata'] == {'a': '3'}

    def test_delete_one(self, world, volume):
        world.delete(self.path(volume, 'a'), 200)
        assert world.volume(volume)['metadata'] == {}

    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_key_that_is_not_there(self, world, volume, method):
        world.refused(404, method, self.path(volume, 'x'))

    @pytest.mark.parametrize('body', [{'meta': {'b': '1'}}, {'meta': {'a': '1', 'b': '1'}}, {'meta': {}},
                                      {'meta': {'a': 1}}, {}, {'metadata': {'a': '1'}}, {'meta': None}])
    def test_wrong_one(self, world, volume, body):
        world.refused(400, 'PUT', self.path(volume, 'a'), body)
        assert world.volume(volume)['metadata'] == {'a': '1'}

    @pytest.mark.parametrize('method', ['POST', 'PUT'])
    @pytest.mark.parametrize('body', [{'metadata': {'b': 1}}, {'metadata': {'b': None}}, {'metadata': {256 * 'b': 'x'}},
                                      {'metadata': {'b': 256 * 'x'}}, {'metadata': None}, {'metadata': []}, {},
                                      {'metadata': {str(n): 'x' for n in range(129)}}])
    def test_wrong(self, world, volume, method, body):
        world.refused(400, method, self.path(volume), body)
        assert world.volume(volume)['metadata'] == {'a': '1'}

    def test_at_most_128(self, world, volume):
        world.post(self.path(volume), {'metadata': {str(n): 'x' for n in range(127)}}, 200)
        assert world.call('POST', f'/v3/p1{self.path(volume)}', {'metadata': {'more': 'x'}}).status == 413

    def test_etag_of_what_was_seen(self, world, volume):
        seen = world.call('GET', f'/v3/p1{self.path(volume)}').headers['Etag']
        world.put(self.path(volume), {'metadata': {'b': '2'}}, if_match=seen)
        world.put(self.path(volume), {'metadata': {'c': '3'}}, 412, if_match=seen)
        assert world.volume(volume)['metadata'] == {'b': '2'}

    def test_another_projects(self, world, volume):
        world.refused(404, 'POST', self.path(volume), {'metadata': {'b': '2'}}, project='p2')
        world.refused(404, 'GET', self.path(volume), project='p2')
        assert world.volume(volume)['metadata'] == {'a': '1'}

    def test_reader_may_not(self, world, volume):
        world.refused(403, 'POST', self.path(volume), {'metadata': {'b': '2'}}, roles='reader')
