"""Writes a Linux initial RAM file system: a gzipped cpio archive in the "newc" format.

The format is that of the kernel's Documentation/driver-api/early-userspace/buffer-format.rst. Written here because cpio
itself could put a device node in an archive only with root's help.
"""

import gzip
import stat

_ALIGN = 4


class Archive:
    """Entries in the order in which they are added; a folder before what is in it."""

    def __init__(self):
        self._parts = []
        self._count = 0

    def folder(self, path):
        """An empty folder."""
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, contents, mode=0o644):
        """A regular file."""
        self._add(path, stat.S_IFREG | mode, contents)

    def character_device(self, path, major, minor):
        """A character device node."""
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def compressed(self):
        """The whole archive, ready for the kernel. The same entries give the same bytes."""
        self._add('TRAILER!!!', 0)
        return gzip.compress(b''.join(self._parts), 9, mtime=0)

    def _add(self, path, mode, contents=b'', device=(0, 0)):
        self._count += 1
        name = path.encode() + b'\0'
        fields = (self._count, mode, 0, 0, 1, 0, len(contents), 0, 0, *device, len(name), 0)
        head = b'070701' + b''.join(b'%08X' % field for field in fields) + name
        self._parts += [_padded(head), _padded(contents)]


def _padded(data):
    return data + b'\0' * (-len(data) % _ALIGN)
