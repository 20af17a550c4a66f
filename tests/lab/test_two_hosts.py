"""One volume in two servers, each on a host of its own: both see it grow, and none waits for the other.

The services are separate processes with RabbitMQ between them; the second host has its own kernel, initiator,
multipathd and libvirtd. After every story, whatever happened: all sizes agree, on both hosts by four paths, and both
see the data that was there before.
"""
import json
import pathlib

import pytest

from tests.lab import neighbour
from tests.lab.deployment import TwoHosts, eventually
from tests.lab.services import PORTALS
from tests.lab.sight import GIB, Pattern, Seen

HOSTS = ('node1', 'node2')
TARGETS = pathlib.Path('/sys/kernel/config/target/iscsi')


class Shared:
    """The volume, which each story takes further, and its servers by host."""

    def __init__(self, cloud: TwoHosts):
        self.cloud, self.api = cloud, cloud.admin
        kind = self.api.volume('POST', '/types', {'volume_type': {
            'name': 'shared', 'extra_specs': {'multiattach': '<is> True'}}})['volume_type']
        self.size, self.id = GIB, self.api.new_volume(1, volume_type=kind['id'])
        eventually('the volume is made', lambda: self.api.volume_is(self.id, status='available'))
        self.servers = {host: cloud.new_server(host, host) for host in HOSTS}
        eventually('both servers run', lambda: all(
            self.api.server_is(server, 'ACTIVE') for server in self.servers.values()))
        for host in HOSTS:
            self.attach(host)
        self.seen = Seen(self.id, cloud.hypervisors['node1'])
        self.pattern = Pattern(self.seen)

    def attach(self, host):
        self.api.attach(self.servers[host], self.id)
        eventually(f'the server of {host} has the volume', lambda: host in self.attached())

    def attached(self) -> list[str]:
        """Hosts whose servers have it."""
        attachments = self.api.volume('GET', f'/attachments/detail?volume_id={self.id}')['attachments']
        having = {one['instance'] for one in attachments if one['status'] == 'attached'}
        return [host for host, server in self.servers.items() if server in having]

    def grow(self) -> int:
        """One GiB more is asked for; the bytes that shall be."""
        self.request_id = self.api.extend(self.id, self.size // GIB + 1)
        self.size += GIB
        return self.size

    def operation(self) -> dict:
        """The last growth."""
        return self.operations(f'&request_id={self.request_id}')[0]

    def operations(self, query='') -> list[dict]:
        return self.api.volume('GET', f'/operations?volume_id={self.id}{query}')['operations']

    # -- looking

    def afar(self) -> dict:
        """look.py on the second host."""
        return json.loads(self.cloud.neighbour.python(
            '-m', 'tests.lab.look', self.id, self.cloud.hypervisors['node2'], self.servers['node2'],
            *self.pattern.places))

    def near(self) -> dict:
        """{who says so: bytes} on the first host."""
        return self.seen.sizes(self.servers['node1'])

    def has_grown_here(self) -> bool:
        assert set(self.near().values()) == {self.size}, self.near()
        return self.api.volume_is(self.id, status='in-use', size=self.size // GIB)

    def has_grown_there(self) -> bool:
        found = self.afar()
        assert {*found['paths'].values(), found['map'], found['guest']} == {self.size}, found
        assert found['paths'].keys() == set(PORTALS) and found['members'] == sorted(found['disks'].values()), found
        assert found['data'] == self.pattern.wanted
        return True

    def is_at_rest(self):
        operations = self.operations()
        operations += [child for operation in operations for child in operation['children']]
        assert {operation['state'] for operation in operations} == {'done'}, operations
        assert self.api.quota() == self.api.counted()
        return True


@pytest.fixture(scope='module')
def shared(two_hosts):
    return Shared(two_hosts)


@pytest.fixture
def volume(shared):
    """The shared one; see the module for what is true after the test."""
    yield shared
    eventually('all is as it should be on the first host', shared.has_grown_here)
    eventually('all is as it should be on the second host', shared.has_grown_there)
    eventually('nothing is left to do', shared.is_at_rest)
    shared.pattern.check()


def access(volume) -> dict[str, tuple]:
    """Who may log in to the volume's target: {initiator: (name, password)}."""
    return {path.name: tuple((path / 'auth' / name).read_text().strip() for name in ('userid', 'password'))
            for path in TARGETS.glob(f'*{volume.id}/tpgt_*/acls/*')}


def log_in(volume, login):
    """From the second host, by hand."""
    target, = (path.name for path in TARGETS.glob(f'*{volume.id}'))
    record = ('iscsiadm', '--mode', 'node', '--targetname', target, '--portal', f'{PORTALS[0]}:3260')
    run = volume.cloud.neighbour.run
    run(*record, '--op', 'new')
    try:
        for name, value in zip(('authmethod', 'username', 'password'), ('CHAP', *login), strict=True):
            run(*record, '--op', 'update', '--name', f'node.session.auth.{name}', '--value', value)
        run(*record, '--login')
    finally:
        run(*record, '--op', 'delete')


def test_each_host_has_access_of_its_own(volume):
    names = {volume.cloud.initiator(host) for host in HOSTS}
    assert len(names) == 2 and access(volume).keys() == names


def test_both_grow(volume):
    volume.grow()


def test_the_second_agent_is_killed(volume):
    """The first guest grows as if nothing were; the second when its agent is back."""
    agent = volume.cloud.processes['computesvc-agent@node2']
    agent.kill()
    before, size = volume.size, volume.grow()
    eventually('the first guest has grown', volume.has_grown_here)
    waits(volume)
    found = volume.afar()
    assert found['map'] == found['guest'] == before < size
    agent.start()


def test_the_wire_is_cut(volume):
    """The second host is out of reach of the broker and of all portals; it catches up when it is back."""
    with neighbour.cut():
        volume.grow()
        eventually('the first guest has grown', volume.has_grown_here)
        waits(volume)


def waits(volume):
    """The growth is done and the first server was told; that the second host is yet to be is for all to see."""
    def look():
        operation = volume.operation()
        states = {child['state']: child for child in operation['children']}
        assert operation['state'] == 'done' and states.keys() == {'done', 'running'}, operation
        return 'host of the server' in (states['running']['error'] or '')
    eventually('the second host is waited for', look)


def test_one_host_gives_it_up(volume):
    """The other's device stays, and grows; the host that left may not log in any more, and can come back."""
    cloud, disks = volume.cloud, volume.seen.disks()
    server = volume.servers['node2']
    cloud.neighbour.run('virsh', '--connect', cloud.hypervisors['node2'], 'destroy', server)    # it would not let go
    volume.api.compute('DELETE', f'/servers/{server}/os-volume_attachments/{volume.id}')
    eventually('it is detached', lambda: volume.attached() == ['node1'])
    assert volume.afar() == {'disks': {}, 'paths': {}}
    assert not cloud.neighbour.run('ls', '/sys/class/iscsi_session')
    login, = access(volume).values()
    with pytest.raises(neighbour.Failed, match='authorization'):
        log_in(volume, login)
    volume.grow()
    eventually('the first guest has grown', volume.has_grown_here)
    assert volume.seen.disks() == disks
    volume.api.compute('POST', f'/servers/{server}/action', {'os-start': None})
    eventually('the server runs again', lambda: volume.api.server_is(server, 'ACTIVE'))
    volume.attach('node2')


def test_no_log_has_a_secret(volume):
    """All that was done before was logged, on both hosts, and none of it with a CHAP password."""
    passwords = {password for _, password in access(volume).values()}
    assert passwords
    logs = volume.cloud.logs()
    assert all(logs) and not [log for log in logs for password in passwords if password in log]
