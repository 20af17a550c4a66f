"""A volume's data in the format that an image of it shall have."""
import contextlib
import logging
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

from svckit import process
from svckit.operations import Refused
from volsvc.drivers.base import DriverError

LOG = logging.getLogger(__name__)
# Formats of images, and what qemu-img needs to make them; a VMDK is read by others only as a stream.
FORMATS = {'raw': None, 'qcow2': ['qcow2'], 'vmdk': ['vmdk', '-o', 'subformat=streamOptimized'], 'vdi': ['vdi'],
           'vhd': ['vpc'], 'vhdx': ['vhdx'], 'ploop': ['parallels']}
STEP = 4 * 1024 * 1024
SECTOR = 512
LONGEST = 6 * 3600.0            # seconds that packing may take
Read = Callable[[int, int], bytes]


@contextlib.contextmanager
def packed(folder: str, name: str, disk_format: str, size: int, used: int, read: Read, progress):
    """(bytes, read) of an image of a volume of `size` bytes, all zero beyond `used`; read(place, count) as a driver's.

    What is zero at the end of a raw one is left out.  Any other is made in the folder, in files of that name, which
    takes room for what the volume holds twice.  `progress` is called now and then with the per cent.
    """
    if FORMATS[disk_format] is None:
        yield min(size, max(-(-used // SECTOR), 1) * SECTOR), read
        return
    raw, image = _paths(folder, name)
    clean(folder, name)
    try:
        _copy(raw, size, used, read, progress)
        _convert(raw, image, FORMATS[disk_format])
        raw.unlink()
        with open(image, 'rb') as file:
            yield os.fstat(file.fileno()).st_size, lambda place, count: process.native(
                os.pread, file.fileno(), count, place)
    finally:
        clean(folder, name)


def clean(folder: str, name: str) -> None:
    """Nothing is left of it, also if it was killed half way."""
    for path in _paths(folder, name):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def _paths(folder, name):
    return [pathlib.Path(folder) / f'.{name}.{kind}' for kind in ('raw', 'packed')]


def _copy(path, size, used, read, progress):
    """Holes where there are zeros."""
    zeros = bytes(STEP)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path, 'wb', opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            os.truncate(file.fileno(), size)
            place = 0
            while place < used and (data := read(place, min(STEP, used - place))):
                if data != zeros[:len(data)]:
                    process.native(_put, file, place, data)
                place += len(data)
                progress(0)
    except OSError as error:
        raise DriverError(f'The volume could not be packed: {error.strerror}.') from error


def _put(file, place, data):
    file.seek(place)
    file.write(data)


def _convert(raw, image, words):
    program = shutil.which('qemu-img')
    if program is None:
        raise Refused('This backend makes only raw images, as it has no qemu-img.')
    command = [program, 'convert', '-f', 'raw', '-O', *words, str(raw), str(image)]
    done = process.native(subprocess.run, command, capture_output=True, text=True, timeout=LONGEST)
    if done.returncode:
        LOG.warning('%s: %s', ' '.join(command), done.stderr.strip())
        if 'No space left' in done.stderr:
            raise DriverError('There is no room to pack the volume.')
        raise DriverError('The volume could not be packed.')
