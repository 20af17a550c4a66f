"""Filling and copying sparse files: holes stay holes, and no call blocks the process for long.

Each call into the kernel moves at most a block of bytes in a native thread, so that
the lease of whoever waits for it is renewed meanwhile.
"""
import ctypes
import errno
import fcntl
import logging
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

from svckit import process
from svckit.operations import Refused
from volsvc.drivers.base import DriverError

LOG = logging.getLogger(__name__)
BLOCK = 64 * 1024 * 1024
EVERY = 10.0                    # seconds between two lines of progress
OFTEN = 2.0                     # seconds between two times that whoever waits is told of progress
FICLONE = 0x40049409            # linux/fs.h: _IOW(0x94, 9, int)
KEEP_SIZE = 1                   # linux/falloc.h: FALLOC_FL_KEEP_SIZE
ZEROS = bytes(1024 * 1024)
UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EBADF)
_libc = ctypes.CDLL(None, use_errno=True)


def allocate(file: int, start: int, end: int) -> None:
    """The file system has set aside the bytes from start to end; the file's length is as it was. OSError."""
    if _libc.fallocate(file, KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(end - start)) == 0:
        return
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return                   # a file system without it: space is taken as it is written
    # What it set aside before it ran out lies beyond the end; cutting there frees it.
    os.ftruncate(file, os.fstat(file).st_size)
    raise OSError(code, os.strerror(code))


def copy(source: int, target: int, progress) -> bool:
    """The target begins with what the source holds; shared blocks where the file system can, holes kept. OSError.

    True if blocks are shared: all as of one moment.  The target keeps its length, also
    if the source grows meanwhile.  `progress` is told the per cent.
    """
    length = os.fstat(target).st_size
    if process.native(_share, source, target):
        if os.fstat(target).st_size != length:
            os.ftruncate(target, length)
        return True
    size = min(os.fstat(source).st_size, length)
    said = time.monotonic()
    for start, end in _data(source, size):
        place = start
        while place < end:
            place += process.native(_move, source, target, place, min(BLOCK, end - place))
            if time.monotonic() - said > OFTEN:
                said = time.monotonic()
                progress(place * 100 // size)
    return False


def end(file: int) -> int:
    """Where the last hole begins, if the file ends with one; its length otherwise."""
    return max((end for _, end in _data(file, os.fstat(file).st_size)), default=0)


def _share(source, target) -> bool:
    try:
        fcntl.ioctl(target, FICLONE, source)
        return True
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return False
        raise


def _data(file, size):
    """The parts of a file that are no holes: (start, end)."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, min(end, size)


def _move(source, target, place, count) -> int:
    """Copy up to `count` bytes at `place`; how many it were."""
    try:
        moved = os.copy_file_range(source, target, count, place, place)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        data = os.pread(source, min(count, len(ZEROS)), place)
        moved = os.pwrite(target, data, place)
    if not moved:
        raise DriverError('The source volume ended before its size.')
    return moved


def write(target: int, image, size: int) -> None:
    """The target begins with the image, blocks of zeros left as holes. Refused; OSError."""
    if image.disk_format in ('raw', 'ami', 'iso'):
        _fill(target, image.chunks(), size, image.id)
        return
    program = shutil.which('qemu-img')
    if image.disk_format != 'qcow2' or program is None:
        raise Refused(f'Image {image.id} has the format {image.disk_format}, which this backend cannot read'
                      + ('.' if program else ' without qemu-img.'))
    _convert(program, target, image, size)


def _fill(target, chunks, size, what):
    place, said = 0, time.monotonic()
    for chunk in chunks:
        if place + len(chunk) > size:
            raise Refused(f'Image {what} is larger than the volume.')
        if ZEROS[:len(chunk)] != chunk:
            process.native(_write_all, target, chunk, place)
        place += len(chunk)
        if time.monotonic() - said > EVERY:
            said = time.monotonic()
            LOG.info('Writing image %s: %d MiB', what, place >> 20)


def _write_all(target, data, place):
    view = memoryview(data)
    while view:
        written = os.pwrite(target, view, place)
        view, place = view[written:], place + written


def _convert(program, target, image, size):
    """By a file beside the target, which is on the disk that has the room."""
    path = pathlib.Path(os.readlink(f'/proc/self/fd/{target}'))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix='.image-') as original:
        for chunk in image.chunks():
            process.native(original.write, chunk)
        original.flush()
        _check_qcow2(original.name, image.id, size)
        _run(program, 'convert', '-n', '-f', 'qcow2', '-O', 'raw', original.name, str(path))
        if os.fstat(target).st_size != size:
            os.ftruncate(target, size)


def _check_qcow2(path, what, size):
    """Refused for an image that refers to other files or unpacks to more than the volume.

    Read from the header, because qemu-img already opens what an image refers to when it
    is only asked about it (CVE-2024-32498).  Layout: docs/interop/qcow2.txt in QEMU.
    """
    with open(path, 'rb') as file:
        header = file.read(80).ljust(80, b'\0')
    magic, version, backing, _, _, virtual = struct.unpack('>IIQIIQ', header[:32])
    incompatible, = struct.unpack('>Q', header[72:80])
    if magic != 0x514649fb or version not in (2, 3):
        raise Refused(f'Image {what} is no qcow2 image, although it says so.')
    if backing or version == 3 and incompatible & 4:
        raise Refused(f'Image {what} refers to other files, which is not allowed.')
    if virtual > size:
        raise Refused(f'Image {what} unpacks to {virtual} bytes, more than the volume has.')


def _run(*command):
    done = process.native(subprocess.run, command, capture_output=True, text=True, timeout=3600)
    if done.returncode:
        LOG.warning('%s: %s', ' '.join(command), done.stderr.strip())
        if 'No space left' in done.stderr:
            raise OSError(errno.ENOSPC, 'No space left on device')
        raise DriverError('The image could not be converted.')
