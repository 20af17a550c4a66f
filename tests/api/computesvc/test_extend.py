"""A volume has grown: event, operation, guest."""
import uuid

import pytest

from computesvc.host.base import HostError

GIB = 1024 ** 3
EVENTS = '/v2.1/os-server-external-events'


def action(world, server_id, answer, **kw):
    request_id = answer.headers['X-OpenStack-Request-ID']
    return world.get(f'/servers/{server_id}/os-instance-actions/{request_id}', **kw)['instanceAction']


def post(world, *events, **kw):
    values = {'roles': 'service', 'user': 'cinder', 'project': 'service', 'version': '2.51', **kw}
    return world.call('POST', EVENTS, {'events': list(events)}, **values)


def event(server_id, tag, **more):
    return {'name': 'volume-extended', 'server_uuid': server_id, 'tag': tag, **more}


@pytest.fixture
def plugged(world):
    """(server, volume) with the volume on the server."""
    server_id = world.boot()
    return server_id, world.attach(server_id)


def test_guest_sees_growth(world, plugged):
    server_id, volume_id = plugged
    assert world.hypervisor.disk_size(server_id, volume_id) == GIB
    answer = world.grown(server_id, volume_id, 2)
    assert answer.json == {'events': [{'name': 'volume-extended', 'server_uuid': server_id, 'tag': volume_id,
                                       'status': 'completed', 'code': 200}]}
    before = action(world, server_id, answer)
    assert before['action'] == 'extend_volume'
    assert before['request_id'] == answer.headers['X-OpenStack-Request-ID']
    assert before['events'][0]['event'] == 'compute_extend_volume'
    assert before['events'][0]['finish_time'] is None and before['events'][0]['result'] is None
    world.run()
    after = action(world, server_id, answer)['events'][0]
    assert after['finish_time'] and after['result'] == 'Success'
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB
    # A service reads it at 2.51, where its own token's project is another.
    seen = action(world, server_id, answer, version='2.51', roles='service', project='service', user='cinder')
    assert set(seen['events'][0]) == {'event', 'start_time', 'finish_time', 'result'}


def test_paused_guest_too(world, plugged):
    server_id, volume_id = plugged
    world.act(server_id, 'pause')
    world.run()
    world.grown(server_id, volume_id, 3)
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 3 * GIB


def test_stopped_guest_sees_it_at_its_start(world, plugged):
    server_id, volume_id = plugged
    world.act(server_id, 'os-stop')
    world.run()
    answer = world.grown(server_id, volume_id, 2)
    world.run()
    assert action(world, server_id, answer)['events'][0]['result'] == 'Success'
    world.act(server_id, 'os-start')
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB


def test_codes_per_event(world, plugged):
    """Each event has its own code; one that fails holds up no other."""
    server_id, volume_id = plugged
    unknown = str(uuid.uuid4())
    homeless = world.boot(run=False)
    world.volumes.volumes[volume_id]['size'] = 2
    answer = post(world, event(unknown, volume_id), {'name': 'volume-extended', 'server_uuid': server_id},
                  event(homeless, volume_id), event(server_id, unknown), event(server_id, volume_id),
                  {'name': 'network-changed', 'server_uuid': server_id, 'status': 'completed'})
    assert answer.status == 207
    assert [(e['code'], e['status']) for e in answer.json['events']] == [
        (404, 'failed'), (400, 'failed'), (422, 'failed'), (404, 'failed'), (200, 'completed'), (200, 'completed')]
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB
    assert post(world, event(unknown, volume_id)).status == 207


def test_who_may(world, plugged):
    server_id, volume_id = plugged
    assert post(world, event(server_id, volume_id), roles='member,reader', project='p1').status == 403
    assert post(world, event(server_id, volume_id), roles='admin').status == 200


@pytest.mark.parametrize('body', [
    {}, {'events': []}, {'events': None}, {'events': {}}, {'events': ['x']}, {'events': [{}]},
    {'events': [{'name': 'volume-extended'}]}, {'events': [{'name': 'nonsense', 'server_uuid': str(uuid.uuid4())}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': 'x'}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': 3}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': str(uuid.uuid4()), 'tag': 3}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': str(uuid.uuid4()), 'tag': 'x' * 256}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': str(uuid.uuid4()), 'nonsense': 1}]},
    {'events': [{'name': 'volume-extended', 'server_uuid': str(uuid.uuid4()), 'status': 'odd'}]}, {'other': []},
])
def test_malformed(world, body):
    answer = world.call('POST', EVENTS, body, roles='service', version='2.51')
    assert answer.status == 400 and len(answer.json['badRequest']['message']) > 10


def test_too_old_a_version_does_not_know_it(world, plugged):
    assert post(world, event(*plugged), version='2.50').status == 400


def test_event_waits_for_a_host_that_is_down(world, plugged):
    """And a second growth joins the first."""
    server_id, volume_id = plugged
    first = world.grown(server_id, volume_id, 2)
    world.run(world.conductor.worker)
    assert action(world, server_id, first)['events'][0]['result'] is None
    second = world.grown(server_id, volume_id, 3)
    world.run(world.conductor.worker)
    assert world.hypervisor.disk_size(server_id, volume_id) == GIB
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 3 * GIB
    for answer in (first, second):
        assert action(world, server_id, answer)['events'][0]['result'] == 'Success'


def test_the_same_event_twice_in_one_request(world, plugged):
    world.volumes.volumes[plugged[1]]['size'] = 2
    answer = post(world, event(*plugged), event(*plugged))
    assert [e['code'] for e in answer.json['events']] == [200, 200]
    world.run()
    assert {e['result'] for e in action(world, plugged[0], answer)['events']} == {'Success'}


def test_failure_is_the_actions_error(world, plugged):
    server_id, volume_id = plugged
    world.hypervisor.faults.fail('resize_disk', times=5, error=HostError('QEMU says no'))
    answer = world.grown(server_id, volume_id, 2)
    for _ in range(6):
        world.run()
        world.hurry()
    found = action(world, server_id, answer)
    assert found['message'] == 'Error' and found['events'][0]['result'] == 'Error'
    assert 'QEMU says no' in found['events'][0]['details']
    assert world.agent.sweep() == 1, 'the sweep finds what was given up'
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB


def test_stale_size_is_an_error(world, plugged):
    """The hypervisor says it resized, but the guest's disk still shows the old size."""
    server_id, volume_id = plugged
    world.hypervisor.resize_disk = lambda *args: GIB
    answer = world.grown(server_id, volume_id, 2)
    for _ in range(6):
        world.run()
        world.hurry()
    assert action(world, server_id, answer)['events'][0]['result'] == 'Error'


def test_detaching_ends_a_growth_that_waits(world, plugged):
    server_id, volume_id = plugged
    answer = world.grown(server_id, volume_id, 2)
    world.run(world.conductor.worker)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{volume_id}').status == 202
    found = action(world, server_id, answer)['events'][0]
    assert found['result'] == 'Error' and 'detached' in found['details']
    assert post(world, event(server_id, volume_id)).json['events'][0]['code'] == 404
    world.run()
    assert world.volumes.volumes[volume_id]['status'] == 'available'
    assert post(world, event(server_id, volume_id)).json['events'][0]['code'] == 404


def test_deleting_ends_a_growth_that_waits(world, plugged):
    server_id, volume_id = plugged
    answer = world.grown(server_id, volume_id, 2)
    world.run(world.conductor.worker)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    assert action(world, server_id, answer)['events'][0]['result'] == 'Error'
    world.run()
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404


def test_growth_during_attach_waits_for_it(world):
    server_id = world.boot()
    volume_id = world.attach(server_id, run=False)
    answer = world.grown(server_id, volume_id, 2)
    world.run()
    world.hurry()
    world.run()
    assert action(world, server_id, answer)['events'][0]['result'] == 'Success'
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB


def test_volume_service_away(world, plugged):
    """The size cannot be asked for a while: the growth waits."""
    server_id, volume_id = plugged
    world.volumes.broken['GET volumes'] = 503
    answer = world.grown(server_id, volume_id, 2)
    for _ in range(8):
        world.run()
        world.hurry()
    assert action(world, server_id, answer)['events'][0]['result'] is None
    operation = world.get(f'/servers/{server_id}/operations')['operations'][0]
    assert operation['name'] == 'extend-volume' and '503' in operation['error']
    world.volumes.broken.clear()
    world.hurry()
    world.run()
    assert action(world, server_id, answer)['events'][0]['result'] == 'Success'


def test_sweep_heals_a_lost_event(world, plugged):
    server_id, volume_id = plugged
    assert world.agent.sweep() == 0
    world.volumes.volumes[volume_id]['size'] = 4
    assert world.agent.sweep() == 1
    assert world.agent.sweep() == 0, 'it is under way'
    world.run()
    assert world.hypervisor.disk_size(server_id, volume_id) == 4 * GIB
    assert world.agent.sweep() == 0
    world.volumes.broken['GET volumes'] = 503
    assert world.agent.sweep() == 0


def test_sweep_removes_what_should_not_be_there(world, plugged):
    server_id, _ = plugged
    world.hypervisor.define({'id': 'not-ours', 'name': 'x', 'vcpus': 1, 'memory_mb': 1}, [], [])
    gone = world.boot()
    world.call('DELETE', f'/v2.1/servers/{gone}')
    world.run()
    world.hypervisor.define({'id': gone, 'name': 'x', 'vcpus': 1, 'memory_mb': 1}, [], [])
    world.agent.sweep()
    assert set(world.hypervisor.servers()) == {server_id, 'not-ours'}, 'one that nobody knows is not touched'


def test_heartbeat_brings_work_whose_wake_was_lost(world, plugged):
    woken = []
    world.agent.worker.wake = lambda: woken.append(1)
    world.agent.heartbeat()
    assert not woken
    world.grown(*plugged, 2)
    world.run(world.conductor.worker)
    woken.clear()
    world.agent.heartbeat()
    assert woken


def test_steps_are_shown(world, plugged):
    world.grown(*plugged, 2)
    world.run()
    listed = world.get(f'/servers/{plugged[0]}/operations')['operations'][0]
    shown = world.get(f"/servers/{plugged[0]}/operations/{listed['id']}")['operation']
    assert [(s['name'], s['state'], s['target']) for s in shown['steps']] == [
        ('ask_size', 'done', 'conductor'), ('grow_device', 'done', 'agent:host1'),
        ('grow_guest_disk', 'done', 'agent:host1'), ('record', 'done', 'conductor')]
    assert 'params' not in shown and 'notes' not in shown
