"""Volumes that are deleted with their snapshots, or whatever their status."""
import pytest

from svckit.operations import Refused
from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE


@pytest.fixture
def volume(world):
    return world.create(2)


@pytest.fixture
def snapshot(world, volume):
    id = snap(world, volume)
    world.run()
    return id


def snap(world, volume):
    return world.post('/snapshots', {'snapshot': {'volume_id': volume}})['snapshot']['id']


def delete(world, volume, status=202, **kw):
    return world.call('DELETE', f'/v3/p1/volumes/{volume}?cascade=True&force=True', **ADMIN | kw).status == status


@pytest.mark.parametrize('now', ['error', 'creating', 'deleting', 'restoring', 'error_deleting'])
def test_with_snapshots_in_any_status(world, volume, snapshot, now):
    world.post(f'/snapshots/{snapshot}/action', {'os-reset_status': {'status': now}}, **ADMIN)
    world.act(volume, 'os-reset_status', {'status': 'maintenance'}, **ADMIN)
    assert delete(world, volume)
    world.run()
    world.get(f'/volumes/{volume}', 404)
    world.get(f'/snapshots/{snapshot}', 404)
    assert world.used() == {} and not world.driver.volumes and not world.driver.snapshots


def test_not_while_something_is_done_to_a_snapshot(world, volume):
    snap(world, volume)
    before = world.rows()
    assert delete(world, volume, 409) and world.rows() == before
    world.run()
    assert delete(world, volume)


def test_not_while_something_is_done_to_it(world):
    volume = world.create(run=False)
    before = world.rows()
    assert delete(world, volume, 409) and world.rows() == before
    world.run()
    assert delete(world, volume)


def test_not_while_it_is_attached(world, volume):
    world.attach(volume)
    assert delete(world, volume, 400)
    world.act(volume, 'os-force_delete', None, 400, **ADMIN)


RESERVE = {'attachments': lambda world, volume: world.post(
    '/attachments', {'attachment': {'volume_uuid': volume, 'instance_uuid': world.nova.boot()}}, 200)['attachment'],
    'older sequence': lambda world, volume: world.act(volume, 'os-reserve')}


@pytest.mark.parametrize('reserve', RESERVE.values(), ids=RESERVE)
def test_reserved_and_never_connected(world, volume, reserve):
    """Whoever reserved it will not come back: only force takes it away, and its reservation goes with it."""
    reserve(world, volume)
    world.delete(f'/volumes/{volume}', 400)
    world.act(volume, 'os-force_delete', None, **ADMIN)
    assert world.get('/attachments')['attachments'] == []
    world.run()
    assert world.used() == {} and not world.driver.volumes


def test_reserved_and_refused_by_its_backend(world, volume):
    """It is nobody's then."""
    reserved = RESERVE['attachments'](world, volume)
    world.act(volume, 'os-force_delete', None, **ADMIN)
    world.get(f'/attachments/{reserved["id"]}', 404)
    world.put(f'/attachments/{reserved["id"]}', {'attachment': {'connector': CONNECTOR}}, 404)
    world.driver.delete = refuse
    world.run()
    assert world.volume(volume)['status'] == 'available'


def refuse(volume):
    raise Refused('It is backed up just now.')


def test_not_while_a_host_gets_it(world, volume):
    """It has been asked for the connection, and is not connected yet."""
    reserved = RESERVE['attachments'](world, volume)
    connect, asked = world.driver.connect, []

    def meanwhile(*given):
        asked.append(world.act(volume, 'os-force_delete', None, 400, **ADMIN))
        return connect(*given)
    world.driver.connect = meanwhile
    with world.eager():
        world.put(f'/attachments/{reserved["id"]}', {'attachment': {'connector': CONNECTOR}}, **SERVICE)
    assert asked and world.volume(volume)['status'] == 'attaching'


def test_force_is_for_administrators(world, volume):
    assert delete(world, volume, 403, roles='member,reader', user='u1')


def test_force_came_with_3_23(world, volume):
    world.act(volume, 'os-reset_status', {'status': 'maintenance'}, **ADMIN)
    assert delete(world, volume, 400, version='3.22') and delete(world, volume, version='3.23')


def test_os_force_delete_leaves_snapshots_alone(world, volume, snapshot):
    world.act(volume, 'os-force_delete', None, 400, **ADMIN)
    assert world.get(f'/snapshots/{snapshot}')['snapshot']['status'] == 'available'


def test_cascade_that_fails_can_be_asked_for_again(world, volume, snapshot):
    erase, world.driver.delete_snapshot = world.driver.delete_snapshot, lambda snapshot: 1 / 0
    world.delete(f'/volumes/{volume}?cascade=true')
    for _ in range(6):
        world.run()
        world.wait()
    assert world.volume(volume)['status'] == 'error_deleting'
    assert world.get(f'/snapshots/{snapshot}')['snapshot']['status'] == 'error_deleting'
    world.driver.delete_snapshot = erase
    world.delete(f'/volumes/{volume}?cascade=true')
    world.run()
    assert world.used() == {} and not world.driver.snapshots
