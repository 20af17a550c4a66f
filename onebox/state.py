"""The folder that holds everything one onebox knows, and the lock on it."""
import errno
import fcntl
import os
import pathlib


class Taken(Exception):
    """Another onebox runs on this folder."""


class State:
    """Paths in the folder; made with mode 0700 if it does not exist."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).expanduser().absolute()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.clouds = self.folder / 'clouds.yaml'
        self.log = self.folder / 'onebox.log'
        self.identity = self._made('identity')
        self.images = self._made('images')
        self.volumes = self._made('volumes')
        self._lock = None

    def database(self, name: str) -> str:
        return f'sqlite:///{self.folder / name}.db'

    def configuration(self, service: str) -> pathlib.Path:
        """Where an operator may put a configuration file."""
        return self.folder / f'{service}.conf'

    def policy(self, service: str) -> str:
        """Where an operator may put a policy file."""
        return str(self.folder / f'{service}-policy.yaml')

    def lock(self) -> None:
        """Ours until the process ends, however it ends; `Taken` names the owner's pid."""
        descriptor = os.open(self.folder / 'onebox.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            pid = os.read(descriptor, 20).decode().strip() or 'unknown'
            os.close(descriptor)
            raise Taken(f'The folder {self.folder} is in use by another onebox, process {pid}. '
                        'Stop that one first or choose another folder by --state.') from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f'{os.getpid()}\n'.encode())
        self._lock = descriptor

    def _made(self, name) -> pathlib.Path:
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path
