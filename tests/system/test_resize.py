"""A server with a real guest moves between two real libvirt hosts, asked by the real `openstack` command.

The guest counts on its own disk and on its volume (onebox/guest/init.sh): each number is on the disk before it is
shown, and at each start it says what it has found there.
"""
import os

import pytest

from computesvc.host.libvirt import Libvirt
from onebox import guest, hosts, libvirtd
from tests.system.box import Box
from tests.system.processes import eventually

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
        self.user, self.admin = self.box.api('onebox'), self.box.api('onebox-admin')
        self.admin.compute('POST', '/flavors', {'flavor': {'name': 'bigger', 'vcpus': 2, 'ram': 256, 'disk': 2}})
        eventually('both hosts report', lambda: len(self.admin.compute('GET', '/os-hypervisors')['hypervisors']) == 2)
        self.image = self.user.image_id('guest')

    def boot(self):
        """It counts on both disks; there are data on them that it does not touch."""
        self.volume = self.user.new_volume(1, name='data')
        self.id = self.user.compute('POST', '/servers', {'server': {
            'name': 'guest', 'flavorRef': '42', 'imageRef': self.image, 'networks': 'none'}})['server']['id']
        self.box.volume_is(self.volume, 'available')
        self.box.server_is(self.id, 'ACTIVE')
        self.user.attach(self.id, self.volume)
        self.data = {disk: os.urandom(1 << 20) for disk in (ROOT, VOLUME)}
        for disk, data in self.data.items():
            with self.file(disk).open('r+b') as file:
                file.seek(DATA_AT)
                file.write(data)
        self.counts(1)

    # -- what is there

    def act(self, name):
        """An action that is not what this is about, so without the client."""
        self.box.api('onebox').compute('POST', f'/servers/{self.id}/action', {name: None})

    def where(self) -> int:
        """The number of the host that the compute service says it is on."""
        server = self.box.api('onebox-admin').compute('GET', f'/servers/{self.id}')['server']
        return self.names.index(server['OS-EXT-SRV-ATTR:host'])

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
        return self.files()[self.where()][0]

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
    """Resized, its volume grown, confirmed by another process than began it, migrated while it is off, reverted,
    started, deleted."""
    box = cloud.box
    cloud.boot()
    _, shown = cloud.counts(1)
    here = cloud.where()
    there = 1 - here

    box.act('server', 'resize', '--flavor', 'bigger', 'guest')
    box.server_is(cloud.id, 'VERIFY_RESIZE')
    found, _ = cloud.counts(1)
    no_less(found, shown)
    assert cloud.where() == there
    assert (cloud.power()[here], cloud.power()[there]) == ('shutdown', 'running')
    assert guest.sizes_seen(cloud.said()[-1])[ROOT].size == 2 * GIB
    processors, memory = guest.machine(cloud.said()[-1])
    assert (processors, memory > 128) == (2, True)
    cloud.is_whole()
    box.act('volume', 'set', '--size', '2', 'data')
    box.wait(lambda: guest.size_seen(cloud.said()[-1], cloud.volume) == 2 * GIB, 'the guest sees its volume grown')

    box.stop()
    box.start()         # with as many hosts as the folder has, and on each what was there
    assert (cloud.power()[here], cloud.power()[there]) == ('shutdown', 'running')
    box.act('server', 'resize', 'confirm', 'guest')
    box.server_is(cloud.id, 'ACTIVE')
    box.wait(lambda: (cloud.power()[here], cloud.files()[here]) == ('absent', []), 'the source is clean')
    assert box.openstack('server', 'show', 'guest')['flavor']['name'] == 'bigger'

    kept = cloud.counts(1)[1]
    cloud.act('os-stop')
    box.server_is(cloud.id, 'SHUTOFF')
    box.act('server', 'migrate', cloud.id, cloud='onebox-admin')
    box.server_is(cloud.id, 'VERIFY_RESIZE')
    assert cloud.where() == here
    cloud.is_whole()
    box.act('server', 'resize', 'revert', 'guest')
    box.server_is(cloud.id, 'SHUTOFF')
    cloud.act('os-start')
    box.server_is(cloud.id, 'ACTIVE')
    assert cloud.where() == there
    no_less(cloud.counts(2)[0], kept)
    assert guest.size_seen(cloud.said()[-1], cloud.volume) == 2 * GIB
    cloud.is_whole()
    box.wait(lambda: (cloud.power()[here], cloud.files()[here]) == ('absent', []), 'the host it left is clean')

    actions = {row['Action'] for row in box.openstack('server', 'event', 'list', 'guest')}
    assert {'resize', 'confirmResize', 'migrate', 'revertResize'} <= actions
    moves = box.openstack('server', 'migration', 'list', '--server', cloud.id, cloud='onebox-admin')
    assert {(row['Type'], row['Status']) for row in moves} == {('resize', 'confirmed'), ('migration', 'reverted')}
    box.api('onebox').compute('DELETE', f'/servers/{cloud.id}')
    box.volume_is(cloud.volume, 'available')
    box.wait(lambda: (cloud.power(), cloud.files()) == (['absent', 'absent'], [[], []]), 'both hosts are clean')
