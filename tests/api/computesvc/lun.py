"""One volume's devices on the hosts of a test: several paths and a map over them, as brick shows them."""
import brick


class Lun:
    """`size` bytes at the storage backend; each host that connects sees it by `paths`, {name: [bytes, state]}."""

    def __init__(self, size: int, paths=('sda', 'sdb', 'sdc', 'sdd')):
        self.size, self.map = size, 0
        self.paths = {name: [0, 'running'] for name in paths}
        self.outside = set()        # paths that are not in the map
        self.connected = False
        self.error = None           # what grow() raises

    def show(self, size):
        """The map and its paths have this size, whoever made them so."""
        self.map = size
        for path in self.paths.values():
            path[0] = size

    def lose(self, *names):
        for name in names or self.paths:
            self.paths[name][1] = 'transport-offline'

    def restore(self):
        for path in self.paths.values():
            path[1] = 'running'

    def connector(self, protocol, root=None, **options):
        """Stands for brick.connector_for()."""
        return Connector(self)


class Connector:
    """Keeps the promises of brick.connectors.base."""

    def __init__(self, lun):
        self.lun = lun

    def connect(self, data):
        if not self.lun.connected:
            self.lun.show(self.lun.size)
        self.lun.connected = True
        return {'path': '/dev/mapper/lun', 'type': 'memory'}

    def disconnect(self, data, device=None):
        self.lun.connected = False

    def grow(self, data, size):
        self._look()
        if self.lun.error:
            raise self.lun.error
        live = [path for path in self.lun.paths.values() if path[1] == 'running']
        if not live:
            raise brick.errors.PathsDown('No path to /dev/mapper/lun answers.')
        for path in live:
            path[0] = self.lun.size
        if self.lun.size < size:
            raise brick.DeviceTooSmall(f'/dev/mapper/lun has {self.lun.size} bytes, {size} are wanted.')
        self.lun.map = self.lun.size
        self.lun.outside.clear()
        return self.lun.map

    def size(self, data):
        self._look()
        return self.lun.map

    def paths(self, data):
        there = self.lun.paths.items() if self.lun.connected else ()
        return [brick.Path(name, size, state, f'10.0.0.{place}:3260', name not in self.lun.outside)
                for place, (name, (size, state)) in enumerate(there, 1)]

    def _look(self):
        if not self.lun.connected:
            raise brick.DeviceNotFound('/dev/mapper/lun is not there.')
