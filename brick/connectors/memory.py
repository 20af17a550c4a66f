"""Volumes without any device, of the memory driver: for tests and benchmarks.

There is no device to look at, so a device has whatever size it is said to have.
"""

from brick import errors
from brick.connectors.base import Connector, Path


class MemoryConnector(Connector):
    """Connection data: {'name': str}."""

    protocol = 'memory'

    def connect(self, data):
        return {'path': self._path(data), 'type': 'memory'}

    def disconnect(self, data, device=None):
        """Nothing was connected."""

    def grow(self, data, size):
        self._path(data)
        return size

    def size(self, data):
        self._path(data)
        return 0

    def paths(self, data):
        return [Path(self._path(data), 0)]

    def _path(self, data):
        if not data.get('name'):
            raise errors.BadConnection("The connection of a memory volume has no 'name'.")
        return f'memory:{data["name"]}'
