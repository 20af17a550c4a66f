"""A server moves between two real hosts, and those who move it are killed: in every step of every way it can go.

After each story the server is at rest on one host as its user was told, never runs on two at once on its way there,
has each volume attached exactly once, and its disks hold what they held. The other host has what it had before.
"""
import os
import signal

import pytest

from computesvc.operations import registry
from onebox import libvirtd
from tests.system.moving import IMAGE, Guest, Moving, killed_in_each
from tests.system.processes import eventually

pytestmark = pytest.mark.system

HOSTS = ('node1', 'node2')
ROLES = ('source', 'destination', 'conductor')


@pytest.fixture(scope='module')
def hosts(tmp_path_factory):
    """{name: a Libvirtd that answers}."""
    daemons = {name: libvirtd.Libvirtd(tmp_path_factory.mktemp(name)) for name in HOSTS}
    try:
        for daemon in daemons.values():
            daemon.start()
        yield daemons
    except libvirtd.Unavailable as reason:
        pytest.skip(str(reason))
    finally:
        for daemon in daemons.values():
            daemon.stop(guests=True)


@pytest.fixture(scope='module')
def cloud(all_databases, rabbitmq, hosts, tmp_path_factory):
    urls = {service: all_databases.new('postgresql') for service in ('volsvc', 'computesvc')}
    deployment = Moving(tmp_path_factory.mktemp('moving'), urls, rabbitmq.url, hosts)
    deployment.add_image('disk', os.urandom(IMAGE))
    try:
        yield deployment.start()
    except BaseException:
        print(deployment.processes.last_words())
        raise
    finally:
        deployment.stop()


class Server:
    """The one that all stories share, each of which may leave it elsewhere: with a disk of its own, and a volume."""

    def __init__(self, cloud):
        self.cloud, self._flavors = cloud, {}
        for vcpus in (1, 2):
            flavor = {'name': f'of-{vcpus}', 'ram': 64 * vcpus, 'vcpus': vcpus, 'disk': 1}
            self._flavors[vcpus] = cloud.admin.compute('POST', '/flavors', {'flavor': flavor})['flavor']['id']
        image = eventually('the image is there', lambda: cloud.user.image_id('disk'))
        self.id = cloud.user.compute('POST', '/servers', {'server': {
            'name': 'mover', 'flavorRef': self._flavors[1], 'imageRef': image, 'networks': 'none'}})['server']['id']
        eventually('the server runs', lambda: cloud.user.server_is(self.id, 'ACTIVE'))
        self.volume_id = cloud.user.new_volume_in_use(self.id)
        self.guest = Guest(cloud.hypervisors, self.id)
        self.vcpus, self.host = 1, self.shown()['OS-EXT-SRV-ATTR:host']
        self.files = cloud.files_of(self.host, self.id)

    @property
    def other(self) -> str:
        """The host that it is not on."""
        return next(host for host in HOSTS if host != self.host)

    def shown(self) -> dict:
        return self.cloud.admin.compute('GET', f'/servers/{self.id}')['server']

    def resize(self):
        """To the other flavor and, as the hosts are told apart by that, the other host."""
        self.act({'resize': {'flavorRef': self._flavors[3 - self.vcpus]}})

    def act(self, body):
        self.cloud.user.compute('POST', f'/servers/{self.id}/action', body)

    def victim(self, role):
        """The process of that role in a move that begins here: a function of the target where a step runs."""
        if role == 'whoever is at it':
            return self.cloud.process
        target = {'source': f'agent:{self.host}', 'destination': f'agent:{self.other}'}.get(role, role)
        return lambda at: self.cloud.process(target)

    # -- looking

    def operations(self) -> list[dict]:
        """Newest first; AssertionError while one is under way."""
        found = self.cloud.admin.compute('GET', f'/servers/{self.id}/operations')['operations']
        live = [one for one in found if one['finished_at'] is None]
        assert not live, live
        return found

    def rests(self, status) -> bool:
        return self.cloud.user.server_is(self.id, status) and bool(self.operations())

    def is_on(self, host, vcpus, status):
        """At rest there, with all that it has, and of that size."""
        shown, volume = self.shown(), self.cloud.admin.volume('GET', f'/volumes/{self.volume_id}')['volume']
        attachments = self.cloud.user.volume('GET', f'/attachments?volume_id={self.volume_id}')['attachments']
        assert (shown['OS-EXT-SRV-ATTR:host'], shown['status']) == (host, status)
        assert shown['flavor']['vcpus'] == vcpus and shown['OS-EXT-STS:task_state'] is None
        assert volume['status'] == 'in-use' and len(attachments) == 1
        assert [(one['server_id'], one['host_name']) for one in volume['attachments']] == [(self.id, host)]
        assert list(self.guest.running()) == [host]
        assert self.guest.vcpus(host) == vcpus and self.guest.serials(host) == [self.volume_id]
        assert self.cloud.files_of(host, self.id) == self.files
        assert not self.cloud.programs('qemu-nbd') and not self.cloud.programs('qemu-img')
        used = self.cloud.user.compute('GET', '/limits')['limits']['absolute']
        return used['totalInstancesUsed'], used['totalCoresUsed'], used['totalRAMUsed']

    def is_confirmable(self):
        assert self.is_on(self.other, 3 - self.vcpus, 'VERIFY_RESIZE') == (1, 2, 128)
        assert set(self.guest.domains()) == set(HOSTS)
        assert self.cloud.files_of(self.host, self.id) == self.files
        assert self.cloud.used() == {self.host: self.vcpus, self.other: 3 - self.vcpus}

    def is_only_on(self, host, vcpus):
        """Nothing of it is left on the other one."""
        self.host, self.vcpus = host, vcpus
        assert self.is_on(host, vcpus, 'ACTIVE') == (1, vcpus, 64 * vcpus)
        assert set(self.guest.domains()) == {host}
        assert self.cloud.files_of(self.other, self.id) == []
        assert self.cloud.used() == {host: vcpus, self.other: 0}


@pytest.fixture(scope='module')
def shared(cloud):
    return Server(cloud)


@pytest.fixture
def server(shared):
    with shared.guest.never_on_both():
        yield shared
        left = shared.cloud.steps.clear()
        assert not left, 'these steps were never run'


def steps(*operations) -> list[str]:
    """The names of all steps of operations."""
    return [f'{definition.name}.{step.name}' for definition in registry().values() if definition.name in operations
            for step in definition.steps]


def undos(operation, before) -> list[str]:
    """The undos of the steps above `before`."""
    definition, = (one for one in registry().values() if one.name == operation)
    names = [step.name for step in definition.steps]
    return [f'{operation}.{step.name}.undo' for step in definition.steps[:names.index(before) + 1] if step.undo]


def move(server):
    """Undisturbed."""
    server.resize()
    eventually('it can be confirmed', lambda: server.rests('VERIFY_RESIZE'))


@pytest.mark.parametrize('role', ROLES)
def test_killed_in_each_step_of_resize(server, role):
    server.cloud.steps.halt(*steps('resize-server'))
    server.resize()
    killed_in_each(server.cloud, server.victim(role), lambda: server.rests('VERIFY_RESIZE'))
    server.is_confirmable()
    server.act({'confirmResize': None})
    eventually('it is confirmed', lambda: server.rests('ACTIVE'))
    server.is_only_on(server.other, 3 - server.vcpus)


def test_killed_while_a_disk_is_pulled(server):
    """Both agents, when the disk is partly there: what carries it outlives them, and does no harm."""
    cloud, source, destination = server.cloud, server.victim('source')(None), server.victim('destination')(None)
    cloud.steps.halt('resize-server.export_disks')
    server.resize()
    eventually('the disk is offered', cloud.steps.reached)
    offering, = cloud.programs('qemu-nbd')
    os.kill(offering, signal.SIGSTOP)
    cloud.steps.go_on('resize-server.export_disks')
    eventually('the disk is being pulled', lambda: cloud.programs('qemu-img'))
    for agent in (destination, source):
        agent.kill()
        agent.start()
    os.kill(offering, signal.SIGCONT)
    eventually('it can be confirmed', lambda: server.rests('VERIFY_RESIZE'))
    server.is_confirmable()
    server.act({'revertResize': None})
    eventually('it is back', lambda: server.rests('ACTIVE'))
    server.is_only_on(server.host, server.vcpus)


@pytest.mark.parametrize('role', ROLES)
def test_killed_in_each_step_of_confirm(server, role):
    move(server)
    server.cloud.steps.halt(*steps('confirm-resize', 'leave-host'))
    server.act({'confirmResize': None})
    killed_in_each(server.cloud, server.victim(role), lambda: server.rests('ACTIVE'))
    server.is_only_on(server.other, 3 - server.vcpus)


@pytest.mark.parametrize('role', ROLES)
def test_killed_in_each_step_of_revert(server, role):
    move(server)
    server.cloud.steps.halt(*steps('revert-resize'))
    server.act({'revertResize': None})
    killed_in_each(server.cloud, server.victim(role), lambda: server.rests('ACTIVE'))
    server.is_only_on(server.host, server.vcpus)


def test_killed_in_each_step_of_giving_up(server):
    """The destination refuses the guest at last: all is undone, under the same fire."""
    server.cloud.steps.refuse('resize-server.spawn')
    server.cloud.steps.halt(*undos('resize-server', 'spawn'))
    server.resize()
    killed_in_each(server.cloud, server.victim('whoever is at it'), lambda: server.rests('ACTIVE'))
    assert server.operations()[0]['state'] == 'undone'
    server.is_only_on(server.host, server.vcpus)
