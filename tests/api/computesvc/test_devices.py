"""What a host does with a volume's device when it has several paths, when they fail, and when guests share it."""
import logging

import pytest

import brick
from computesvc.cmd.manage import Commands
from computesvc.host.devices import Devices
from computesvc.host.memory import Memory
from tests.api.computesvc.lun import Lun

GIB = 1024 ** 3


@pytest.fixture
def lun(world):
    """Every volume of the host is this one."""
    made = Lun(GIB)
    use(world.agent, made)
    return made


def use(agent, lun):
    agent.tools.devices = Devices(agent.conf, agent.host, agent.tools.hypervisor.disk_users, lun.connector)


def empty_server(world, **values):
    """A server whose only volume is yet to come."""
    answer = world.post('/servers', {'server': {'name': 's', 'flavorRef': '42', 'networks': 'none',
                                                'imageRef': world.images.add(b'x'), **values}}, roles='admin')
    world.run()
    return answer.json['server']['id']


@pytest.fixture
def plugged(world, lun):
    server_id = empty_server(world)
    return server_id, world.attach(server_id)


def grow(world, lun, plugged, size=2):
    """The volume has grown at its backend, and compute is told."""
    lun.size = size * GIB
    answer = world.grown(*plugged, size)
    world.run()
    return answer


def event(world, server_id, answer):
    request_id = answer.headers['X-OpenStack-Request-ID']
    return world.get(f'/servers/{server_id}/os-instance-actions/{request_id}', roles='admin')[
        'instanceAction']['events'][0]


def operation(world, server_id):
    return world.get(f'/servers/{server_id}/operations')['operations'][0]


def guest(world, plugged):
    return world.hypervisor.disk_size(*plugged)


def check(world):
    """What `computesvc-manage check` says of hosts."""
    world.agent.heartbeat()
    commands = Commands()
    commands.service = world.service
    return list(commands.problems())


class TestPaths:
    def test_one_is_down(self, world, lun, plugged):
        lun.lose('sdc')
        answer = grow(world, lun, plugged)
        assert (guest(world, plugged), lun.map) == (2 * GIB, 2 * GIB)
        found = event(world, plugged[0], answer)
        assert found['result'] == 'Success'
        assert found['details'] == f'Path sdc lags: transport-offline, {GIB} bytes.'
        assert operation(world, plugged[0])['outcome'] == found['details']

    def test_the_sweep_finishes_it_when_it_is_back(self, world, lun, plugged):
        lun.lose('sdc')
        grow(world, lun, plugged)
        assert world.agent.sweep() == 0, 'nothing can be done while it is down'
        assert ['Path sdc to 10.0.0.3:3260 lags: ' in text for text in check(world)] == [True]
        assert b'computesvc_device_notices{host="host1"} 1' in world.call('GET', '/metrics').raw
        lun.restore()
        assert world.agent.sweep() == 1
        world.run()
        assert {path[0] for path in lun.paths.values()} == {2 * GIB}
        assert operation(world, plugged[0])['outcome'] is None
        assert world.agent.sweep() == 0 and check(world) == []

    def test_one_that_is_not_in_the_map_is_put_in(self, world, lun, plugged):
        lun.outside.add('sdb')
        assert world.agent.sweep() == 1
        assert check(world)[0].endswith(f'lags: running, {GIB} bytes, not in the map.')
        world.run()
        assert world.agent.sweep() == 0 and check(world) == []

    def test_all_are_down(self, world, lun, plugged):
        """It waits, says so in both places, and ends when they return."""
        lun.lose()
        answer = grow(world, lun, plugged)
        for _ in range(9):
            world.hurry()
            world.run()
        waiting = event(world, plugged[0], answer)
        assert (waiting['result'], waiting['details']) == (None, 'No path to /dev/mapper/lun answers.')
        shown = operation(world, plugged[0])
        assert (shown['state'], shown['error']) == ('running', waiting['details'])
        lun.restore()
        world.hurry()
        world.run()
        assert event(world, plugged[0], answer)['result'] == 'Success'
        assert guest(world, plugged) == 2 * GIB

    def test_detaching_does_not_wait_for_them(self, world, lun, plugged):
        lun.lose()
        answer = grow(world, lun, plugged)
        assert world.call('DELETE', '/v2.1/servers/{}/os-volume_attachments/{}'.format(*plugged)).status == 202
        world.run()
        assert not lun.connected and world.volumes.volumes[plugged[1]]['status'] == 'available'
        assert event(world, plugged[0], answer)['result'] == 'Error'

    def test_deleting_does_not_wait_for_them(self, world, lun, plugged):
        lun.lose()
        grow(world, lun, plugged)
        assert world.call('DELETE', f'/v2.1/servers/{plugged[0]}').status == 204
        world.run()
        assert not lun.connected and world.volumes.volumes[plugged[1]]['status'] == 'available'

    def test_multipathd_is_stopped(self, world, lun, plugged):
        lun.error = brick.errors.MultipathError('multipathd does not answer: sda 2, sdb 2, sdc 1, sdd 2')
        answer = grow(world, lun, plugged)
        for _ in range(6):
            world.hurry()
            world.run()
        found = event(world, plugged[0], answer)
        assert found['result'] == 'Error' and 'sdc 1' in found['details']
        lun.error = None
        assert world.agent.sweep() == 1
        world.run()
        assert guest(world, plugged) == 2 * GIB


    def test_what_cannot_be_mended_is_not_tried_at_every_sweep(self, world, lun, plugged):
        """Nor is what was once so, after it was well."""
        world.volumes.volumes[plugged[1]]['size'] = 2
        lun.error = brick.errors.MultipathError('multipathd does not answer')

        def sweep():
            began = world.agent.sweep()
            for _ in range(6):
                world.hurry()
                world.run()
            return began
        assert [sweep() for _ in range(12)] == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
        lun.error, lun.size = None, 2 * GIB
        assert [sweep() for _ in range(5)] == [0, 0, 0, 1, 0]
        world.volumes.volumes[plugged[1]]['size'] = 3
        assert world.agent.sweep() == 1


class TestSizes:
    def test_larger_than_recorded(self, world, lun, plugged, caplog):
        """It is told once in the log, and by `check` for as long as it is so; nothing shrinks."""
        lun.show(5 * GIB)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert world.agent.sweep() == 0
        told, = [record.message for record in caplog.records if plugged[1] in record.message]
        assert f'{5 * GIB} bytes, more than the {GIB}' in told
        assert check(world) == [f'host1: {told}']
        assert lun.map == 5 * GIB and guest(world, plugged) == GIB
        world.volumes.volumes[plugged[1]]['size'] = 5
        world.agent.sweep()
        assert check(world) == []

    def test_a_device_that_is_gone(self, world, lun, plugged):
        lun.connected = False
        assert world.agent.sweep() == 0
        assert 'lun is not there' in check(world)[0]

    def test_a_host_that_was_given_up_for_dead(self, world, lun, plugged):
        """Its servers were deleted without it; when it is back, it gives up their devices too."""
        world.run(world.conductor.worker)
        agent = world.get('/os-services?binary=nova-compute', roles='admin')['services'][0]
        world.call('PUT', f"/v2.1/os-services/{agent['id']}", {'forced_down': True}, roles='admin')
        assert world.call('DELETE', f'/v2.1/servers/{plugged[0]}').status == 204
        world.run(world.conductor.worker)
        assert lun.connected and world.volumes.volumes[plugged[1]]['status'] == 'available'
        world.agent.sweep()
        assert not lun.connected and world.hypervisor.servers() == {}

    def test_nothing_is_said_before_the_first_sweep(self, world, lun, plugged):
        lun.show(5 * GIB)
        world.agent.sweep()
        assert len(check(world)) == 1
        world.agent.notices = None      # started anew
        assert len(check(world)) == 1


class TestShared:
    @pytest.fixture
    def shared(self, world, lun):
        """(first server, second server, volume), on one host."""
        first, second = empty_server(world), empty_server(world)
        volume_id = world.volumes.add(1, multiattach=True)
        for server_id in (first, second):
            world.attach(server_id, volume_id)
        return first, second, volume_id

    def detach(self, world, server_id, volume_id, run=True):
        assert world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{volume_id}').status == 202
        if run:
            world.run()

    def test_the_disk_is_shareable(self, world, shared):
        first, second, volume_id = shared
        for server_id in (first, second):
            assert world.hypervisor.disks(server_id)[volume_id]['shareable'] is True
            world.act(server_id, 'reboot', {'type': 'HARD'})
            world.run()
            assert world.hypervisor.disks(server_id)[volume_id]['shareable'] is True

    def test_both_grow(self, world, lun, shared):
        first, second, volume_id = shared
        lun.size = 2 * GIB
        answers = [world.grown(server_id, volume_id, 2) for server_id in (first, second)]
        world.run()
        assert [event(world, server_id, answer)['result'] for server_id, answer in zip(shared, answers, strict=False)] \
            == ['Success', 'Success']
        assert guest(world, (first, volume_id)) == guest(world, (second, volume_id)) == 2 * GIB

    def test_the_device_goes_with_its_last_user(self, world, lun, shared):
        first, second, volume_id = shared
        self.detach(world, first, volume_id)
        assert lun.connected
        world.act(second, 'os-stop')
        world.run()
        assert world.call('DELETE', f'/v2.1/servers/{first}').status == 204
        world.run()
        assert lun.connected, 'a server that is off has it too'
        world.call('DELETE', f'/v2.1/servers/{second}')
        world.run()
        assert not lun.connected and world.volumes.volumes[volume_id]['status'] == 'available'

    def test_one_gives_it_up_while_the_other_is_getting_it(self, world, lun, shared):
        """Between the second server's connecting and its plugging in, the only user lets go."""
        first, second, volume_id = shared
        self.detach(world, second, volume_id)
        assert lun.connected
        world.hypervisor.faults.fail('attach_disk', error=ConnectionError('the agent was killed'))
        world.attach(second, volume_id)
        self.detach(world, first, volume_id)
        assert not lun.connected
        world.hurry()
        world.run()
        assert lun.connected and world.hypervisor.disks(second)[volume_id]

    def test_an_attach_that_fails_takes_nothing_away(self, world, lun, shared):
        first, second, volume_id = shared
        self.detach(world, second, volume_id)
        world.hypervisor.faults.fail('attach_disk', times=5)
        world.attach(second, volume_id)
        for _ in range(6):
            world.hurry()
            world.run()
        assert volume_id not in world.hypervisor.disks(second)
        assert lun.connected

    def test_another_host_that_is_down_holds_up_nobody(self, world, lun, shared):
        first, _, volume_id = shared
        away = world.service.agent(Memory('host2'), host='host2')
        use(away, Lun(GIB))
        away.heartbeat()
        world.workers.append(away.worker)
        far = empty_server(world, availability_zone='nova:host2')
        world.attach(far, volume_id)
        assert away.tools.hypervisor.disks(far)[volume_id]
        world.workers.remove(away.worker)
        lun.size = 2 * GIB
        near_answer, far_answer = (world.grown(server_id, volume_id, 2) for server_id in (first, far))
        world.run()
        assert event(world, first, near_answer)['result'] == 'Success'
        assert event(world, far, far_answer)['result'] is None
        assert guest(world, (first, volume_id)) == 2 * GIB
