"""A host with disks, a multipath map and a multipathd, as far as brick sees them: files below /sys, and a socket.

The names and the places of the files are those of Linux 6.1 with iscsi_tcp, lpfc and dm-multipath; the behaviour, as
seen with the real ones in tests/lab, is in `Host.rescan` and in `Multipathd`.
"""

import os
import pathlib
import shutil
import socket
import struct
import threading

from brick import errors, multipath

GIB = 1 << 30
WWID = '36001405c23e975482014015a1ce1f1dd'
IQN = 'iqn.2010-10.org.openstack:volume-1'


class Clock:
    """Sleeping takes no time; `at` holds what happens meanwhile: {seconds: function}."""

    def __init__(self):
        self.now, self.at = 0.0, {}

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        for moment in sorted(moment for moment in self.at if moment <= self.now):
            self.at.pop(moment)()


class Host:
    """`root` is a folder that becomes the host's `/`."""

    def __init__(self, root, size=GIB):
        self.root = pathlib.Path(root)
        self.stored = size              # what the storage says to who asks
        self.stale = {}                 # {disk: size} where one port of it says something else
        self.silent = set()             # disks that do not answer a rescan
        self.asked = []                 # disks of each rescan
        self.clock = Clock()

    # ------------------------------------------------------------------------------------------------------- disks

    def iscsi(self, number, name, iqn=IQN, lun=0, wwid=WWID, size=GIB, link=True):
        """A session with the portal 10.11.<number>.1, and its disk."""
        place = f'sys/devices/platform/host{number}/session{number}'
        portal = f'10.11.{number}.1'
        self.attributes(f'{place}/iscsi_session/session{number}', targetname=iqn, state='LOGGED_IN')
        self.attributes(f'{place}/connection{number}:0/iscsi_connection/connection{number}:0',
                        persistent_address=portal, persistent_port=3260)
        self.link(f'sys/class/iscsi_session/session{number}', f'{place}/iscsi_session/session{number}')
        self.link(f'{place}/iscsi_session/session{number}/device', place)
        self.link(f'sys/class/iscsi_connection/connection{number}:0',
                  f'{place}/connection{number}:0/iscsi_connection/connection{number}:0')
        self.disk(name, f'{place}/target{number}:0:0/{number}:0:0:{lun}', wwid, size)
        if link:
            self.link(f'dev/disk/by-path/ip-{portal}:3260-iscsi-{iqn}-lun-{lun}', f'dev/{name}')

    def fibre_channel(self, number, name, wwpn, lun=0, wwid=WWID, size=GIB, transport=True):
        """A remote port of an adapter, and its disk; some drivers have no fc_transport class."""
        place = f'sys/devices/pci0000:00/0000:00:0{number}.0/host{number}/rport-{number}:0-1'
        target = f'{place}/target{number}:0:1'
        port = f'{place}/fc_remote_ports/rport-{number}:0-1'
        self.attributes(port, port_name=f'0x{wwpn}', port_state='Online', scsi_target_id=1)
        self.link(f'sys/class/fc_remote_ports/rport-{number}:0-1', port)
        self.link(f'{port}/device', place)
        if transport:
            self.attributes(f'{target}/fc_transport/target{number}:0:1', port_name=f'0x{wwpn}')
            self.link(f'sys/class/fc_transport/target{number}:0:1', f'{target}/fc_transport/target{number}:0:1')
            self.link(f'{target}/fc_transport/target{number}:0:1/device', target)
        self.disk(name, f'{target}/{number}:0:1:{lun}', wwid, size)

    def disk(self, name, place, wwid, size):
        self.attributes(place, wwid=f'naa.{wwid[1:]}', state='running')
        self.attributes(f'{place}/block/{name}', size=size // 512)
        (self.root / f'{place}/block/{name}/holders').mkdir()
        self.link(f'{place}/block/{name}/device', place)
        self.link(f'sys/class/block/{name}', f'{place}/block/{name}')

    def logout(self, number):
        """The session is gone, and with it its disk."""
        place = self.root / f'sys/devices/platform/host{number}/session{number}'
        for disk in place.glob('target*/*/block/*'):
            (self.root / 'sys/class/block' / disk.name).unlink()
        for link in (f'iscsi_session/session{number}', f'iscsi_connection/connection{number}:0'):
            (self.root / 'sys/class' / link).unlink()
        shutil.rmtree(place)

    def set_state(self, name, state):
        self.attributes(f'sys/class/block/{name}/device', state=state)

    def size(self, name):
        return int((self.root / f'sys/class/block/{name}/size').read_text()) * 512

    def set_size(self, name, size):
        self.attributes(f'sys/class/block/{name}', size=size // 512)

    def grow(self, names, size, over, timeout, tell):
        """As privileged.grow()."""
        answers, reply = self.rescan(names), ''
        sizes = {self.size(name) for name in names}
        if over and not any(answers.values()) and len(sizes) == 1 and sizes.pop() >= size:
            try:
                reply = tell(['resize', 'map', (self.root / f'sys/class/block/{over}/dm/name').read_text().strip()])
            except errors.MultipathError as error:
                reply = str(error)
        return answers, reply, {name: self.size(name) for name in [*names, *([over] if over else [])]}

    def rescan(self, names):
        self.asked.append(sorted(names))
        answers = {name: 'did not answer' if name in self.silent else '' for name in names}
        for name in names:
            state = (self.root / f'sys/class/block/{name}/device/state').read_text().strip()
            if name not in self.silent and state == 'running':
                self.set_size(name, self.stale.get(name, self.stored))
        return answers

    # ----------------------------------------------------------------------------------------------- device mapper

    def mapper(self, device, uuid, name, members, size=GIB):
        place = f'sys/devices/virtual/block/{device}'
        self.attributes(place, size=size // 512)
        self.attributes(f'{place}/dm', uuid=uuid, name=name)
        for folder in 'slaves', 'holders':
            (self.root / place / folder).mkdir()
        self.link(f'sys/class/block/{device}', place)
        for member in members:
            self.join(device, member)

    def multipath(self, *members, size=GIB):
        self.mapper('dm-0', f'mpath-{WWID}', 'mpatha', members, size)

    def members(self, device='dm-0'):
        return sorted(path.name for path in (self.root / f'sys/class/block/{device}/slaves').iterdir())

    def join(self, device, member):
        self.link(f'sys/class/block/{device}/slaves/{member}', f'sys/class/block/{member}')
        self.link(f'sys/class/block/{member}/holders/{device}', f'sys/class/block/{device}')

    def leave(self, device, member):
        (self.root / f'sys/class/block/{device}/slaves/{member}').unlink()
        (self.root / f'sys/class/block/{member}/holders/{device}').unlink()

    # ------------------------------------------------------------------------------------------------------- files

    def attributes(self, folder, **values):
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            new = self.root / folder / f'.{name}.{threading.get_ident()}'
            new.write_text(f'{value}\n')
            new.replace(self.root / folder / name)          # who reads sees the old or the new, as in /sys

    def link(self, link, to):
        (self.root / link).parent.mkdir(parents=True, exist_ok=True)
        (self.root / link).symlink_to(self.root / to)
        if not (self.root / to).exists():
            self.attributes(to)


class Multipathd:
    """Serves a socket of its own and the host's map dm-0. `answers` are said first, to whatever is asked."""

    def __init__(self, host):
        self.host, self.answers, self.asked = host, [], []
        self.address = f'\0tests/{os.urandom(6).hex()}'
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.address)
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def ask(self, words):
        return multipath.ask(words, timeout=5, address=self.address)

    def stop(self):
        if self._thread.is_alive():
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                length, = struct.unpack('@N', connection.recv(8))
                text = connection.recv(length)
                assert text.endswith(b'\0')
                self.asked.append(text[:-1].decode())
                answer = self.answers.pop(0) if self.answers else self._do(text[:-1].decode().split())
                text = f'{answer}\n\0'.encode()
                connection.sendall(struct.pack('@N', len(text)))
                for place in range(0, len(text), 2):
                    connection.sendall(text[place:place + 2])

    def _do(self, words):
        done = getattr(self, '_'.join(['', *words[:2]]))(*words[2:])
        return 'ok' if done else 'fail'

    def _resize_map(self, name):
        """multipathd believes the first path, and the kernel refuses a table longer than any that has a size."""
        sizes = [self.host.size(member) for member in self.host.members()]
        if name != 'mpatha' or not sizes or not sizes[0] or 0 < min(filter(None, sizes)) < sizes[0]:
            return False
        self.host.set_size('dm-0', sizes[0])
        return True

    def _del_path(self, name):
        if name not in self.host.members():
            return False
        self.host.leave('dm-0', name)
        return True

    def _add_path(self, name):
        if self.host.size(name) != self.host.size('dm-0'):
            return False
        if name not in self.host.members():
            self.host.join('dm-0', name)
        return True

    def _reconfigure(self):
        sizes = {self.host.size(path.name) for path in (self.host.root / 'sys/class/block').glob('sd*')
                 if (path / 'device/wwid').read_text().strip() == f'naa.{WWID[1:]}'}
        assert len(sizes) == 1, 'the map is rejected, and gone'
        return True
