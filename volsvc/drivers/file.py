"""Volumes as raw files in a folder: one file each, of exactly the volume's size.

A new file is made under another name and renamed when it is whole, so a file with
a volume's name is always complete.  What can take long runs in native threads.
"""
import contextlib
import errno
import fcntl
import logging
import os
import pathlib
import time

from svckit import process
from volsvc.drivers import sparse
from volsvc.drivers.base import Driver, DriverError, NoSpace, VolumeMissing

LOG = logging.getLogger(__name__)
PATIENCE = 5.0          # seconds to wait for whoever else is about to change a file's length
WRITTEN = ('It was copied piece by piece while a server wrote to its source, because the file system of the storage '
           'backend cannot share blocks: what it holds is not of one moment.')
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileDriver(Driver):
    """Options: `path` the folder, `preallocation` sparse or full."""
    protocol = 'local'

    def __init__(self, name, options):
        super().__init__(name, options)
        self.folder = pathlib.Path(options.path).absolute()
        self.thin = options.preallocation == 'sparse'

    def start(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DriverError(f'Backend {self.name}: the folder {self.folder} cannot be made: '
                              f'{error.strerror}.') from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise DriverError(f'Backend {self.name}: the folder {self.folder} cannot be written to.')

    def create(self, volume):
        with self._new(volume) as file:
            if file:
                process.native(self._grow, file, 0, volume.size)

    def create_from_image(self, volume, image):
        with self._new(volume) as file:
            if file:
                process.native(self._grow, file, 0, volume.size)
                sparse.write(file, image, volume.size)

    def clone(self, volume, source):
        return self._copy(volume, source)

    def create_snapshot(self, snapshot, volume):
        return self._copy(snapshot, volume)

    def delete_snapshot(self, snapshot):
        self.delete(snapshot)

    def create_from_snapshot(self, volume, snapshot):
        self._copy(volume, snapshot)

    def revert(self, volume, snapshot):
        """By a new file in the place of the old one, so that it is the one or the other."""
        self.size(volume)
        with self._new(volume, anew=True) as file, self._open(snapshot, os.O_RDONLY) as original:
            process.native(self._grow, file, 0, volume.size)
            sparse.copy(original, file, volume.progress)

    def read(self, source, place, count):
        with self._open(source, os.O_RDONLY) as file:
            return process.native(os.pread, file, count, place)

    def used(self, source):
        with self._open(source, os.O_RDONLY) as file:
            return process.native(sparse.end, file)

    def extend(self, volume, size):
        with self._open(volume, os.O_RDWR) as file, _locked(file):
            there = os.fstat(file).st_size
            if there < size:
                process.native(self._grow, file, there, size)

    def size(self, volume):
        try:
            return os.stat(self._path(volume)).st_size
        except FileNotFoundError:
            raise _missing(volume) from None

    def delete(self, volume):
        for path in (self._path(volume), self._part(volume)):
            with _said():
                process.native(path.unlink, missing_ok=True)
        _sync_folder(self.folder)

    def sizes(self):
        return process.native(self._sizes)

    def connect(self, volume, connector, mode):
        self.size(volume)
        return {'driver_volume_type': 'local',
                'data': {'device_path': str(self._path(volume)), 'volume_id': volume.id, 'access_mode': mode,
                         'encrypted': False, 'qos_specs': None, 'cacheable': False}}

    def disconnect(self, volume, connector):
        """The file stays where it is: there is nothing to take back."""

    def stats(self):
        found = process.native(os.statvfs, self.folder)
        return {'total_bytes': found.f_blocks * found.f_frsize, 'free_bytes': found.f_bavail * found.f_frsize}

    def _sizes(self):
        found = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.name.startswith('volume-'):
                        found[entry.name.removeprefix('volume-')] = entry.stat().st_size
        return found

    def _copy(self, new, source) -> str | None:
        if self._path(new).exists():
            return None                 # done before; the source may be gone by now
        with self._new(new) as file, self._open(source, os.O_RDONLY) as original:
            if not file:
                return None
            process.native(self._grow, file, 0, new.size)
            written = os.fstat(original).st_mtime_ns
            if sparse.copy(original, file, new.progress) or os.fstat(original).st_mtime_ns == written:
                return None
            return WRITTEN

    def _path(self, volume) -> pathlib.Path:
        return self.folder / volume.name

    def _part(self, volume) -> pathlib.Path:
        return self.folder / f'.{volume.name}.part'

    @contextlib.contextmanager
    def _new(self, volume, anew=False):
        """The descriptor of a file that becomes the volume's at the end, None if there is one already.

        `anew`: it takes the place of the one that there is.
        """
        if not anew and self._path(volume).exists():
            yield None
            return
        part = self._part(volume)
        with _said():
            file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with _said():
                yield file
                process.native(os.fsync, file)
                os.rename(part, self._path(volume))
                _sync_folder(self.folder)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)

    @contextlib.contextmanager
    def _open(self, volume, flags):
        try:
            file = os.open(self._path(volume), flags | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _missing(volume) from None
        try:
            with _said():
                yield file
        finally:
            os.close(file)

    def _grow(self, file: int, there: int, size: int):
        """Space first, length last: a disk that fills up leaves the length, and so the volume, as it was."""
        if not self.thin:
            sparse.allocate(file, there, size)
        os.ftruncate(file, size)
        if there:
            os.fsync(file)


def _missing(thing):
    return VolumeMissing(f'The storage backend has no {thing.name.partition("-")[0]} {thing.id}.')


@contextlib.contextmanager
def _said():
    """Operating system errors as sentences that name no path."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace('The storage backend is full; the volume is as it was before.') from error
        raise DriverError(f'The storage backend failed: {error.strerror}.') from error


@contextlib.contextmanager
def _locked(file: int):
    """Alone with the file's length: a hypervisor on this host sets it too, holding the same lock."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                raise DriverError('The volume is being resized by somebody else.') from None
            time.sleep(0.01)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        process.native(os.fsync, descriptor)
    finally:
        os.close(descriptor)
