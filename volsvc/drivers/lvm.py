"""Volumes as logical volumes of a volume group, thick or thin, which hosts reach by iSCSI.

What is being made or removed has a name of its own (`volume-<id>.part`), so a logical volume with a volume's name
is always whole.  A thin copy is a snapshot; a thick one is copied block by block, from a snapshot made for that
(`.copy`) where the source could change meanwhile.  What a thick volume held is overwritten before its space is free.
"""
import contextlib
import logging
import os
import pathlib
import tempfile
import time

from svckit import process
from svckit.operations import Refused
from volsvc import privileged
from volsvc.drivers import sparse
from volsvc.drivers.base import Driver, DriverError, NoSpace, Snapshot, VolumeMissing
from volsvc.drivers.volume_group import HasSnapshots, NoGroup, VolumeGroup
from volsvc.targets.lio import LioTarget

LOG = logging.getLogger(__name__)
GIB = 1024 ** 3
PART, COPY = '.part', '.copy'
RAW = ('raw', 'ami', 'iso')
WRITE = 4 * 1024 * 1024         # bytes of an image that are written at once
ZEROS = bytes(WRITE)
# A thick snapshot with room for its whole volume: 16 bytes say of each chunk of 4096 where it is; their first chunk
# takes another extent (cow_max_extents() in LVM's lib/metadata/snapshot_manip.c).
WHOLE = 1 + 16 / 4096
FULL = 99.5                     # percent of a thin pool's data or metadata
GLANCE = 2.0                    # seconds for which udev may have a device open that is new or was closed just now


class LvmDriver(Driver):
    """Options: see the LVM driver's in volsvc/conf.py."""
    protocol = 'iscsi'
    known_by = ('initiator',)

    def __init__(self, name, options):
        super().__init__(name, options)
        self.thin = options.lvm_type == 'thin'
        if not self.thin:
            self.snapshot_ratio = WHOLE
        self.group = VolumeGroup(options.volume_group, options.lvm_conf_folder)
        self.target = LioTarget(options, options.volume_group)
        self._pool = options.thin_pool if self.thin else None
        self._clears = options.volume_clear == 'zero'
        self._full = False              # the pool, at the last report

    def start(self):
        if not self.options.volume_group:
            raise DriverError(f'Backend {self.name}: volume_group is not set.')
        privileged.setup(self.options.privsep_helper)
        try:
            extent = self.group.space()[2]
        except NoGroup:
            raise DriverError(f'Backend {self.name}: there is no volume group {self.group.name}.') from None
        if GIB % extent:
            raise DriverError(f'Backend {self.name}: a GiB is no whole number of the extents of {self.group.name}.')
        self.snapshot_extra = 0 if self.thin else extent
        if self._pool and self.group.pool(self._pool) is None:
            self.group.create_pool(self._pool)
            LOG.info('Backend %s: made the thin pool %s/%s.', self.name, self.group.name, self._pool)
        try:
            self.target.start()
        except DriverError as error:
            raise DriverError(f'Backend {self.name}: {error}') from error

    # -------------------------------------------------------------- volumes

    def create(self, volume):
        with self._new(volume) as part:
            if part:
                self.group.create(part, volume.size, self._pool)

    def create_from_image(self, volume, image):
        with self._new(volume) as part:
            if part:
                self.group.create(part, volume.size, self._pool)
                self._fill(part, image, volume.size)

    def clone(self, volume, source):
        self._copy(volume, source)

    def extend(self, volume, size):
        if self.size(volume) >= size:
            return
        self._check_pool()
        try:
            self.group.extend(_name(volume), size)
        except HasSnapshots:
            self._extend_inactive(volume, size)

    def size(self, volume):
        found = self.group.active_size(_name(volume))
        return found if found is not None else self._get(volume).size

    def sizes(self):
        return {name.removeprefix('volume-'): one.size for name, one in self.group.volumes().items()
                if name.startswith('volume-') and not name.endswith((PART, COPY))}

    def delete(self, volume):
        found = self.group.volumes(volume.id)
        for one in found.values():
            if one.snapshot and one.origin == _name(volume):
                if one.name.startswith('volume-'):
                    raise DriverError('The volume is being copied.')
                raise Refused('The volume has snapshots; they have to be deleted first.')
        self.target.remove(volume)
        self._delete(volume, found)

    def stats(self):
        if not self._pool:
            total, free, _ = self.group.space()
            return {'total_bytes': total, 'free_bytes': free}
        found = self.group.pool(self._pool)
        if found is None:
            raise DriverError('The storage backend has lost its thin pool.')
        total, data, metadata = found
        self._full = max(data, metadata) >= FULL
        return {'total_bytes': total, 'free_bytes': 0 if self._full else int(total * (100 - data) / 100)}

    # -------------------------------------------------------------- snapshots

    def create_snapshot(self, snapshot, volume):
        with self._new(snapshot, volume) as part:
            if part:
                self.group.snapshot(part, _name(volume), None if self._get(volume).thin else 0)

    def delete_snapshot(self, snapshot):
        self._delete(snapshot, self.group.volumes(snapshot.id))

    def create_from_snapshot(self, volume, snapshot):
        self._copy(volume, snapshot)

    def revert(self, volume, snapshot):
        """A thin one is replaced by a copy of the snapshot; a thick one, which its snapshots need, is overwritten."""
        self.target.remove(volume)
        kept = self._settled(volume, snapshot)[_name(snapshot)]
        if kept.snapshot:
            self._overwrite(volume, snapshot)
            return
        self._check_pool()
        name, part, old = _name(volume), _name(volume) + PART, _name(volume) + COPY
        self.group.snapshot(part, kept.name)
        if volume.size > kept.size:
            self.group.extend(part, volume.size)
        self.group.rename(name, old)
        self.group.rename(part, name)
        self._discard(self.group.volumes(volume.id)[old])

    def read(self, source, place, count):
        self._activate(source)
        return self.group.read(_name(source), place, min(count, source.size - place))

    # -------------------------------------------------------------- hosts

    def connect(self, volume, connector, mode):
        self._activate(volume)
        return {'driver_volume_type': self.protocol, 'data': self.target.export(volume, connector, mode)}

    def disconnect(self, volume, connector):
        self.target.unexport(volume, connector)

    def restore(self, volume, connector, connection):
        self._activate(volume)
        data = connection['data']
        self.target.export(volume, connector, data['access_mode'], data)

    # -------------------------------------------------------------- making

    @contextlib.contextmanager
    def _new(self, wanted, source=None):
        """The name of what becomes the `wanted` one at the end, None if that is there already.  VolumeMissing."""
        found = self.group.volumes(wanted.id, *[source.id] if source else [])
        if _name(wanted) in found:
            yield None
            return
        if source and _name(source) not in found:
            raise _missing(source)
        self._remove_parts(wanted, found)
        self._check_pool()
        try:
            yield _name(wanted) + PART
            self.group.rename(_name(wanted) + PART, _name(wanted))
        except Exception:
            try:
                self._remove_parts(wanted, self.group.volumes(wanted.id))
            except DriverError as error:
                LOG.warning('What was made of %s is still there: %s', _name(wanted), error)
            raise

    def _copy(self, volume, source):
        with self._new(volume, source) as part:
            if not part:
                return
            if self.thin and self._get(source).thin:
                self.group.snapshot(part, _name(source))
                if volume.size > source.size:
                    self.group.extend(part, volume.size)
            else:
                self.group.create(part, volume.size, self._pool)
                self._copy_blocks(volume, part, source)

    def _copy_blocks(self, volume, part, source):
        """From what does not change meanwhile: the source if it is a snapshot, otherwise one made for this."""
        owner, still = source, _name(source)
        if not self._get(source).snapshot:
            owner, still = volume, _name(volume) + COPY
            self._hold_still(still, source)
        self.group.copy(still, part, source.size, holes=self.thin)
        one = self.group.volumes(owner.id)[still]
        if one.broken:
            raise DriverError('There was no room for what was written to the source meanwhile.')
        if owner is volume:
            self._discard(one)

    def _hold_still(self, name, source):
        """With as much room as there is, at most for all of the source."""
        _, free, extent = self.group.space()
        if free < extent:
            raise NoSpace('The storage backend is full: a copy needs room for what is written meanwhile.')
        self.group.snapshot(name, _name(source), min(free, source.size + source.size // 64 + extent))

    def _fill(self, part, image, size):
        if image.disk_format in RAW:
            self._write(part, image.chunks(), size, image.id)
            return
        folder = pathlib.Path(self.options.image_folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix='.image-') as file:
                os.truncate(file.fileno(), size)
                sparse.write(file.fileno(), image, size)
                self._write(part, _chunks(file.fileno(), size), size, image.id)
        except OSError as error:
            raise DriverError(f'The image could not be unpacked: {error.strerror}.') from error

    def _write(self, part, chunks, size, what):
        place, gathered = 0, bytearray()
        for chunk in chunks:
            gathered += chunk
            if place + len(gathered) > size:
                raise Refused(f'Image {what} is larger than the volume.')
            while len(gathered) >= WRITE:
                place = self._put(part, gathered[:WRITE], place)
                del gathered[:WRITE]
        self._put(part, gathered, place)

    def _put(self, part, data, place) -> int:
        """Zeros need no writing to a thin volume."""
        if data != ZEROS[:len(data)]:
            self.group.write(part, place, data)
        elif not self.thin:
            self.group.clear(part, place, len(data))
        return place + len(data)

    # -------------------------------------------------------------- going back

    def _settled(self, volume, snapshot):
        """What there is of them, once an earlier revert was ended that was killed between its two renames."""
        name, part, old = _name(volume), _name(volume) + PART, _name(volume) + COPY
        found = self.group.volumes(volume.id, snapshot.id)
        if name not in found and part in found and old in found:
            self.group.rename(part, name)
            found = self.group.volumes(volume.id, snapshot.id)
        for one in (volume, snapshot):
            if _name(one) not in found:
                raise _missing(one)
        self._remove_parts(volume, found)
        return found

    def _overwrite(self, volume, snapshot):
        for one in (volume, snapshot):
            self._activate(one)
        if self._get(snapshot).broken:
            raise Refused('There was no room for all of the snapshot: it is of no use any more.')
        self.group.copy(_name(snapshot), _name(volume), snapshot.size, holes=False)
        if self._get(snapshot).broken:
            raise DriverError('There was no room for what had to be kept of the snapshot.')

    # -------------------------------------------------------------- growing

    def _extend_inactive(self, volume, size):
        """Where it has thick snapshots: without its device for a moment, which works while nobody uses it."""
        end = time.monotonic() + GLANCE
        while self._get(volume).open:
            if time.monotonic() > end:
                raise Refused('The volume has snapshots and is in use: such a one cannot grow. '
                              'Detach it or delete its snapshots.')
            time.sleep(GLANCE / 10)
        self.group.activate(_name(volume), False)
        try:
            self.group.extend(_name(volume), size)
        finally:
            self.group.activate(_name(volume))

    def _check_pool(self):
        """NoSpace where the pool was full at the last report: a thin volume could be made there, not written."""
        if self._full:
            raise NoSpace('The storage backend is full; what was there before is as it was.')

    # -------------------------------------------------------------- removing

    def _delete(self, gone, found):
        """Under another name first, so that what is half cleared is never taken for it."""
        self._remove_parts(gone, found)
        if _name(gone) not in found:
            return
        if self._clears and not found[_name(gone)].thin:
            self.group.rename(_name(gone), _name(gone) + PART)
            self._remove_parts(gone, self.group.volumes(gone.id))
        else:
            self.group.remove(_name(gone))

    def _remove_parts(self, thing, found):
        for name in (_name(thing) + COPY, _name(thing) + PART):
            if name in found:
                self._discard(found[name])

    def _discard(self, one):
        """It is gone, and so is what it held."""
        if self._clears and not one.thin:
            if one.snapshot:
                self.group.split(one.name)          # what was set aside for it holds data of its origin
            if not one.active:
                self.group.activate(one.name)
            self.group.clear(one.name, 0, one.size)
        self.group.remove(one.name)

    # -------------------------------------------------------------- finding

    def _get(self, wanted):
        try:
            return self.group.volumes(wanted.id)[_name(wanted)]
        except KeyError:
            raise _missing(wanted) from None

    def _activate(self, volume):
        if self.group.active_size(_name(volume)) is None:
            self._get(volume)
            self.group.activate(_name(volume))


def _name(thing) -> str:
    """Of the logical volume.  LVM keeps names that begin with "snapshot" for itself."""
    return f'_{thing.name}' if isinstance(thing, Snapshot) else thing.name


def _missing(thing):
    return VolumeMissing(f'The storage backend has no {thing.name.partition("-")[0]} {thing.id}.')


def _chunks(file, size):
    for place in range(0, size, WRITE):
        yield process.native(os.pread, file, min(WRITE, size - place), place)
