"""What the machine shows of a volume, asked with none of our code: its sizes at every station, and its data."""
import contextlib
import hashlib
import mmap
import os
import pathlib
from xml.etree import ElementTree

SECTOR = 512                        # the unit of every size in /sys
GIB = 1 << 30
BLOCK = pathlib.Path('/sys/class/block')
SESSIONS = pathlib.Path('/sys/class/iscsi_session')
PIECE = 256 * 1024                  # bytes of the pattern in one place


class Seen:
    """A volume of the volume group `lab` on this host. Sizes are bytes."""

    def __init__(self, volume_id: str, hypervisor: str):
        self.id, self._hypervisor = volume_id, hypervisor
        self.logical = pathlib.Path('/dev/lab') / f'volume-{volume_id}'

    def disks(self) -> dict[str, str]:
        """{portal's address: 'sdb'}."""
        found = {}
        for session in SESSIONS.iterdir():
            with contextlib.suppress(OSError):      # it goes away this moment
                if _read(session / 'targetname').endswith(f'volume-{self.id}'):
                    number = session.name.removeprefix('session')
                    portal = _read(f'/sys/class/iscsi_connection/connection{number}:0/persistent_address')
                    for disk in session.glob('device/target*/*/block/*'):
                        found[portal] = disk.name
        return found

    def paths(self) -> dict[str, int]:
        """{portal's address: size}."""
        return {portal: size(disk) for portal, disk in self.disks().items()}

    def map(self) -> str | None:
        """'dm-3', which has at least one of the disks in it."""
        holders = {holder.name for disk in self.disks().values() for holder in (BLOCK / disk / 'holders').glob('dm-*')}
        assert len(holders) < 2, f'volume {self.id} is in several maps: {holders}'
        return holders.pop() if holders else None

    def members(self) -> set[str]:
        """Disks in the map."""
        return {path.name for path in (BLOCK / self.map() / 'slaves').iterdir()}

    def device(self) -> str:
        """What guests open."""
        return f'/dev/mapper/{_read(BLOCK / self.map() / "dm/name")}'

    def on_backend(self) -> int:
        return size(self.logical.resolve().name)

    def on_host(self) -> int:
        return size(self.map())

    def in_guest(self, server_id) -> int:
        """As libvirt says of the running domain."""
        import libvirt
        with contextlib.closing(libvirt.open(self._hypervisor)) as connection:
            domain = connection.lookupByUUIDString(server_id)
            for disk in ElementTree.fromstring(domain.XMLDesc()).iter('disk'):
                if disk.findtext('serial') == self.id:
                    return domain.blockInfo(disk.find('target').get('dev'))[0]
        raise AssertionError(f'the guest has no disk of volume {self.id}')

    def sizes(self, *servers) -> dict[str, int]:
        """All of them, by who says so."""
        return {'backend': self.on_backend(), **self.paths(), 'map': self.on_host(),
                **{f'guest {server}': self.in_guest(server) for server in servers}}


class Pattern:
    """Random bytes at the beginning, in the middle and at the end of a volume, written as its user would."""

    def __init__(self, seen: Seen):
        self._seen = seen
        whole = seen.on_host()
        self.places = (0, whole // 2, whole - PIECE)
        self.wanted = [self._write(place) for place in self.places]

    def check(self):
        """The bytes are on the backend, and every path and the map show them."""
        disks = [f'/dev/{disk}' for disk in self._seen.disks().values()]
        for device in (str(self._seen.logical), self._seen.device(), *disks):
            found = [digest(device, place) for place in self.places]
            assert found == self.wanted, f'{device} shows other data than was written'

    def _write(self, place):
        data = _page_aligned()
        data[:] = os.urandom(PIECE)
        file = os.open(self._seen.device(), os.O_WRONLY | os.O_DIRECT)
        try:
            assert os.pwrite(file, data, place) == PIECE
            os.fsync(file)
        finally:
            os.close(file)
        return _digest(data)


def size(name: str) -> int:
    """Bytes of the block device 'sda' or 'dm-0'."""
    return int(_read(BLOCK / name / 'size')) * SECTOR


def digest(device, place) -> str:
    """Of PIECE bytes of the device itself, not of what this machine remembers of it."""
    return _digest(_direct(device, place))


def _direct(device, place):
    data = _page_aligned()
    file = os.open(device, os.O_RDONLY | os.O_DIRECT)
    try:
        assert os.preadv(file, [data], place) == PIECE
    finally:
        os.close(file)
    return data


def _page_aligned():
    """O_DIRECT asks for that."""
    return mmap.mmap(-1, PIECE)


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _read(path):
    return pathlib.Path(path).read_text().strip()
