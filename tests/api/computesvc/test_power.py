"""What guests do by themselves, what becomes of them when agents and hosts start anew, and who may not be asked."""
import pytest

from tests.api.computesvc.world import World


def restarted(world, host='host1'):
    """The host's agent starts anew, with the same hypervisor; the server rows are old enough to be looked at."""
    world.age_servers()
    agent = world.service.agent(world.hypervisors[host], host=host)
    world.workers.remove(world.agents[host].worker)
    world.workers.append(agent.worker)
    world.agents[host] = agent
    agent.heartbeat()
    world.run()


def status(world, server_id):
    server = world.server(server_id)
    return server['status'], server['OS-EXT-STS:power_state'], server['OS-EXT-STS:task_state']


def resuming(folder, hosts=('host1',)):
    world = World(f'sqlite:///{folder}/compute.sqlite', folder, hosts=hosts)
    world.conf.set_override('resume_guests_state_on_host_boot', True, 'agent')
    for agent in world.agents.values():
        agent.heartbeat()
    return world


def test_an_agent_that_was_away_sees_what_became_of_its_guests(world):
    crashed, stopped, paused, running = (world.boot() for _ in range(4))
    world.hypervisor.crash(crashed)
    world.hypervisor.power_off(stopped)
    world.hypervisor.pause(paused)
    restarted(world)
    assert [status(world, id) for id in (crashed, stopped, paused, running)] == [
        ('SHUTOFF', 6, None), ('SHUTOFF', 4, None), ('PAUSED', 3, None), ('ACTIVE', 1, None)]
    world.hypervisor.power_on(stopped)
    world.hypervisor.unpause(paused)
    restarted(world)
    assert [status(world, id)[0] for id in (stopped, paused)] == ['ACTIVE', 'ACTIVE']


def test_after_a_start_of_the_host_its_guests_are_off(world):
    running, paused = world.boot(), world.boot()
    world.act(paused, 'pause')
    world.run()
    world.hypervisor.lose_power()
    restarted(world)
    assert [status(world, id) for id in (running, paused)] == [('SHUTOFF', 4, None)] * 2


def test_or_run_again_as_configured(tmp_path):
    world = resuming(tmp_path)
    running, stopped, paused, lost = (world.boot() for _ in range(4))
    volume_id = world.attach(running)
    world.act(stopped, 'os-stop')
    world.act(paused, 'pause')
    world.run()
    world.hypervisor.lose_power()
    world.hypervisor.undefine(lost)
    world.volumes.volumes[volume_id]['size'] = 1
    restarted(world)
    assert [status(world, id) for id in (running, stopped, paused, lost)] == [
        ('ACTIVE', 1, None), ('SHUTOFF', 4, None), ('SHUTOFF', 4, None), ('ACTIVE', 1, None)]
    assert world.hypervisor.power_state(running) == world.hypervisor.power_state(lost) == 'running'
    assert set(world.hypervisor.disks(running)) >= {volume_id} and len(world.hypervisor.disks(lost)) == 1
    action = world.get(f'/servers/{running}/os-instance-actions')['instanceActions'][0]
    assert (action['action'], action['message']) == ('start', None)


def test_a_guest_that_went_off_by_itself_stays_off(tmp_path):
    """The agent started anew, but the host did not."""
    world = resuming(tmp_path)
    server_id = world.boot()
    world.hypervisor.power_off(server_id)
    restarted(world)
    assert status(world, server_id) == ('SHUTOFF', 4, None)


def test_a_guest_that_cannot_be_started_again_is_off(tmp_path):
    world = resuming(tmp_path)
    server_id = world.boot()
    world.hypervisor.lose_power()
    world.hypervisor.faults.fail('power_on', times=99)
    restarted(world)
    for _ in range(8):
        world.hurry()
        world.run()
    world.age_servers()
    world.agent.heartbeat()
    assert status(world, server_id) == ('SHUTOFF', 4, None)


def test_one_that_waits_to_be_confirmed_runs_again_and_still_waits(tmp_path):
    world = resuming(tmp_path, ('host1', 'host2'))
    server_id = world.boot()
    world.act(server_id, 'migrate', roles='admin')
    world.run()
    assert status(world, server_id) == ('VERIFY_RESIZE', 1, None)
    host = world.server(server_id, roles='admin')['OS-EXT-SRV-ATTR:host']
    other, = set(world.hypervisors) - {host}
    for hypervisor in world.hypervisors.values():
        hypervisor.lose_power()
    restarted(world, host)
    restarted(world, other)
    assert status(world, server_id) == ('VERIFY_RESIZE', 1, None)
    assert world.hypervisors[host].power_state(server_id) == 'running'
    assert world.hypervisors[other].power_state(server_id) == 'shutdown'


@pytest.mark.parametrize('action, value', [('os-stop', None), ('reboot', {'type': 'HARD'}), ('shelve', None),
                                           ('createImage', {'name': 'i'})])
def test_a_server_that_never_got_a_host_is_not_ready(world, action, value):
    """Nobody is there to be asked."""
    world.hypervisor.faults.fail('define', times=99)
    server_id = world.boot()
    for _ in range(8):
        world.hurry()
        world.run()
    assert world.server(server_id)['status'] == 'ERROR'
    world.act(server_id, action, value, 409)
    assert world.server(server_id)['OS-EXT-STS:task_state'] is None


def test_only_some_states_can_be_left(world):
    """As in Nova: a paused guest goes on first, or is rebooted hard."""
    server_id = world.boot()
    world.act(server_id, 'pause')
    world.run()
    for action in ('os-stop', 'os-start', 'pause'):
        world.act(server_id, action, status=409)
    world.act(server_id, 'reboot', {'type': 'SOFT'}, 409)
    world.act(server_id, 'reboot', {'type': 'HARD'})
    world.run()
    assert status(world, server_id) == ('ACTIVE', 1, None)


def test_a_shelved_server_cannot_be_rebooted_or_moved(world):
    server_id = world.boot()
    world.act(server_id, 'shelve')
    world.run()
    for action, value in (('os-start', None), ('os-stop', None), ('pause', None), ('unpause', None),
                          ('reboot', {'type': 'HARD'}), ('shelve', None), ('resize', {'flavorRef': '1'}),
                          ('confirmResize', None), ('createImage', {'name': 'i'})):
        world.act(server_id, action, value, 409)
    for action in ('migrate', 'shelveOffload'):
        world.act(server_id, action, status=409, roles='admin')
