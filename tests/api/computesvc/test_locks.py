"""Locked servers, and states written by hand."""
import pytest

from computesvc.api.routes import SERVER_ACTIONS
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.host.base import HostError
from tests.api.computesvc.world import World

# What each action is asked with, where that is more than null.
BODIES = {'resize': {'flavorRef': '84'}, 'reboot': {'type': 'SOFT'}, 'createImage': {'name': 'i'},
          'os-getConsoleOutput': {}, 'os-resetState': {'state': 'active'}}
# A lock does not keep from reading, from images, nor from the lock itself; the last are for administrators, whom no
# lock stops.
OPEN = {'lock', 'unlock', 'os-getConsoleOutput', 'createImage'}
ADMINS = {'os-resetState', 'migrate', 'shelveOffload', 'os-migrateLive', 'evacuate'}
LOCKED = sorted(set(SERVER_ACTIONS.handlers) - OPEN - ADMINS)


def test_every_action_of_a_locked_server(world):
    server_id = world.boot()
    world.act(server_id, 'lock')
    for action in LOCKED:
        answer = world.act(server_id, action, BODIES.get(action), 409)
        assert answer.message == f'Instance {server_id} is locked', action
    path = f'/v2.1/servers/{server_id}'
    volume_id = world.volumes.add()
    for method, where, body in (
            ('DELETE', '', None), ('POST', '/metadata', {'metadata': {'a': 'b'}}),
            ('PUT', '/metadata', {'metadata': {}}), ('PUT', '/metadata/a', {'meta': {'a': 'b'}}),
            ('POST', '/os-volume_attachments', {'volumeAttachment': {'volumeId': volume_id}})):
        assert world.call(method, path + where, body).status == 409, (method, where)
    assert world.server(server_id)['OS-EXT-STS:task_state'] is None and world.server(server_id)['metadata'] == {}
    world.act(server_id, 'os-stop', roles='admin')
    world.run()
    assert world.server(server_id)['status'] == 'SHUTOFF'
    assert world.call('PUT', path, {'server': {'name': 'new'}}).status == 200


def test_who_may_unlock(world):
    server_id = world.boot()
    world.act(server_id, 'lock', {'locked_reason': 'mine'})
    world.act(server_id, 'lock', {'locked_reason': 'again'})
    assert world.server(server_id)['locked_reason'] == 'mine', 'its owner locking it again changes nothing'
    world.act(server_id, 'unlock')
    assert (world.server(server_id)['locked'], world.server(server_id)['locked_reason']) == (False, None)
    world.act(server_id, 'lock', {'locked_reason': 'unpaid'}, roles='admin', project='admin')
    world.act(server_id, 'unlock', status=403)
    world.act(server_id, 'unlock', roles='admin', project='admin')
    world.act(server_id, 'lock')
    world.act(server_id, 'unlock', roles='admin', project='admin')
    asked = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions']
    assert [action['action'] for action in asked if action['action'] != 'create'] == [
        'unlock', 'lock', 'unlock', 'lock', 'unlock', 'lock']
    one = world.get(f"/servers/{server_id}/os-instance-actions/{asked[0]['request_id']}")['instanceAction']
    assert [(event['event'], event['result']) for event in one['events']] == [('api_unlock', 'Success')]


def test_a_reason_is_of_2_73(world):
    server_id = world.boot()
    world.act(server_id, 'lock', {'locked_reason': 'x'}, version='2.72')
    assert world.server(server_id)['locked_reason'] is None
    assert 'locked_reason' not in world.server(server_id, version='2.72')


@pytest.mark.parametrize('word, status', [('active', 'ACTIVE'), ('error', 'ERROR')])
def test_reset_state(world, word, status):
    server_id = world.boot()
    with world.service.db.transaction() as session:
        session.get(Server, server_id).task_state = 'powering-off'
    world.act(server_id, 'os-resetState', {'state': word}, 403)
    world.act(server_id, 'os-resetState', {'state': word}, roles='admin')
    server = world.server(server_id)
    assert (server['status'], server['OS-EXT-STS:task_state']) == (status, None)
    world.act(server_id, 'os-stop')
    world.run()
    assert world.server(server_id)['status'] == 'SHUTOFF'


def test_reset_state_waits_for_what_is_at_work_and_gives_up_what_is_stuck(world):
    server_id = world.boot()
    request = world.act(server_id, 'os-stop').headers['X-OpenStack-Request-ID']
    assert 'stop-server' in world.act(server_id, 'os-resetState', {'state': 'active'}, 409, roles='admin').message
    world.run()
    volume_id = world.attach(server_id)
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'
    world.hypervisor.faults.fail('power_on', times=100, error=HostError('no'))
    world.hypervisor.faults.fail('power_state', times=100, error=HostError('no'))
    request = world.act(server_id, 'os-start').headers['X-OpenStack-Request-ID']
    for _ in range(30):
        world.run()
        world.hurry()
    op = world.get(f'/servers/{server_id}/operations?request_id={request}')['operations'][0]
    assert op['state'] == 'stuck', op
    world.hypervisor.faults.clear()
    world.act(server_id, 'os-resetState', {'state': 'error'}, roles='admin')
    world.act(server_id, 'reboot', {'type': 'HARD'})
    world.run()
    assert world.server(server_id)['status'] == 'ACTIVE'


def test_reset_state_of_a_resized_server(tmp_path):
    """It is on two hosts: only its user says which of them keeps it."""
    world = World(f'sqlite:///{tmp_path}/db', tmp_path, hosts=('host1', 'host2'))
    server_id = world.boot()
    world.act(server_id, 'resize', {'flavorRef': '84'})
    world.run()
    world.act(server_id, 'os-resetState', {'state': 'active'}, 409, roles='admin')
    world.act(server_id, 'confirmResize', status=204)
    world.run()
    world.act(server_id, 'os-resetState', {'state': 'active'}, roles='admin')
    world.service.db.dispose()


def test_force_delete(world):
    server_id = world.boot()
    with world.service.db.transaction() as session:
        session.get(Server, server_id).vm_state = states.ERROR
    world.act(server_id, 'lock')
    world.act(server_id, 'forceDelete', status=409)
    world.act(server_id, 'unlock')
    world.act(server_id, 'forceDelete')
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
