"""A volume goes back to its latest snapshot."""
import pytest

from tests.api.volsvc.world import ADMIN

ELSEWHERE = '11111111-1111-1111-1111-111111111111'


@pytest.fixture
def volume(world):
    id = world.create(2)
    world.driver.volumes[id]['data'] = b'as it was'
    return id


@pytest.fixture
def snapshot(world, volume):
    id = snap(world, volume)
    world.driver.volumes[volume]['data'] = b'as it is'
    return id


def snap(world, volume):
    id = world.post('/snapshots', {'snapshot': {'volume_id': volume}})['snapshot']['id']
    world.run()
    return id


def status(world, kind, id):
    return world.get(f'/{kind}s/{id}')[kind]['status']


def refused(world, code, volume, snapshot, **kw):
    """Its sentence; nothing has changed."""
    before = world.rows()
    message = world.refused(code, 'POST', f'/volumes/{volume}/action', {'revert': {'snapshot_id': snapshot}}, **kw)
    assert world.rows() == before
    return message


def test_it_holds_what_the_snapshot_does(world, volume, snapshot):
    world.heard.clear()
    assert world.act(volume, 'revert', {'snapshot_id': snapshot}) is None
    assert (status(world, 'volume', volume), status(world, 'snapshot', snapshot)) == ('reverting', 'restoring')
    world.run()
    assert (status(world, 'volume', volume), status(world, 'snapshot', snapshot)) == ('available', 'available')
    assert world.driver.volumes[volume]['data'] == b'as it was'
    assert [name for name, _ in world.heard] == [
        'volume.revert.start', 'snapshot.revert.start', 'volume.revert.end', 'snapshot.revert.end']


def test_again_and_again(world, volume, snapshot):
    for data in (b'one', b'two'):
        world.driver.volumes[volume]['data'] = data
        world.act(volume, 'revert', {'snapshot_id': snapshot})
        world.run()
        assert world.driver.volumes[volume]['data'] == b'as it was'


def test_it_came_with_3_40(world, volume, snapshot):
    assert 'no such action' in refused(world, 400, volume, snapshot, version='3.39')
    world.act(volume, 'revert', {'snapshot_id': snapshot}, version='3.40')


def test_only_to_the_latest(world, volume, snapshot):
    latest = snap(world, volume)
    assert latest in refused(world, 400, volume, snapshot)
    world.act(volume, 'revert', {'snapshot_id': latest})


@pytest.mark.parametrize('wanted', [None, ELSEWHERE, 'x'])
def test_to_no_snapshot_of_it(world, volume, snapshot, wanted):
    assert snapshot in refused(world, 400, volume, wanted)


def test_a_volume_without_snapshots(world, volume):
    assert 'no snapshots' in refused(world, 400, volume, ELSEWHERE)


def test_one_that_has_grown(world, volume, snapshot):
    world.extend(volume, 3)
    world.run()
    assert 'grown' in refused(world, 400, volume, snapshot)


def test_one_in_use(world, volume, snapshot):
    world.attach(volume)
    assert 'in-use' in refused(world, 409, volume, snapshot)


def test_while_the_snapshot_is_not_available(world, volume, snapshot):
    world.delete(f'/snapshots/{snapshot}')
    assert 'deleting' in refused(world, 409, volume, snapshot)


def test_nothing_else_meanwhile(world, volume, snapshot):
    world.act(volume, 'revert', {'snapshot_id': snapshot})
    assert 'reverting' in refused(world, 409, volume, snapshot)
    world.refused(400, 'DELETE', f'/volumes/{volume}')
    world.refused(400, 'DELETE', f'/snapshots/{snapshot}')
    assert world.extend(volume, 3).status == 400


@pytest.mark.parametrize('value', [None, [], 'x', {'snapshot_id': 1}, {'snapshot_id': 'x' * 37}])
def test_wrong(world, volume, snapshot, value):
    world.act(volume, 'revert', value, 400)


@pytest.mark.parametrize('code, who', [(403, {'roles': 'reader'}), (404, {'project': 'p2'})])
def test_whose_it_is_not(world, volume, snapshot, code, who):
    refused(world, code, volume, snapshot, **who)


def test_a_full_backend_leaves_it_as_it_is(world, volume, snapshot):
    from volsvc.drivers.base import NoSpace

    def full(*_):
        raise NoSpace('The storage backend is full.')
    world.driver.revert = full
    world.act(volume, 'revert', {'snapshot_id': snapshot})
    world.run()
    assert (status(world, 'volume', volume), status(world, 'snapshot', snapshot)) == ('available', 'available')
    message, = world.get('/messages')['messages']
    assert 'is full' in message['user_message'] and 'as it was' in message['user_message']


def test_a_failure_leaves_the_snapshot_and_says_so(world, volume, snapshot):
    world.driver.revert = lambda *_: 1 / 0
    world.act(volume, 'revert', {'snapshot_id': snapshot})
    for _ in range(6):
        world.run()
        world.wait()
    assert (status(world, 'volume', volume), status(world, 'snapshot', snapshot)) == ('error', 'available')
    assert 'some of both' in world.get('/messages')['messages'][0]['user_message']
    world.delete(f'/volumes/{volume}?cascade=true')
    world.run()
    world.act(volume, 'os-reset_status', {'status': 'error'}, 404, **ADMIN)
