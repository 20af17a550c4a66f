"""A server with a real guest moves between two real libvirt hosts, asked by the real `openstack` command.

The guest counts on its own disk and on its volume (onebox/guest/init.sh): each number is on the disk before it is
shown, and at each start it says what it has found there.
"""
import os

import pytest

from computesvc.host.libvirt import Libvirt
from onebox import guest, hosts, libvirtd
from tests.system.box import Box

pytestmark = pytest.mark.system
GIB = 1 << 30
ROOT, VOLUME = 'vda', 'vdb'
DATA_AT = 300 << 20         # where the guest never writes
BUSY = 120                  # seconds that a guest has to boot while other tests run


@pytest.fixture(scope='module', autouse=True)
def image():
    """The guest's image, made once on each machine."""
    try:
        libvirtd.Libvirtd('/nowhere')._check_machine()
        return guest.image()
    except (libvirtd.Unavailable, guest.Unavailable) as error:
        pytest.skip(str(error))


@pytest.fixture
def cloud(tmp_path):
    cloud = TwoHosts(tmp_path)
    yield cloud
    cloud.end()


class TwoHosts:
    """A onebox with two hosts, a server that boots from an image there, and a volume that it has."""

    def __init__(self, folder):
        self.box = Box(folder, '--hypervisor', 'libvirt', '--backend', 'file')
        self.box.patience = BUSY
        self.box.spawn('--hosts', '2')
        self.box.wait(lambda: 'Servers run under' in self.box.said(), 'onebox is ready')
        self.names = [host.name for host in hosts.known(self.box.state)]
        self.box.wait(lambda: self.box.openstack('image', 'list', '--status', 'active'), 'the image is there')
        self.box.wait(lambda: len(self.admin('hypervisor', 'list')) == 2, 'both hosts report')
        self.admin('flavor', 'create', '--vcpus', '2', '--ram', '256', '--disk', '2', 'bigger')

    def admin(self, *words):
        return self.box.openstack(*words, cloud='onebox-admin')

    def boot(self):
        """It counts on both disks; there are data on them that it does not touch."""
        self.volume = self.box.openstack('volume', 'create', '--size', '1', 'data')['id']
        self.id = self.box.openstack('server', 'create', '--flavor', 'm1.nano', '--image', 'guest', '--no-network',
                                     'guest')['id']
        self.box.volume_is(self.volume, 'available')
        self.box.server_is(self.id, 'ACTIVE')
        self.box.act('server', 'add', 'volume', 'guest', 'data')
        self.data = {disk: os.urandom(1 << 20) for disk in (ROOT, VOLUME)}
        for disk, data in self.data.items():
            with self.file(disk).open('r+b') as file:
                file.seek(DATA_AT)
                file.write(data)
        self.counts(1)

    # -- what is there

    def server(self) -> dict:
        """As an administrator sees it."""
        return self.box.api('onebox-admin').compute('GET', f'/servers/{self.id}')['server']

    def power(self) -> list[str]:
        """What each host's libvirt says of the server."""
        return [Libvirt(libvirtd.Libvirtd(host.folder).uri, str(host.servers)).power_state(self.id)
                for host in hosts.known(self.box.state)]

    def files(self) -> list[list]:
        """The files of the server's own disks on each host."""
        return [sorted(path for path in host.servers.rglob('*.raw') if self.id in path.parts)
                for host in hosts.known(self.box.state)]

    def file(self, disk):
        """The disk that the server uses: its own one where it is, or the volume."""
        if disk == VOLUME:
            return next((self.box.state / 'volumes').glob(f'*{self.volume}*'))
        return self.files()[self.names.index(self.server()['OS-EXT-SRV-ATTR:host'])][0]

    def is_whole(self):
        """Both disks hold what was put there, and the volume is attached once."""
        for disk, data in self.data.items():
            with self.file(disk).open('rb') as file:
                file.seek(DATA_AT)
                assert file.read(len(data)) == data, disk
        found = self.box.api('onebox').volume('GET', f'/volumes/{self.volume}')['volume']
        assert (found['status'], [one['server_id'] for one in found['attachments']]) == ('in-use', [self.id])

    def said(self) -> list[str]:
        """What the guest said at each start where it is now."""
        console = self.box.api('onebox').compute('POST', f'/servers/{self.id}/action', {'os-getConsoleOutput': {}})
        return guest.starts(console['output'])

    def counts(self, starts) -> tuple[dict, dict]:
        """The guest has come up so many times where it is, and counts on both disks: what it found, and where it is."""
        said = self.box.wait(lambda: len(said := self.said()) == starts and {ROOT, VOLUME} <= guest.counters(
            said[-1]).keys() and said, f'the guest counts, at start {starts}')[-1]
        return {disk: found[-1] for disk, found in guest.counters_found(said).items()}, guest.counters(said)

    def end(self):
        self.box.kill()
        hosts.end(self.box.state)


def no_less(found, shown):
    assert all(found[disk] >= number for disk, number in shown.items()), (found, shown)


def test_there_and_back(cloud):
    """Resized, confirmed by another process than began it, migrated while it is off, reverted, started, deleted."""
    box = cloud.box
    cloud.boot()
    _, shown = cloud.counts(1)
    here = cloud.names.index(cloud.server()['OS-EXT-SRV-ATTR:host'])
    there = 1 - here

    box.act('server', 'resize', '--flavor', 'bigger', 'guest')
    box.server_is(cloud.id, 'VERIFY_RESIZE')
    found, _ = cloud.counts(1)
    no_less(found, shown)
    assert cloud.names.index(cloud.server()['OS-EXT-SRV-ATTR:host']) == there
    assert (cloud.power()[here], cloud.power()[there]) == ('shutdown', 'running')
    assert guest.sizes_seen(cloud.said()[-1])[ROOT].size == 2 * GIB
    processors, memory = guest.machine(cloud.said()[-1])
    assert (processors, memory > 128) == (2, True)
    cloud.is_whole()

    box.stop()
    box.start()         # with as many hosts as the folder has, and on each what was there
    assert (cloud.power()[here], cloud.power()[there]) == ('shutdown', 'running')
    box.act('server', 'resize', 'confirm', 'guest')
    box.server_is(cloud.id, 'ACTIVE')
    box.wait(lambda: (cloud.power()[here], cloud.files()[here]) == ('absent', []), 'the source is clean')
    assert box.openstack('server', 'show', 'guest')['flavor']['name'] == 'bigger'

    kept = cloud.counts(1)[1]
    box.act('server', 'stop', 'guest')
    box.server_is(cloud.id, 'SHUTOFF')
    box.act('server', 'migrate', cloud.id, cloud='onebox-admin')
    box.server_is(cloud.id, 'VERIFY_RESIZE')
    assert cloud.names.index(cloud.server()['OS-EXT-SRV-ATTR:host']) == here
    cloud.is_whole()
    box.act('server', 'resize', 'revert', 'guest')
    box.server_is(cloud.id, 'SHUTOFF')
    box.act('server', 'start', 'guest')
    box.server_is(cloud.id, 'ACTIVE')
    assert cloud.names.index(cloud.server()['OS-EXT-SRV-ATTR:host']) == there
    no_less(cloud.counts(2)[0], kept)
    cloud.is_whole()
    box.wait(lambda: (cloud.power()[here], cloud.files()[here]) == ('absent', []), 'the host it left is clean')

    actions = {row['Action'] for row in box.openstack('server', 'event', 'list', 'guest')}
    assert {'resize', 'confirmResize', 'migrate', 'revertResize'} <= actions
    moves = cloud.admin('server', 'migration', 'list', '--server', cloud.id)
    assert {(row['Type'], row['Status']) for row in moves} == {('resize', 'confirmed'), ('migration', 'reverted')}
    box.act('server', 'delete', '--wait', 'guest')
    box.volume_is(cloud.volume, 'available')
    assert (cloud.power(), cloud.files()) == (['absent', 'absent'], [[], []])
