"""What a compute service says of work on volumes and snapshots that it does for backends which cannot."""
import pytest

from tests.api.volsvc.world import ADMIN, SERVICE


@pytest.fixture
def snapshot(world):
    """One that volsvc has made, said to be still in the making."""
    id = made(world)
    world.run()
    world.post(f'/snapshots/{id}/action', {'os-reset_status': {'status': 'creating'}}, **ADMIN)
    return id


def made(world):
    return world.post('/snapshots', {'snapshot': {'volume_id': world.create()}})['snapshot']['id']


def say(world, snapshot, status, wanted=202, progress=None):
    said = {'status': status, **({'progress': progress} if progress else {})}
    answer = world.call('POST', f'/v3/p1/snapshots/{snapshot}/action', {'os-update_snapshot_status': said}, **SERVICE)
    assert answer.status == wanted, answer.raw
    return answer


def shown(world, snapshot):
    found = world.get(f'/snapshots/{snapshot}')['snapshot']
    return found['status'], found['os-extended-snapshot-attributes:progress']


class TestSnapshots:
    def test_how_far_it_is_and_how_it_ends(self, world, snapshot):
        say(world, snapshot, 'creating', progress='7%')
        assert shown(world, snapshot) == ('creating', '7%')
        say(world, snapshot, 'creating')
        say(world, snapshot, 'error', progress='80%')
        assert shown(world, snapshot) == ('error', '80%')

    def test_what_cannot_be_said(self, world, snapshot):
        for status in ('deleting', 'error_deleting', 'red', ''):
            assert 'creating' in say(world, snapshot, status, 400).message
        for progress in ('101%', '5', '-1%', 'x%'):
            say(world, snapshot, 'creating', 400, progress)
        say(world, snapshot, 'available')
        assert 'available' in say(world, snapshot, 'error', 400).message

    def test_of_a_deletion(self, world, snapshot):
        world.post(f'/snapshots/{snapshot}/action', {'os-reset_status': {'status': 'deleting'}}, **ADMIN)
        say(world, snapshot, 'available', 400)
        say(world, snapshot, 'deleting')
        say(world, snapshot, 'error_deleting')
        assert shown(world, snapshot)[0] == 'error_deleting'

    def test_not_of_what_volsvc_makes_itself(self, world):
        """It would be used before it is whole."""
        snapshot = made(world)
        assert 'create-snapshot' in say(world, snapshot, 'available', 409).message
        say(world, snapshot, 'creating', progress='50%')
        assert shown(world, snapshot) == ('creating', '50%')
        world.run()
        assert shown(world, snapshot) == ('available', '100%')

    def test_of_none(self, world):
        say(world, '6a8b2ec0-0000-4000-8000-000000000000', 'error', 404)


class TestExtends:
    @pytest.mark.parametrize('body', [{}, {'error': False}, {'error': True}, {'error': None}])
    def test_refused_as_backends_here_can(self, world, body):
        volume = world.create()
        path = f'/volumes/{volume}/action'
        said = {'os-extend_volume_completion': body}
        assert 'not being extended' in world.refused(400, 'POST', path, said, **SERVICE)
        world.extend(volume, 2)
        before = world.rows()
        assert 'extends it' in world.refused(400, 'POST', path, said, **SERVICE)
        assert world.rows() == before
        world.run()
        assert world.volume(volume)['size'] == 2

    def test_for_services_and_administrators_since_3_71(self, world):
        path, said = f'/volumes/{world.create()}/action', {'os-extend_volume_completion': {}}
        world.refused(403, 'POST', path, said)
        world.refused(400, 'POST', path, said, version='3.70', **ADMIN)
        world.refused(400, 'POST', path, {'os-extend_volume_completion': {'error': 'x'}}, **ADMIN)
