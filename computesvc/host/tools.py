"""What a step at `agent:<host>` sees as its `ctx`: the hypervisor, the host's devices, local root disks."""
import contextlib
import os
import shutil

import brick
from computesvc.db.attachments import disk
from computesvc.host import base
from computesvc.host.devices import Devices
from svckit import process
from svckit.operations import Refused
from svckit.turns import Turns


class Tools:
    """No database here.  Sizes are bytes."""

    def __init__(self, conf, host, hypervisor, images, connector_for=brick.connector_for):
        self.conf, self.host, self.hypervisor, self.images = conf, host, hypervisor, images
        self.devices = Devices(conf, host, hypervisor.disk_users, connector_for)
        self._turns = Turns()

    def turn(self, server_id: str):
        """Changes to one server come one after the other. Whoever needs a volume's turn too takes it second."""
        return self._turns.take(server_id)

    # ---------------------------------------------------------------- guests

    def define(self, server: dict, disks: dict) -> None:
        """The server is defined on its devices as they are now; `disks` as operations/start_server.py:disks."""
        wanted = {a['volume_id']: (a['connection_info'], None) for a in disks['attachments']}
        with self.devices.held(wanted) as devices:
            plugged = [disk(a, devices[a['volume_id']], a['connection_info']) for a in disks['attachments']]
            self.hypervisor.define(server, self.root_disks(disks['root_disk'], server['id']) + plugged,
                                   self.nics(server['id'], disks['networks']))

    def grow_guest_disk(self, server_id: str, volume_id: str, size: int) -> int | None:
        """A guest that is up shows at least `size`, as read back; None for one that is off."""
        try:
            shown = self.hypervisor.resize_disk(server_id, volume_id, size)
        except base.ServerNotFound:
            return None
        if shown is not None and shown < size:
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
