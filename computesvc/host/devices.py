"""Volumes as devices of this host.

Guests of one host may share a volume, and then share its device: it comes with the first, grows once for all, and goes
with the last.  Hence whoever connects, plugs in or takes away a device holds its volume's turn.  Brick is called in
the agent's own (green) threads, where all that it waits for lets others go on.  Sizes are bytes.
"""
import contextlib
import logging
import os

import brick
from computesvc.host import base
from svckit.operations import NotYet
from svckit.turns import Turns

LOG = logging.getLogger(__name__)
AGAIN = 3.0     # seconds between two looks whether a path is back


class Devices:
    """`users(volume_id)`: which guests of this host have the volume."""

    def __init__(self, conf, host, users, connector_for=brick.connector_for):
        self._conf, self._host, self._users, self._connector_for = conf, host, users, connector_for
        self._turns = Turns()

    def properties(self) -> dict:
        """What a volume service wants to know of a host that is to see its volumes."""
        from brick import host
        agent = self._conf.agent
        return host.properties(self._host, self._conf.my_ip, multipath=agent.volume_use_multipath,
                               enforce_multipath=agent.volume_enforce_multipath)

    def connect(self, volume_id: str, connection: dict) -> dict:
        """The volume is a device of this host: {'path', 'type'}."""
        with self._turns.take(volume_id):
            return self._connect(connection)

    def disconnect(self, volume_id: str, connection: dict, device: dict | None, of: str | None = None) -> None:
        """The device is gone, unless a guest here has it (other than `of`, which is off)."""
        with self._turns.take(volume_id):
            if not set(self._users(volume_id)) - {of}:
                self._connector(connection).disconnect(connection['data'], device)

    @contextlib.contextmanager
    def held(self, wanted: dict):
        """{volume id: device}, all of them there and to stay while they are plugged in.

        `wanted` is {volume id: (connection, device or None)}.  One that was there when it was connected may be gone:
        another guest was its only user until now, and gave it up.
        """
        with self._turns.take(*wanted):
            yield {id: self._present(*how) for id, how in wanted.items()}

    def size(self, connection: dict) -> int:
        """What the device shows now, 0 for a protocol without devices; nothing is changed."""
        return self._connector(connection).size(connection['data'])

    def grow(self, connection: dict, size: int) -> tuple[int, list[brick.Path]]:
        """The device shows at least `size`: what it shows, and the paths that lag behind.

        NotYet while no path answers, base.DeviceGone without a device.
        """
        try:
            found = self._connector(connection).grow(connection['data'], size)
        except brick.errors.PathsDown as e:
            raise NotYet(str(e), AGAIN) from e
        except brick.errors.DeviceNotFound as e:
            raise base.DeviceGone(str(e)) from e
        return found, self.lagging(connection, found)

    def lagging(self, connection: dict, size: int) -> list[brick.Path]:
        """The paths by which the device, of `size` bytes, is not reached."""
        paths = self._connector(connection).paths(connection['data'])
        return [path for path in paths if 0 < path.size < size or not path.used]

    def _present(self, connection, device):
        connector = self._connector(connection)
        if device and connector.paths(connection['data']) and (
                device['type'] not in ('block', 'file') or os.path.exists(device['path'])):
            return device
        return self._connect(connection)

    def _connect(self, connection):
        try:
            return self._connector(connection).connect(connection['data'])
        except brick.errors.ConnectFailed as e:
            LOG.warning('%s', e)        # it names addresses, and users read why their operation waits
            raise base.HostError('The host could not connect to the volume.') from e

    def _connector(self, connection):
        agent = self._conf.agent
        return self._connector_for(
            connection['driver_volume_type'],
            multipath=agent.volume_use_multipath, scan_attempts=agent.device_scan_attempts,
            mount_point_base=agent.nfs_mount_point_base or os.path.join(self._conf.state_path, 'mnt'))


def lag(path, portal=False) -> str:
    """A sentence about a path that lags; where it leads is for operators only."""
    to = f' to {path.portal}' if portal and path.portal else ''
    outside = '' if path.used else ', not in the map'
    return f'Path {path.name}{to} lags: {path.state}, {path.size} bytes{outside}.'
