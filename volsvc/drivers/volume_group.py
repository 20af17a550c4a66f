"""A volume group as the LVM driver sees it: what is in it, and one method for each thing that is done to it.

LVM's complaints become the sentences of volsvc/drivers/base.py here; its own words go to the log.
"""
import dataclasses
import errno
import logging
import os

from volsvc import privileged
from volsvc.drivers.base import DriverError, NoSpace, VolumeMissing
from volsvc.privileged import devices, lvm

LOG = logging.getLogger(__name__)
STEP = devices.MOST             # bytes between two chances to stop
FULL = ('insufficient free space', 'insufficient suitable', 'no space left on device', 'reached threshold',
        'not enough free')              # in small letters
MISSING = ('Failed to find logical volume', 'Failed to find origin')
NO_GROUP = 'Volume group "'
IN_USE = (' in use', 'is used by another device')
SAME_SIZE = 'matches existing size'
HAS_SNAPSHOTS = 'can be resized only while inactive'


class NoGroup(DriverError):
    """The volume group is not there (now)."""


class HasSnapshots(DriverError):
    """A thick volume does not grow while it is active and has snapshots."""


@dataclasses.dataclass(frozen=True)
class Logical:
    """A logical volume."""
    name: str
    size: int                   # bytes; of a thick snapshot, those set aside for what changes
    origin: str                 # what it is a snapshot of, '' for none
    thin: bool
    active: bool
    open: bool                  # somebody has its device open
    broken: bool                # a thick snapshot for which there was too little room

    @property
    def snapshot(self) -> bool:
        """Whether it cannot be without its origin."""
        return bool(self.origin) and not self.thin


class VolumeGroup:
    """`folder` is that of lvm.conf, None for the system's."""

    def __init__(self, name: str, folder: str | None):
        self.name, self._folder = name, folder

    # -------------------------------------------------------------- what there is

    def volumes(self, *ids) -> dict[str, Logical]:
        """By name: the volumes and snapshots with these ids, and what was made from them; all without an id."""
        return {row['lv_name']: _logical(row) for row in self._call(lvm.volumes, list(ids) or None)}

    def space(self) -> tuple[int, int, int]:
        """Bytes (in all, free, of one extent)."""
        rows = self._call(lvm.space)
        return tuple(int(rows[0][name]) for name in ('vg_size', 'vg_free', 'vg_extent_size'))

    def pool(self, name: str) -> tuple[int, float, float] | None:
        """(bytes, percent of them used, percent used of the pool's metadata); None if it is not there."""
        rows = self._call(lvm.pool, name)
        if not rows:
            return None
        return int(rows[0]['lv_size']), float(rows[0]['data_percent'] or 0), float(rows[0]['metadata_percent'] or 0)

    def active_size(self, name: str) -> int | None:
        """Bytes, as the kernel has it now; None if it is not active.  No program runs for it."""
        try:
            number = os.stat(f'/dev/{self.name}/{name}').st_rdev
            with open(f'/sys/dev/block/{os.major(number)}:{os.minor(number)}/size') as file:
                return int(file.read()) * 512
        except OSError:
            return None

    # -------------------------------------------------------------- changes

    def create(self, name, size, pool=None):
        self._call(lvm.create, name, size, pool)

    def create_pool(self, name):
        self._call(lvm.create_pool, name)

    def snapshot(self, name, origin, size=None):
        self._call(lvm.snapshot, name, origin, size)

    def rename(self, old, new):
        self._call(lvm.rename, old, new)

    def activate(self, name, active=True):
        self._call(lvm.activate, name, active)

    def split(self, name):
        self._call(lvm.split, name)

    def remove(self, name):
        """Fine if it is gone."""
        try:
            self._call(lvm.remove, name)
        except VolumeMissing:
            pass

    def extend(self, name, size):
        """It has `size` bytes or more, in LVM's records and in the kernel."""
        try:
            self._call(lvm.extend, name, size)
        except _SameSize:
            self._call(lvm.refresh, name)

    # -------------------------------------------------------------- data

    def clear(self, name, start, count):
        for place in range(start, start + count, STEP):
            self._call_device(devices.clear, name, place, min(STEP, start + count - place))

    def copy(self, source, target, size, holes):
        for place in range(0, size, STEP):
            self._call_device(devices.copy, source, target, place, min(STEP, size - place), holes)

    def read(self, name, place, count) -> bytes:
        return self._call_device(devices.read, name, place, min(STEP, count))

    def write(self, name, place, data):
        self._call_device(devices.write, name, place, bytes(data))

    # -------------------------------------------------------------- asking the daemon

    def _call(self, function, *arguments):
        try:
            return function(self.name, self._folder, *arguments)
        except lvm.Busy as error:
            raise DriverError('The storage backend is busy with somebody else.') from error
        except privileged.CommandFailed as error:
            LOG.warning('Volume group %s: %s', self.name, error)
            raise _said(error.args[2]) from error
        except (privileged.NotPrivileged, privileged.BadArgument, OSError) as error:
            LOG.error('Volume group %s: %s', self.name, error)
            raise DriverError('The storage backend cannot be managed now.') from error

    def _call_device(self, function, *arguments):
        try:
            return function(self.name, *arguments)
        except OSError as error:
            LOG.warning('Volume group %s: %s: %s', self.name, arguments[0], error)
            if error.errno == errno.ENOSPC:
                raise NoSpace('The storage backend is full.') from error
            raise DriverError('The storage backend failed while it moved data.') from error
        except (privileged.NotPrivileged, privileged.BadArgument) as error:
            LOG.error('Volume group %s: %s', self.name, error)
            raise DriverError('The storage backend cannot be managed now.') from error


class _SameSize(DriverError):
    """It has the size already."""


def _said(complaint: str) -> DriverError:
    """What a command's complaint means."""
    if SAME_SIZE in complaint:
        return _SameSize('It has this size.')
    if any(words in complaint.lower() for words in FULL):
        return NoSpace('The storage backend is full; what was there before is as it was.')
    if NO_GROUP in complaint and 'not found' in complaint:
        return NoGroup('The storage backend is not there.')
    if HAS_SNAPSHOTS in complaint:
        return HasSnapshots('The volume has snapshots and is in use.')
    if any(words in complaint for words in MISSING):
        return VolumeMissing('The storage backend has no such volume.')
    if any(words in complaint for words in IN_USE):
        return DriverError('The volume is in use by somebody else.')
    return DriverError('The storage backend failed.')


def _logical(row: dict) -> Logical:
    return Logical(name=row['lv_name'], size=int(row['lv_size']), origin=row['origin'], thin=bool(row['pool_lv']),
                   active=row['lv_active'] == 'active', open=row['lv_device_open'] == 'open',
                   broken=row['lv_snapshot_invalid'] not in ('', 'unknown'))
