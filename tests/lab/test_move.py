"""A server moves between two hosts, and its volume with it: four iSCSI paths under a multipath map, made anew there.

The host that it leaves has nothing left of the volume in /dev, multipathd and iscsiadm; the one that it comes back to
has all as before.
"""
import json
import pathlib

import pytest

from tests.lab.deployment import TwoHosts, eventually
from tests.lab.services import PORTALS
from tests.lab.sight import GIB, Pattern, Seen

HOSTS = ('node1', 'node2')
TARGETS = pathlib.Path('/sys/kernel/config/target/iscsi')
STORAGE = ('targets', 'target storage')     # what a volume has on the storage wherever it is used


class Mover:
    """The server, on the first host to begin with, and its volume."""

    def __init__(self, cloud: TwoHosts):
        self.cloud, self.api = cloud, cloud.admin
        self.size, self.vcpus = GIB, 1
        self.id, self.volume_id = cloud.new_server('mover', 'node1'), self.api.new_volume(1)
        eventually('the server runs', lambda: self.api.server_is(self.id, 'ACTIVE'))
        eventually('the volume is made', lambda: self.api.volume_is(self.volume_id, status='available'))
        self.without = {host: cloud.traces(host) for host in HOSTS}
        self.api.attach(self.id, self.volume_id)
        eventually('the volume is attached', lambda: self.api.volume_is(self.volume_id, status='in-use'))
        self.seen = Seen(self.volume_id, cloud.hypervisors['node1'])
        self.pattern = Pattern(self.seen)

    def act(self, body, ends):
        """It is done when the server has that status and nothing is left to do."""
        self.api.compute('POST', f'/servers/{self.id}/action', body)
        eventually(f'the server is {ends}', lambda: self.api.server_is(self.id, ends) and self.rests())

    def resize(self):
        self.vcpus = 3 - self.vcpus
        self.act({'resize': {'flavorRef': self.cloud.flavors[self.vcpus]}}, 'VERIFY_RESIZE')

    def rests(self) -> bool:
        operations = self.api.compute('GET', f'/servers/{self.id}/operations')['operations']
        assert all(operation['finished_at'] for operation in operations), operations
        return True

    # -- looking

    def look(self, host) -> dict:
        """The volume there: look.py."""
        words = (self.volume_id, self.cloud.hypervisors[host], self.id, *map(str, self.pattern.places))
        if host == 'node2':
            return json.loads(self.cloud.neighbour.python('-m', 'tests.lab.look', *words))
        from tests.lab.look import look
        return look(*words)

    def is_on(self, host) -> bool:
        """All of the volume: every path, the map over all of them, the guest's disk, its data; and only that host's."""
        found = self.look(host)
        assert {*found['paths'].values(), found['map'], found['guest']} == {self.size}, found
        assert found['paths'].keys() == set(PORTALS) and found['members'] == sorted(found['disks'].values()), found
        assert found['data'] == self.pattern.wanted
        assert {path.name for path in TARGETS.glob(f'*{self.volume_id}/tpgt_*/acls/*')} == {self.cloud.initiator(host)}
        attachments = self.api.volume('GET', f'/volumes/{self.volume_id}')['volume']['attachments']
        assert [(one['server_id'], one['host_name']) for one in attachments] == [(self.id, host)]
        return True

    def has_left(self, host) -> bool:
        """Nothing there tells of the volume."""
        now = self.cloud.traces(host)
        changed = {kind: sorted({*now[kind]} ^ {*names}) for kind, names in self.without[host].items()
                   if kind not in STORAGE and now[kind] != names}
        assert not changed, changed
        return True

    def domains(self, host) -> set:
        """The servers that libvirt knows there, running or not."""
        words = ('virsh', '--connect', self.cloud.hypervisors[host], 'list', '--all', '--uuid')
        if host == 'node2':
            return set(self.cloud.neighbour.run(*words).decode().split())
        from tests.lab.wrecking import run
        return set(run(*words).split())


@pytest.fixture(scope='module')
def mover(two_hosts):
    return Mover(two_hosts)


def test_confirmed(mover):
    """From the first host to the second."""
    mover.resize()
    eventually('the second host has all of it', lambda: mover.is_on('node2'))
    eventually('the first has nothing of the volume', lambda: mover.has_left('node1'))
    assert mover.id in mover.domains('node1'), 'it may come back'
    mover.act({'confirmResize': None}, 'ACTIVE')
    assert mover.is_on('node2') and mover.has_left('node1')
    assert mover.id not in mover.domains('node1')


def test_grown_and_reverted(mover):
    """From the second host to the first; there the volume grows, and so it does where it is then back."""
    mover.resize()
    eventually('the first host has all of it', lambda: mover.is_on('node1'))
    eventually('the second has nothing of the volume', lambda: mover.has_left('node2'))
    mover.api.extend(mover.volume_id, 2)
    mover.size = 2 * GIB
    eventually('it grows there', lambda: mover.is_on('node1'))
    mover.act({'revertResize': None}, 'ACTIVE')
    eventually('the second host has all of it again', lambda: mover.is_on('node2'))
    eventually('the first has nothing of it', lambda: mover.has_left('node1'))
    assert mover.id not in mover.domains('node1')


def test_no_log_has_a_secret(mover):
    passwords = {path.read_text().strip() for path in TARGETS.glob('*/tpgt_*/acls/*/auth/password')}
    logs = mover.cloud.logs()
    assert passwords and all(logs) and not [log for log in logs for password in passwords if password in log]
