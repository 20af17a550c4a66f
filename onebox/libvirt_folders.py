"""Where a private libvirtd keeps its things, below one folder of ours: as root, and as anybody else."""

import hashlib
import os
import pathlib
import sys
import tempfile

SOCKET_PATH_MAX = 107   # bytes of sockaddr_un.sun_path
LONGEST_SOCKET = '/config/libvirt/qemu/lib/domain-1000-server-01234567-89ab/monitor.sock'


class System:
    """Root's libvirtd has fixed folders, so each is a folder of ours, by bind mounts that only libvirtd sees."""

    mode = 'system'
    socket, config, capabilities, guest_pids = 'run/libvirt-sock', 'etc', 'cache/qemu/capabilities', 'run/qemu'
    public = {'etc': '/etc/libvirt', 'run': '/run/libvirt', 'lib': '/var/lib/libvirt', 'log': '/var/log/libvirt',
              'cache': '/var/cache/libvirt'}
    names = tuple(public)
    config_file = '/etc/libvirt/libvirtd.conf'

    def __init__(self, base):
        self._base = base

    def command(self, daemon):
        """The command that runs libvirtd among its private folders."""
        for path in self.public.values():
            pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        binds = [f'{self._base / name}={path}' for name, path in self.public.items()]
        return [sys.executable, '-m', 'onebox.namespace', *binds, '--', *daemon]

    def environment(self):
        """What the command needs in its environment: a Python that finds this package."""
        return {'PYTHONPATH': str(pathlib.Path(__file__).resolve().parent.parent)}


class Session:
    """Anybody else's libvirtd has folders in the home directory, which move with the XDG variables."""

    mode = 'session'
    socket, config = 'run/libvirt/libvirt-sock', 'config/libvirt'
    capabilities, guest_pids = 'cache/libvirt/qemu/capabilities', 'run/libvirt/qemu/run'
    public = {}
    names = ('config', 'cache', 'data', 'run')

    def __init__(self, base):
        self._base = base
        self.config_file = str(base / self.config / 'libvirtd.conf')

    def command(self, daemon):
        """The command that runs libvirtd."""
        return daemon

    def environment(self):
        """What moves libvirtd's folders to ours."""
        return {'XDG_CONFIG_HOME': str(self._base / 'config'), 'XDG_CACHE_HOME': str(self._base / 'cache'),
                'XDG_DATA_HOME': str(self._base / 'data'), 'XDG_RUNTIME_DIR': str(self._base / 'run')}


def short_path(home):
    """A path of the folder that leaves room for the names of sockets: itself, or else of a link in /tmp."""
    if len(str(home) + LONGEST_SOCKET) <= SOCKET_PATH_MAX:
        return home
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return pathlib.Path(tempfile.gettempdir(), f'onebox-{os.geteuid()}-{name}')
