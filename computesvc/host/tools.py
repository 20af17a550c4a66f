"""What a step at `agent:<host>` sees as its `ctx`: the hypervisor, the host's devices, local root disks."""
import contextlib
import logging
import os
import platform
import shutil
import socket
import threading

import brick
from computesvc.db.attachments import disk
from computesvc.host import base
from svckit import process
from svckit.operations import Refused

LOG = logging.getLogger(__name__)


class Tools:
    """No database here.  Sizes are bytes."""

    def __init__(self, conf, host, hypervisor, images, connector_for=brick.connector_for):
        self.conf, self.host, self.hypervisor, self.images = conf, host, hypervisor, images
        self._connector_for = connector_for
        self._turns: dict[str, threading.Lock] = {}
        self._turns_lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self, server_id: str):
        """Changes to one server come one after the other; other servers do not wait."""
        with self._turns_lock:
            turn = self._turns.setdefault(server_id, threading.Lock())
        with turn:
            yield

    # ---------------------------------------------------------------- devices

    def connector(self, protocol: str):
        return self._connector_for(protocol)

    def connector_properties(self) -> dict:
        """What a volume service wants to know of a host that is to see its volumes."""
        return {'host': self.host, 'ip': self.conf.my_ip, 'platform': platform.machine(), 'os_type': 'linux',
                'multipath': False, 'do_local_attach': False, 'system uuid': _system_uuid()}

    def connect(self, connection: dict) -> dict:
        """The volume is a device of this host: {'path', 'type'}."""
        return self.connector(connection['driver_volume_type']).connect(connection['data'])

    def disconnect(self, connection: dict, device: dict | None) -> None:
        self.connector(connection['driver_volume_type']).disconnect(connection['data'], device)

    def size(self, connection: dict) -> int:
        """What the device shows now; nothing is changed where it shows any size at all."""
        return self.grow(connection, 0)

    def grow(self, connection: dict, size: int) -> int:
        """The device shows at least `size`; returns what it shows."""
        return self.connector(connection['driver_volume_type']).grow(connection['data'], size)

    # ---------------------------------------------------------------- guests

    def define(self, server: dict, disks: dict) -> None:
        """The server is defined on its devices as they are now; `disks` as operations/start_server.py:disks."""
        devices = [disk(a, self.connect(a['connection_info'])) for a in disks['attachments']]
        self.hypervisor.define(server, self.root_disks(disks['root_disk'], server['id']) + devices,
                               self.nics(server['id'], disks['networks']))

    def grow_guest_disk(self, server_id: str, volume_id: str, size: int) -> int | None:
        """A guest that is up shows at least `size`, as read back; None for one that is off."""
        if self.hypervisor.power_state(server_id) not in (base.RUNNING, base.PAUSED):
            return None
        self.hypervisor.resize_disk(server_id, volume_id, size)
        shown = self.hypervisor.disk_size(server_id, volume_id)
        if shown < size:
            raise base.HostError(f'The guest shows {shown} bytes of volume {volume_id}, {size} are wanted.')
        return shown

    def nics(self, server_id: str, networks: str) -> list[dict]:
        """'auto' is a user-mode network: out to the world, nothing in; its address is made from the server's id."""
        if networks != 'auto':
            return []
        tail = server_id.replace('-', '')[:6]
        return [{'type': 'user', 'mac': f'fa:16:3e:{tail[:2]}:{tail[2:4]}:{tail[4:6]}'}]

    # ---------------------------------------------------------------- local root disks

    def root_disks(self, root_disk: dict | None, server_id: str) -> list[dict]:
        if not root_disk:
            return []
        return [{'volume_id': server_id, 'path': root_disk['path'], 'type': 'file', 'format': 'raw', 'target': 'vda',
                 'boot_index': 0, 'read_only': False, 'size': root_disk['size']}]

    def make_root_disk(self, server_id: str, image_id: str, size: int) -> dict:
        """The server's root disk holds the image's data and has `size` bytes, or the image's if that is 0."""
        path = os.path.join(self._folder(server_id), 'root.raw')
        if os.path.exists(path):
            return {'path': path, 'size': os.path.getsize(path)}
        os.makedirs(os.path.dirname(path), exist_ok=True)
        beside = f'{path}.part'
        held = self.images.download(image_id, beside)
        if size and held > size:
            os.unlink(beside)
            raise Refused(f"Flavor's disk is too small for requested image. Flavor disk is {size} bytes, "
                          f'image is {held} bytes.')
        process.native(os.truncate, beside, max(size, held))
        os.replace(beside, path)
        return {'path': path, 'size': max(size, held)}

    def remove_root_disk(self, server_id: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            process.native(shutil.rmtree, self._folder(server_id))

    def _folder(self, server_id):
        return os.path.join(self.conf.state_path, 'servers', server_id)


def _system_uuid() -> str:
    with contextlib.suppress(OSError), open('/sys/class/dmi/id/product_uuid') as file:
        return file.read().strip()
    return socket.gethostname()
