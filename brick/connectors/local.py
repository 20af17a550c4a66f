"""Volumes that are a file or a block device of this very host.

Connection data: {'device_path': '/…', 'access_mode': 'rw'|'ro'}. There is nothing to log in to and nothing to rescan:
whoever grew the file or device did it on this machine, so growing is reading the size back.
"""

import os
import stat

from brick import errors
from brick.connectors.base import Connector, Path


class LocalConnector(Connector):
    """See the module."""

    protocol = 'local'

    def connect(self, data):
        path = self._path(data)
        return {'path': path, 'type': device_type(path)}

    def disconnect(self, data, device=None):
        """The device stays where it is: it belongs to the backend, not to the connection."""

    def grow(self, data, size):
        found = self.size(data)
        if found < size:
            raise errors.DeviceTooSmall(f'{self._path(data)} has {found} bytes, {size} are wanted.')
        return found

    def size(self, data):
        return device_size(self._path(data))

    def paths(self, data):
        path = self._path(data)
        return [Path(path, device_size(path))] if os.path.exists(path) else []

    def _path(self, data):
        path = data.get('device_path')
        if not path:
            raise errors.BadConnection("The connection of a local volume has no 'device_path'.")
        return path if self.root == '/' else os.path.join(self.root, path.lstrip('/'))


def device_type(path):
    """Return 'block' or 'file'. DeviceNotFound if it is neither."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise errors.DeviceNotFound(f'{path}: {error.strerror}.') from error
    if stat.S_ISBLK(mode):
        return 'block'
    if stat.S_ISREG(mode):
        return 'file'
    raise errors.DeviceNotFound(f'{path} is neither a file nor a block device.')


def device_size(path):
    """Return the bytes of a file or block device. DeviceNotFound.

    Seeking to the end works for both; stat() says 0 for a block device.
    """
    device_type(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise errors.DeviceNotFound(f'{path}: {error.strerror}.') from error
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)
