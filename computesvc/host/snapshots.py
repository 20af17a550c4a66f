"""Files with holes: copied with them, on file systems that can by sharing blocks; and how much of one is no hole.

Runs in a native thread.  copy_file_range(2): https://man7.org/linux/man-pages/man2/copy_file_range.2.html
"""
import errno
import os

CHUNK, MIB = 64 << 20, 1 << 20
_CANNOT = (errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM)


def copy(source: str, to: str) -> None:
    """`to` is there, with the data of `source`, durably, or not at all."""
    part = f'{to}.part'
    with open(source, 'rb') as reader, open(part, 'wb') as writer:
        size = os.fstat(reader.fileno()).st_size
        os.truncate(writer.fileno(), size)
        for start, end in _data(reader.fileno(), size):
            _copy(reader.fileno(), writer.fileno(), start, end)
        os.fsync(writer.fileno())
    os.replace(part, to)


def used(path: str) -> int:
    """The bytes up to the last that is no hole, in whole MiB as far as the file goes; what follows is zeros."""
    with open(path, 'rb') as file:
        size = os.fstat(file.fileno()).st_size
        last = max((end for _, end in _data(file.fileno(), size)), default=0)
        return min(size, max(-(-last // MIB), 1) * MIB)


def _data(descriptor, size):
    """The ranges that are not holes."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:      # only a hole is left
                return
            raise
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


def _copy(reader, writer, start, end):
    while start < end:
        try:
            done = os.copy_file_range(reader, writer, min(CHUNK, end - start), start, start)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            done = os.pwrite(writer, os.pread(reader, min(MIB, end - start), start), start)
        if not done:
            raise OSError(errno.EIO, 'The file became shorter while it was copied')
        start += done
