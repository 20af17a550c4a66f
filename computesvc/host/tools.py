"""What a step at `agent:<host>` sees as its `ctx`: the hypervisor, the host's devices, local disks."""
import os

import brick
from computesvc.db.attachments import disk
from computesvc.host import base
from computesvc.host.copies import Copies
from computesvc.host.devices import Devices
from computesvc.host.local_disks import LocalDisks
from computesvc.host.memory import Memory
from computesvc.host.nbd import Nbd
from computesvc.host.progress import Progress
from svckit.turns import Turns


class Tools:
    """No database here.  Sizes are bytes."""

    def __init__(self, conf, host, hypervisor, images, desk=None, connector_for=brick.connector_for):
        self.conf, self.host, self.hypervisor, self.images = conf, host, hypervisor, images
        self.devices = Devices(conf, host, hypervisor.disk_users, connector_for)
        self.local_disks = LocalDisks(_state_path(conf, host), images, _carrier(conf, hypervisor))
        self._desk = desk
        self._turns = Turns()

    def turn(self, server_id: str):
        """Changes to one server come one after the other. Whoever needs a volume's turn too takes it second."""
        return self._turns.take(server_id)

    def progress(self, op) -> Progress:
        """To be called with percents: so the server and its user learn how far a long step is."""
        return Progress(self._desk, op)

    # ---------------------------------------------------------------- guests

    def define(self, server: dict, disks: dict, known: dict | None = None) -> None:
        """The server is defined on its devices as they are now; `disks` as operations/start_server.py:disks.

        Volumes are connected first, except those whose devices are `known`, by volume, to have just been.
        """
        wanted = {a['volume_id']: (a['connection_info'], (known or {}).get(a['volume_id']))
                  for a in disks['attachments']}
        with self.devices.held(wanted) as devices:
            plugged = [disk(a, devices[a['volume_id']], a['connection_info']) for a in disks['attachments']]
            self.hypervisor.define(server, self.plugs(server['id'], disks) + plugged,
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

    @staticmethod
    def plugs(server_id: str, disks: dict) -> list[dict]:
        """The server's 'root_disk' and 'local_disks', as far as there are any, as a hypervisor wants them."""
        root, others = disks.get('root_disk'), disks.get('local_disks') or ()
        found = [_plug(server_id, root, '/dev/vda', 0)] if root else []
        return found + [_plug(disk['name'], disk, disk['device'], None) for disk in others]


def _plug(serial, disk, device, boot_index):
    return {'volume_id': serial, 'path': disk['path'], 'type': 'file', 'format': 'raw', 'size': disk['size'],
            'target': device.removeprefix('/dev/'), 'boot_index': boot_index, 'read_only': False}


def _state_path(conf, host):
    """Another host's agent in the same process keeps its files apart."""
    return conf.state_path if host == conf.service.host else os.path.join(conf.state_path, host)


def _carrier(conf, hypervisor):
    if isinstance(hypervisor, Memory):
        return Copies(hypervisor.faults)
    first, _, last = conf.agent.disk_export_ports.partition('-')
    return Nbd(conf.my_ip, range(int(first), int(last) + 1))
