"""A copy of /sys as two Fibre Channel adapters make it, since no kernel without such hardware has one.

The folders and files are those of lpfc under Linux 6.1. A write to a host's `scan` shows the disk, as the kernel and
udev do.
"""

import os
import shutil
import threading

HOSTS = {'host6': '0000:05:00.0', 'host7': '0000:05:00.1'}
TARGETS = {'host6': '500a098280feeba5', 'host7': '500a098290feeba5'}
LUN, WWID, GIB = 5, '600a098038303053453f463045727654', 1 << 30


class Fabric:
    """Each adapter sees one port of the storage."""

    def __init__(self, root):
        self.root, self.size = root, GIB
        for number, (name, slot) in enumerate(HOSTS.items()):
            place = f'sys/devices/pci0000:00/0000:00:03.0/{slot}/{name}'
            self._class('fc_host', name, f'{place}/fc_host/{name}', port_name=f'0x21000024ff{number:06}',
                        node_name=f'0x20000024ff{number:06}', port_state='Online')
            self._class('scsi_host', name, f'{place}/scsi_host/{name}')
            self._remote_port(name[4:], f'{place}/rport-{name[4:]}:0-1', TARGETS[name])
            scan = root / place / 'scsi_host' / name / 'scan'
            os.mkfifo(scan)
            threading.Thread(target=self._listen, args=(scan, name[4:], place), daemon=True).start()

    def _remote_port(self, number, place, wwn):
        target = f'{place}/target{number}:0:1'
        self._class('fc_remote_ports', f'rport-{number}:0-1', f'{place}/fc_remote_ports/rport-{number}:0-1',
                    port_name=f'0x{wwn}', scsi_target_id='1', port_state='Online')
        self._link(f'{place}/fc_remote_ports/rport-{number}:0-1/device', place)
        self._class('fc_transport', f'target{number}:0:1', f'{target}/fc_transport/target{number}:0:1',
                    port_name=f'0x{wwn}')
        self._link(f'{target}/fc_transport/target{number}:0:1/device', target)

    def _listen(self, scan, number, place):
        while True:
            with open(scan) as pipe:
                if pipe.read() == f'0 1 {LUN}':
                    self.show(number, place)

    def show(self, number, place):
        """The kernel has found the LUN, and udev has made its links."""
        name = {'6': 'sdb', '7': 'sdc'}[number]
        address = f'{place}/rport-{number}:0-1/target{number}:0:1/{number}:0:1:{LUN}'
        self._class('block', name, f'{address}/block/{name}', size=str(self.size // 512))
        self._link(f'{address}/block/{name}/device', address)
        self._write(f'{address}/wwid', f'naa.{WWID}')
        self._write(f'{address}/state', 'running')
        self._write(f'dev/{name}', '')
        target = TARGETS[f'host{number}']
        self._link(f'dev/disk/by-id/scsi-3{WWID}', f'dev/{name}')
        self._link(f'dev/disk/by-path/pci-{HOSTS[f"host{number}"]}-fc-0x{target}-lun-{LUN}', f'dev/{name}')

    def show_both(self):
        for name, slot in HOSTS.items():
            self.show(name[4:], f'sys/devices/pci0000:00/0000:00:03.0/{slot}/{name}')

    def map(self):
        """multipathd has made a map over both disks."""
        self._class('block', 'dm-0', 'sys/devices/virtual/block/dm-0', size=str(self.size // 512))
        self._write('sys/devices/virtual/block/dm-0/dm/name', f'3{WWID}')
        self._write('sys/devices/virtual/block/dm-0/dm/uuid', f'mpath-3{WWID}')
        self._write('dev/dm-0', '')
        self._link(f'dev/mapper/3{WWID}', 'dev/dm-0')
        for disk in self.disks():
            self._link(f'sys/devices/virtual/block/dm-0/slaves/{disk}', f'sys/class/block/{disk}')
            self._link(f'sys/class/block/{disk}/holders/dm-0', 'sys/devices/virtual/block/dm-0')

    def disks(self):
        return sorted(link.name for link in (self.root / 'sys/class/block').glob('sd*'))

    def set_state(self, state):
        for disk in self.disks():
            self._write(f'sys/class/block/{disk}/device/state', state)

    def hide(self, kind='*'):
        """Map and disks are gone, or only the disks ('sd*')."""
        for link in (self.root / 'sys/class/block').glob(kind):
            shutil.rmtree(link.resolve() if link.name.startswith('dm') else link.resolve().parents[1])
            link.unlink()

    def _class(self, kind, name, place, **values):
        for key, value in values.items():
            self._write(f'{place}/{key}', value)
        self._link(f'sys/class/{kind}/{name}', place)

    def _write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(f'{text}\n')

    def _link(self, link, to):
        (self.root / link).parent.mkdir(parents=True, exist_ok=True)
        (self.root / to).mkdir(parents=True, exist_ok=True) if not (self.root / to).exists() else None
        if not (self.root / link).is_symlink():
            (self.root / link).symlink_to(os.path.relpath(self.root / to, (self.root / link).parent))
