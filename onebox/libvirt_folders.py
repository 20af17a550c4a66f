"""Where a private libvirtd keeps its things: as root, as root without the right to mount, and as anybody else."""

import contextlib
import hashlib
import os
import pathlib
import pwd
import sys
import tempfile

SOCKET_PATH_MAX = 107   # bytes of sockaddr_un.sun_path
LONGEST_SOCKET = '/config/libvirt/qemu/lib/domain-1000-server-01234567-89ab/monitor.sock'
CAP_SYS_ADMIN = 21      # linux/capability.h


class Folders:
    """What all kinds have in common.

    `home`: where the things are. `base`: the same folder by a path that leaves room for the names of sockets: itself,
    or else a link in /tmp.
    """

    public = {}         # folders of the machine that libvirtd sees differently
    qemu_conf = ''

    def __init__(self, wanted):
        self.home = wanted
        self.base = wanted
        if len(str(wanted) + LONGEST_SOCKET) > SOCKET_PATH_MAX:
            self.base = pathlib.Path(tempfile.gettempdir(), f'onebox-{os.geteuid()}-{_digest(wanted)}')

    def make(self):
        """The folders are there. OSError, also if somebody else's thing is in their place."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.base != self.home:
            with contextlib.suppress(FileExistsError):
                self.base.symlink_to(self.home)
            if self.base.lstat().st_uid != os.geteuid() or self.base.readlink() != self.home:
                raise FileExistsError(f'{self.base} is in the way: somebody else made it')
        for name in (*self.names, self.config):
            (self.base / name).mkdir(mode=0o755, parents=True, exist_ok=True)

    def forget(self):
        """The link in /tmp is gone."""
        if self.base != self.home:
            self.base.unlink(missing_ok=True)


class System(Folders):
    """Root's libvirtd has fixed folders, so each is a folder of ours, by bind mounts that only libvirtd sees."""

    mode = 'system'
    socket, config, capabilities, guest_pids = 'run/libvirt-sock', 'etc', 'cache/qemu/capabilities', 'run/qemu'
    public = {'etc': '/etc/libvirt', 'run': '/run/libvirt', 'lib': '/var/lib/libvirt', 'log': '/var/log/libvirt',
              'cache': '/var/cache/libvirt'}
    names = tuple(public)
    config_file = '/etc/libvirt/libvirtd.conf'
    qemu_conf = 'user = "root"\ngroup = "root"\ndynamic_ownership = 0\n'

    def command(self, daemon):
        """The command that runs libvirtd among its private folders."""
        for path in self.public.values():
            pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        binds = [f'{self.base / name}={path}' for name, path in self.public.items()]
        return [sys.executable, '-m', 'onebox.namespace', *binds, '--', *daemon]

    def environment(self):
        """What the command needs in its environment: a Python that finds this package."""
        return {'PYTHONPATH': str(pathlib.Path(__file__).resolve().parent.parent)}


class Session(Folders):
    """Anybody else's libvirtd has folders in the home directory, which move with the XDG variables."""

    mode = 'session'
    socket, config = 'run/libvirt/libvirt-sock', 'config/libvirt'
    capabilities, guest_pids = 'cache/libvirt/qemu/capabilities', 'run/libvirt/qemu/run'
    names = ('config', 'cache', 'data', 'run')

    def __init__(self, wanted):
        super().__init__(wanted)
        self.config_file = str(self.base / self.config / 'libvirtd.conf')

    def command(self, daemon):
        """The command that runs libvirtd."""
        return daemon

    def environment(self):
        """What moves libvirtd's folders to ours."""
        return {'XDG_CONFIG_HOME': str(self.base / 'config'), 'XDG_CACHE_HOME': str(self.base / 'cache'),
                'XDG_DATA_HOME': str(self.base / 'data'), 'XDG_RUNTIME_DIR': str(self.base / 'run')}


class Lent(Session):
    """Root without the right to mount, as in most containers: libvirtd as another user, as only then its folders move.

    libvirtd and QEMU keep root's right to open any file, as volumes are root's. But libvirtd asks QEMU what it can do
    without that right, so its folder must be where that user gets without it: in /var/tmp, not in the state folder.
    """

    qemu_conf = 'clear_emulator_capabilities = 0\n'
    users = ('libvirt-qemu', 'nobody')
    shelter = pathlib.Path('/var/tmp')

    def __init__(self, wanted):
        super().__init__(self.shelter / f'onebox-{_digest(wanted)}')
        known = [name for name in self.users if _user(name)]
        self._user = _user(known[0]) if known else pwd.getpwuid(0)

    def make(self):
        super().make()
        if self.home.is_symlink() or self.home.stat().st_uid not in (0, self._user.pw_uid):
            raise FileExistsError(f'{self.home} is in the way: somebody else made it')
        os.chown(self.home, self._user.pw_uid, self._user.pw_gid)

    def command(self, daemon):
        """The command that runs libvirtd as that user."""
        return ['setpriv', f'--reuid={self._user.pw_uid}', f'--regid={self._user.pw_gid}', '--init-groups',
                '--inh-caps=+dac_override', '--ambient-caps=+dac_override',
                '--securebits=+no_setuid_fixup',    # access(2), too, shall count the right
                '--', *daemon]


def kind():
    """The one of the three that is for this process."""
    if os.geteuid() != 0:
        return Session
    return System if _may_mount() else Lent


def _may_mount():
    for line in pathlib.Path('/proc/self/status').read_text().splitlines():
        if line.startswith('CapEff:'):
            return bool(int(line.split()[1], 16) >> CAP_SYS_ADMIN & 1)
    return False


def _user(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _digest(path):
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
