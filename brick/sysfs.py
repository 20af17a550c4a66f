"""What the kernel says of disks, in /sys (Documentation/ABI, drivers/scsi, drivers/md). Nothing here changes anything.

Nothing is remembered either: a name like 'sdb' is a volume's only until its session ends, so every question is asked
anew. What is gone reads as '', 0 or an empty list. The cost of no question grows with the number of other disks,
except for an iSCSI connection of which a portal is not there.
"""

import os
import re

from brick.connectors.base import Path

SECTOR = 512                # the unit of every size in /sys/class/block, whatever the disk's own
RUNNING = 'running'
_SESSION = re.compile(r'/session(\d+)/')
_RPORT = re.compile(r'/(rport-[0-9:-]+)/')
_ADDRESS = re.compile(r'/\d+:\d+:\d+:(\d+)/block/')


class Sysfs:
    """`root` stands for `/`."""

    def __init__(self, root='/'):
        self._sys = os.path.join(root, 'sys')
        self._by_path = os.path.join(root, 'dev/disk/by-path')

    # ------------------------------------------------------------------------------------------------ one device

    def size(self, name):
        """Bytes of a block device."""
        return int(self._read('class/block', name, 'size') or 0) * SECTOR

    def wwid(self, name):
        """The disk's identity as udev, scsi_id and multipathd call it: '36001405…'.

        sysfs has it as 'naa.6001405…'; scsi_id writes the designator's type as a digit (SPC-5 7.7.6, page 0x83).
        """
        kind, _, value = self._read('class/block', name, 'device/wwid').partition('.')
        return {'t10': '1', 'eui': '2', 'naa': '3'}.get(kind, '8') + re.sub(r'\s+', '_', value) if value else ''

    def path(self, name):
        """What the disk shows now, without where it leads."""
        return Path(name, self.size(name), self._read('class/block', name, 'device/state') or 'gone')

    def portal(self, name):
        """The iSCSI portal or the WWN of the Fibre Channel port that the disk is seen through."""
        link = self._link('class/block', name)
        if session := _SESSION.search(link):
            return self._session_portal(session[1])
        if rport := _RPORT.search(link):
            return self._read('class/fc_remote_ports', rport[1], 'port_name').removeprefix('0x')
        return ''

    def _session_portal(self, number):
        connection = f'class/iscsi_connection/connection{number}:0'
        address = self._read(connection, 'persistent_address')
        host = f'[{address}]' if ':' in address else address
        return f'{host}:{self._read(connection, "persistent_port")}' if address else ''

    # --------------------------------------------------------------------------------------------- device mapper

    def multipath_over(self, disks):
        """The map ('dm-0') that multipathd made over one of the disks, or None."""
        return self._holder(disks, 'mpath-')

    def crypt_over(self, devices):
        """The LUKS mapper ('dm-1') over one of the devices, or None."""
        return self._holder(devices, 'CRYPT-LUKS')

    def map_name(self, device):
        """What /dev/mapper calls 'dm-0'."""
        return self._read('class/block', device, 'dm/name')

    def members(self, device):
        """The disks that a map has in its table."""
        return self._list('class/block', device, 'slaves')

    def _holder(self, devices, kind):
        for device in devices:
            for holder in self._list('class/block', device, 'holders'):
                if self._read('class/block', holder, 'dm/uuid').startswith(kind):
                    return holder
        return None

    # ------------------------------------------------------------------------------------------------- transports

    def iscsi_disks(self, targets):
        """Names of the disks with that LUN in a session with that target; `targets`: [(portal, IQN, LUN)].

        udev's links say where to look, and sysfs whether that is so; all sessions are looked through only if a link
        is missing.
        """
        found = [self._iscsi_link(portal, iqn, lun) for portal, iqn, lun in targets]
        if None in found:
            wanted = {(iqn, lun) for _, iqn, lun in targets}
            iqns = {iqn for iqn, _ in wanted}
            for session in self._list('class/iscsi_session'):
                iqn = self._read('class/iscsi_session', session, 'targetname')
                if iqn in iqns:
                    found += self._disks_below(f'class/iscsi_session/{session}/device',
                                               {lun for other, lun in wanted if other == iqn})
        return sorted({name for name in found if name})

    def iscsi_sessions(self):
        """[(number, portal, IQN)] of every session, whether its portal answers now or not."""
        numbers = [name.removeprefix('session') for name in self._list('class/iscsi_session')]
        return [(number, self._session_portal(number), self._read(f'class/iscsi_session/session{number}/targetname'))
                for number in numbers]

    def _iscsi_link(self, portal, iqn, lun):
        number = lun if lun < 256 else f'0x{lun & 0xffff:04x}{lun >> 16 & 0xffff:04x}00000000'
        try:
            name = os.path.basename(os.readlink(f'{self._by_path}/ip-{portal}-iscsi-{iqn}-lun-{number}'))
        except OSError:
            return None
        place = self._link('class/block', name)
        session, address = _SESSION.search(place), _ADDRESS.search(place)
        if not session or not address or int(address[1]) != lun:
            return None
        return name if self._read(f'class/iscsi_session/session{session[1]}', 'targetname') == iqn else None

    def fc_disks(self, targets):
        """Names of the disks with that LUN behind that port; `targets`: [(WWPN as 16 hexadecimal digits, LUN)]."""
        luns = {}
        for wwpn, lun in targets:
            luns.setdefault(wwpn, set()).add(lun)
        found = set()
        for kind in 'class/fc_remote_ports', 'class/fc_transport':
            for port in self._list(kind):
                wwpn = self._read(kind, port, 'port_name').removeprefix('0x')
                if wwpn in luns:
                    found.update(self._disks_below(f'{kind}/{port}/device', luns[wwpn]))
        return sorted(found)

    def _disks_below(self, place, luns):
        """Disks of a session, of a remote port (both hold targets) or of a target."""
        targets = [f'{place}/{name}' for name in self._list(place) if name.startswith('target')]
        return [disk for target in targets or [place] for address in self._list(target)
                if address.rpartition(':')[2] in {str(lun) for lun in luns}
                for disk in self._list(target, address, 'block')]

    # ------------------------------------------------------------------------------------------------------ files

    def _read(self, *parts):
        """A file's only line. With as few system calls as can be: this is most of what a growth costs us."""
        try:
            descriptor = os.open('/'.join((self._sys, *parts)), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return ''
        try:
            return os.read(descriptor, 4096).decode(errors='replace').strip()
        except OSError:                     # the address of a portal that is not connected: ENOTCONN
            return ''
        finally:
            os.close(descriptor)

    def _list(self, *parts):
        try:
            return sorted(os.listdir('/'.join((self._sys, *parts))))
        except OSError:
            return []

    def _link(self, *parts):
        try:
            return os.readlink('/'.join((self._sys, *parts)))
        except OSError:
            return ''
