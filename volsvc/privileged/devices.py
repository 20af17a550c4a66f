"""What is written into logical volumes, and read from them.

Each call moves a bounded number of bytes; what it wrote is on disk when it returns.

Between calls whoever asked can stop.
"""
import fcntl
import mmap
import os
import stat
import struct

from volsvc.privileged import BadArgument, context, device, number

MIB = 1024 * 1024
MOST = 64 * MIB                 # bytes that one call moves
BLKZEROOUT = 0x127f             # linux/fs.h: _IO(0x12, 127)


@context.entrypoint
def clear(group, name, place, count):
    """`count` bytes at `place` are zero."""
    with _Device(group, name, os.O_WRONLY) as file:
        fcntl.ioctl(file, BLKZEROOUT, struct.pack('QQ', number(place), _count(count)))
        os.fdatasync(file)


@context.entrypoint
def write(group, name, place, data):
    with _Device(group, name, os.O_WRONLY) as file:
        _write_all(file, data, number(place))
        os.fdatasync(file)
        os.posix_fadvise(file, place, len(data), os.POSIX_FADV_DONTNEED)


@context.entrypoint
def read(group, name, place, count):
    with _Device(group, name, os.O_RDONLY) as file:
        data = os.pread(file, _count(count), number(place))
        os.posix_fadvise(file, place, count, os.POSIX_FADV_DONTNEED)
        return data


@context.entrypoint
def copy(group, source, target, place, count, holes):
    """`count` bytes at `place` of one are at the same place of the other.  With `holes` zeros are not written.

    Past the kernel's cache, as all of it is read once.
    """
    with _Device(group, source, os.O_RDONLY | os.O_DIRECT) as reader, \
            _Device(group, target, os.O_WRONLY | os.O_DIRECT) as writer, \
            mmap.mmap(-1, MIB) as memory, memoryview(memory) as block:      # aligned, as O_DIRECT asks
        zeros, end = bytes(MIB), number(place) + _count(count)
        while place < end:
            got = os.preadv(reader, [block[:min(MIB, end - place)]], place)
            if not got:
                raise OSError(5, 'The source ended before its size')
            if not holes or block[:got] != zeros[:got]:
                _write_all(writer, block[:got], place)
            place += got
        os.fdatasync(writer)


class _Device:
    """The descriptor of a logical volume's device."""

    def __init__(self, group, name, flags):
        self._path, self._flags = device(group, name), flags

    def __enter__(self):
        self._file = os.open(self._path, self._flags | os.O_CLOEXEC)
        if not stat.S_ISBLK(os.fstat(self._file).st_mode):
            os.close(self._file)
            raise BadArgument('This is no device.')
        return self._file

    def __exit__(self, *error):
        os.close(self._file)


def _write_all(file, data, place):
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, place)
        view, place = view[written:], place + written


def _count(count):
    if number(count) > MOST:
        raise BadArgument('This is too much for one call.')
    return count
