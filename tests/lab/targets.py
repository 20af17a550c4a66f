"""iSCSI targets of the lab's machine, for tests of brick alone: files in memory behind LIO, no service in between."""
import contextlib
import os
import pathlib
import subprocess
import time

import rtslib_fb

from tests.lab.wrecking import unreachable

FOLDER = pathlib.Path('/tmp/targets')           # noqa: S108
PORTALS = [f'10.11.{number}.1:3260' for number in range(1, 9)]
USER, SECRET = 'volume-user', 'Tr0ub4dor&3-lab'


class Target:
    """A target with one or more LUNs, seen through `portals`, for this host by CHAP. Everything goes with delete()."""

    def __init__(self, name, luns=1, portals=4, size=64 << 20):
        self.iqn = f'iqn.2010-10.org.openstack:{name}'
        self.portals = PORTALS[:portals]
        self._files = [FOLDER / f'{name}-{number}' for number in range(luns)]
        self._target = rtslib_fb.Target(rtslib_fb.FabricModule('iscsi'), self.iqn)
        group = rtslib_fb.TPG(self._target, 1)
        group.set_attribute('authentication', '1')
        group.enable = True
        access = rtslib_fb.NodeACL(group, initiator())
        access.chap_userid, access.chap_password = USER, SECRET
        self._stores = [self._store(path, size) for path in self._files]
        for number, store in enumerate(self._stores):
            rtslib_fb.MappedLUN(access, number, rtslib_fb.LUN(group, number, store))
        for portal in self.portals:
            rtslib_fb.NetworkPortal(group, portal.partition(':')[0], 3260)

    def _store(self, path, size):
        FOLDER.mkdir(exist_ok=True)
        path.touch()
        os.truncate(path, size)
        # A loop device, as the storage of a volume is a block device too: LIO sees at once when it grows.
        self._loops = getattr(self, '_loops', [])
        self._loops.append(run('losetup', '--find', '--show', path))
        return rtslib_fb.BlockStorageObject(path.name, dev=self._loops[-1])

    def data(self, lun=0, secret=SECRET, portals=None):
        """The connection's data, as Cinder's LIO target has it."""
        portals = portals or self.portals
        return {'target_discovered': False, 'target_portal': portals[0], 'target_iqn': self.iqn, 'target_lun': lun,
                'target_portals': portals, 'target_iqns': [self.iqn] * len(portals),
                'target_luns': [lun] * len(portals), 'auth_method': 'CHAP', 'auth_username': USER,
                'auth_password': secret, 'encrypted': False, 'access_mode': 'rw', 'discard': True}

    def grow(self, size, lun=0):
        """The LUN has `size` bytes; its hosts do not know yet."""
        os.truncate(self._files[lun], size)
        run('losetup', '--set-capacity', self._loops[lun])

    def delete(self):
        self._target.delete()
        for store in self._stores:
            store.delete()
        for device, path in zip(self._loops, self._files, strict=True):
            run('losetup', '--detach', device)
            path.unlink()


def initiator():
    """The iSCSI name of this host."""
    text = pathlib.Path('/etc/iscsi/initiatorname.iscsi').read_text()
    return text.rpartition('InitiatorName=')[2].strip()


def down(*portals):
    """A context in which these portals are cut off."""
    return unreachable(*(portal.partition(':')[0] for portal in portals))


def leftovers():
    """What a volume leaves on a host that forgot it: disks, maps, sessions, records, links."""
    links = _listed('/dev/disk/by-id')
    return {
        'disks': sorted(name for name in os.listdir('/sys/class/block') if name.startswith('sd')),
        'maps': run('dmsetup', 'ls', '--target', 'multipath').replace('No devices found', ''),
        'sessions': sorted(_listed('/sys/class/iscsi_session')),
        'records': sorted(_listed('/etc/iscsi/nodes')),
        'links': sorted(link for link in _listed('/dev/disk/by-path') if 'iscsi' in link),
        'by-id': sorted(link for link in links if link.startswith(('scsi-', 'wwn-', 'dm-uuid-mpath')))}


def _listed(folder):
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(folder)
    return []


def run(*words, timeout=60):
    """A program's output without the last line end; CalledProcessError."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=timeout).stdout.strip()


def eventually(holds, seconds=60.0):
    """Waits until holds() is true; AssertionError with what it last was."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f'{holds.__name__} is still {found!r}'
        time.sleep(0.1)
    return found
