"""Volumes of the lab: the first part of a logical volume behind an iSCSI target, logged in to through some portals.

For tests and benchmarks of brick alone, which want to pull a volume's storage about as no service would.
"""
import contextlib
import os
import pathlib
import subprocess
import time

GIB = 1 << 30
ROOM = 4 * GIB          # to grow into
PORTALS = [f'10.11.{number}.1' for number in range(1, 9)]
PORT = 3260


def run(*words, check=True, stdin=None):
    """The output of a program."""
    ended = subprocess.run(words, capture_output=True, text=True, input=stdin, check=False)
    if check and ended.returncode:
        raise RuntimeError(f'{" ".join(words)}: {ended.stdout}{ended.stderr}')
    return ended.stdout


def until(true, seconds=30.0, what='it'):
    """What `true()` returned, as soon as that is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f'{what} did not happen within {seconds} s'
        time.sleep(0.05)
    return found


class Volume:
    """The first `size` bytes of a logical volume of the group `lab`, exported through `portals`; see the module.

    `stale`: portals whose way to the volume is a device of its own, which grows only by grow_stale().
    """

    def __init__(self, name, portals, size=GIB, stale=()):
        self.name, self.portals, self.stale, self.size = name, list(portals), list(stale), size
        self.iqn = f'iqn.2010-10.org.openstack:{name}'
        run('lvcreate', '-y', '-Wn', '-n', name, '-L', f'{ROOM}b', 'lab')
        self._parts = ['fresh', 'stale'] if stale else ['fresh']
        for part in self._parts:
            run('dmsetup', 'create', f'{name}-{part}', '--table', self._table())
        self._export()

    @property
    def data(self):
        """As a volume service describes the connection."""
        count = len(self.portals)
        return {'target_discovered': False, 'target_iqn': self.iqn, 'target_iqns': [self.iqn] * count,
                'target_portal': f'{self.portals[0]}:{PORT}', 'target_lun': 0, 'target_luns': [0] * count,
                'target_portals': [f'{portal}:{PORT}' for portal in self.portals], 'volume_id': self.name}

    def _table(self):
        return f'0 {self.size // 512} linear /dev/lab/{self.name} 0'

    def _export(self):
        import rtslib_fb
        target = rtslib_fb.Target(rtslib_fb.FabricModule('iscsi'), self.iqn)
        storage = None
        for tag, part in enumerate(self._parts, 1):
            storage = rtslib_fb.BlockStorageObject(f'{self.name}-{part}', dev=f'/dev/mapper/{self.name}-{part}',
                                                   wwn=storage and storage.wwn)
            group = rtslib_fb.TPG(target, tag)
            open_to_all(group)
            rtslib_fb.LUN(group, 0, storage)
            for portal in self.stale if part == 'stale' else [p for p in self.portals if p not in self.stale]:
                rtslib_fb.NetworkPortal(group, portal, PORT)
            group.enable = True

    def extend(self, size):
        """The storage is larger; no host was told."""
        self.size = size
        self._reload('fresh')

    def grow_stale(self):
        self._reload('stale')

    def _reload(self, part):
        name = f'{self.name}-{part}'
        run('dmsetup', 'reload', name, '--table', self._table())
        run('dmsetup', 'resume', name)

    # ---------------------------------------------------------------------------------------------------- this host

    def login(self, portals=None):
        """All paths are there, and under one map if multipathd runs."""
        # In as few programs as can be: each takes a third of a second.
        for portal in portals or self.portals:
            run('iscsiadm', '-m', 'node', '-T', self.iqn, '-p', f'{portal}:{PORT}', '-o', 'new')
        for by in _by(portals):
            run('iscsiadm', '-m', 'node', '-T', self.iqn, *by, '--login')
        run('iscsiadm', '-m', 'session', '--rescan')
        run('udevadm', 'settle')

    def logout(self, portals=None):
        for by in _by(portals):
            run('iscsiadm', '-m', 'node', '-T', self.iqn, *by, '--logout', check=False)

    def sessions(self):
        return [path.name for path in pathlib.Path('/sys/class/iscsi_session').iterdir()
                if (path / 'targetname').read_text().strip() == self.iqn]

    def await_map(self, paths=None):
        """Name of the volume's map in /dev, once all paths are in it."""
        def found():
            for folder in pathlib.Path('/sys/block').glob('dm-*'):
                if (folder / 'dm/uuid').read_text().startswith('mpath-'):
                    members = [path.name for path in (folder / 'slaves').iterdir()]
                    if len(members) == (paths or len(self.portals)) and set(members) <= set(self.disks()):
                        return folder.name
            return None
        return until(found, what=f'a map over {self.name}')

    def disks(self):
        found = []
        for session in self.sessions():
            found += [path.name for path in pathlib.Path('/sys/class/iscsi_session', session, 'device').glob(
                'target*/*/block/*')]
        return sorted(found)

    def remove(self):
        """Nothing of the volume is left."""
        import rtslib_fb
        addresses = run('ip', 'address', 'show', 'dev', 'lo')
        for portal in self.portals:
            if f' {portal}/' not in addresses:
                up(portal)
        with contextlib.suppress(StopIteration):
            wwid = next(folder for folder in pathlib.Path('/sys/block').glob('dm-*')
                        if {path.name for path in (folder / 'slaves').iterdir()} & set(self.disks()))
            run('multipathd', 'del', 'map', (wwid / 'dm/name').read_text().strip(), check=False)
        self.logout()
        run('iscsiadm', '-m', 'node', '-T', self.iqn, '-o', 'delete', check=False)
        for target in list(rtslib_fb.RTSRoot().targets):
            if target.wwn == self.iqn:
                target.delete()
        for part in self._parts:
            for storage in list(rtslib_fb.RTSRoot().storage_objects):
                if storage.name == f'{self.name}-{part}':
                    storage.delete()
            run('dmsetup', 'remove', f'{self.name}-{part}', check=False)
        run('lvremove', '-y', f'/dev/lab/{self.name}', check=False)


def _by(portals):
    """How iscsiadm is told of portals: one at a time, or of all that it knows."""
    return [('-p', f'{portal}:{PORT}') for portal in portals] if portals else [()]


def open_to_all(group):
    """Any initiator may log in to the target's portal group."""
    for name, value in (('authentication', 0), ('generate_node_acls', 1), ('demo_mode_write_protect', 0),
                        ('cache_dynamic_acls', 1)):
        group.set_attribute(name, value)


def down(portal):
    """The portal's address is gone, as with a cable pulled out."""
    run('ip', 'address', 'del', f'{portal}/32', 'dev', 'lo')


def up(portal):
    """It is back."""
    run('ip', 'address', 'add', f'{portal}/32', 'dev', 'lo')


def state(disk):
    with contextlib.suppress(OSError):
        return pathlib.Path('/sys/block', disk, 'device/state').read_text().strip()
    return 'gone'


def size(device):
    return int(pathlib.Path('/sys/class/block', device, 'size').read_text()) * 512


def checksum(device, length=1 << 20):
    """Of the first bytes, read from the storage and not from a cache."""
    import hashlib
    return hashlib.sha256(run_dd(device, length)).hexdigest()


def run_dd(device, length):
    return subprocess.run(['dd', f'if=/dev/{device}', 'iflag=direct', 'bs=1M', f'count={length >> 20}', 'status=none'],
                          capture_output=True, check=True).stdout


def fill(device, length=1 << 20):
    """Something to lose."""
    with open(f'/dev/{device}', 'r+b', buffering=0) as disk:
        disk.write(os.urandom(length))
        os.fsync(disk.fileno())
