"""A libvirtd of our own for one state folder, beside whatever libvirt the machine runs already.

Root: in a private mount namespace libvirtd's fixed folders are folders of the state folder, so neither its domains nor
its sockets meet the machine's. Anyone else: libvirt's session mode with its folders moved in the same way by the XDG
variables (libvirt_folders.py). No virtlogd, systemd, D-Bus or cgroups are needed; libvirtd complains in its log about
their absence and works.

Guests are processes of their own: they outlive this process and libvirtd, and the next start() finds them again.
"""

import contextlib
import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid

from onebox import libvirt_folders, probes

START_SECONDS = 60      # the first on a machine asks each QEMU there what it can do
STOP_SECONDS = 10
ANSWER_SECONDS = 10

# remember_owner: extended attributes would be left on volumes. stdio_handler: there is no virtlogd.
QEMU_CONF = '''security_driver = "none"
remember_owner = 0
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
max_core = 0
'''


# Run by a Python of its own, as a libvirtd that hangs would hang whoever asks.
ASK = '''import libvirt, sys
libvirt.registerErrorHandler(lambda *what: None, None)
connection = libvirt.open(sys.argv[1])
connection.getVersion()
'''
DESTROY = ASK + '''for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
    domain.destroy()
'''


class Unavailable(Exception):
    """This machine cannot run a libvirtd for us; str() says why and what would help."""


class Libvirtd:
    """The daemon of one state folder."""

    def __init__(self, state):
        self._folders = libvirt_folders.kind()(pathlib.Path(state).absolute() / 'libvirt')
        self._home, self._base = self._folders.home, self._folders.base
        self._process = None

    @property
    def uri(self) -> str:
        """What to give to libvirt.open()."""
        path = urllib.parse.quote(str(self._socket))
        return f'qemu+unix:///{self._folders.mode}?socket={path}'

    @property
    def log(self) -> pathlib.Path:
        """Where libvirtd complains."""
        return self._home / 'libvirtd.log'

    @property
    def pid(self) -> int | None:
        """The daemon's process id, None if it does not run; the starter may have been another process."""
        return self._daemon_pid()

    def start(self) -> str:
        """libvirtd answers, and guests of an earlier run are known to it. Returns its URI. Unavailable.

        One that still runs for this folder, because its starter was killed, is taken over.
        """
        self._check_machine()
        self._make_folders()
        if not self._answers():
            self._end_daemon()
            probes.restore(self._capabilities)
            self._spawn()
            self._await_answer()
            probes.keep(self._capabilities)
        return self.uri

    def stop(self, guests=False) -> None:
        """libvirtd has ended; its guests too if wanted, otherwise they run on. No error if it was not running."""
        if guests:
            self._destroy_guests()
        self._end_daemon()
        if guests:
            self._kill_guests()
        self._folders.forget()

    def destroy(self) -> None:
        """There is no libvirtd, no guest, and nothing that libvirtd knew of them."""
        self.stop(guests=True)
        shutil.rmtree(self._home, ignore_errors=True)

    def guests(self) -> list[int]:
        """Process ids of the QEMUs of this folder, found by their own pid files."""
        pids = [_read_pid(path) for path in self._guest_pid_files()]
        return [pid for pid in pids if pid and _is_running(pid, 'qemu')]

    # -- before the start

    def _check_machine(self):
        missing = [package for tool, package in (('libvirtd', 'libvirt-daemon-system'),
                                                 ('qemu-system-x86_64', 'qemu-system-x86')) if not _which(tool)]
        if missing:
            raise Unavailable(f'To run real guests, install: {" ".join(missing)}')
        if importlib.util.find_spec('libvirt') is None:
            raise Unavailable('To run real guests, install libvirt-python into this Python environment.')
        for public in self._folders.public.values():
            if self._home.is_relative_to(public):
                raise Unavailable(f'The state folder must not be below {public}: a private one is put over it.')

    def _make_folders(self):
        try:
            self._folders.make()
        except OSError as error:
            raise Unavailable(f'libvirtd needs a folder: {error}') from error
        config = self._base / self._folders.config
        (config / 'qemu.conf').write_text(QEMU_CONF + self._folders.qemu_conf)
        (config / 'libvirtd.conf').write_text(self._libvirtd_conf())

    def _libvirtd_conf(self):
        identity = self._home / 'host_uuid'
        if not identity.exists():
            identity.write_text(str(uuid.uuid4()))
        return (f'host_uuid = "{identity.read_text()}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n'
                f'unix_sock_rw_perms = "0700"\nunix_sock_ro_perms = "0700"\n'
                'log_level = 3\nlog_outputs = "3:stderr"\n')

    # -- the daemon

    @property
    def _socket(self):
        return self._base / self._folders.socket

    @property
    def _capabilities(self):
        return self._base / self._folders.capabilities

    @property
    def _pid_file(self):
        return self._home / 'libvirtd.pid'

    def _spawn(self):
        daemon = [_which('libvirtd'), '--config', self._folders.config_file, '--pid-file', str(self._pid_file)]
        with self.log.open('ab') as log:
            # A session of its own: Ctrl-C on our terminal is not meant for it.
            self._process = subprocess.Popen(
                self._folders.command(daemon), env={**os.environ, **self._folders.environment()},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def _await_answer(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise Unavailable(f'libvirtd ended at once: {self._last_words()}')
            if self._answers():
                return
            time.sleep(0.02)
        self._end_daemon()
        raise Unavailable(f'libvirtd did not answer within {START_SECONDS} s: {self._last_words()}')

    def _answers(self):
        """True if our libvirtd takes calls."""
        return self._socket.exists() and bool(self._daemon_pid()) and self._run(ASK)

    def _run(self, program):
        """True if the program, given our URI, ended well and in time."""
        command = [sys.executable, '-c', program, self.uri]
        try:
            return subprocess.run(command, capture_output=True, timeout=ANSWER_SECONDS).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _last_words(self):
        lines = self.log.read_text(errors='replace').strip().splitlines()
        return lines[-1] if lines else 'it said nothing'

    def _daemon_pid(self):
        pid = self._process.pid if self._process else _read_pid(self._pid_file)
        return pid if pid and _is_running(pid, 'libvirtd') else None

    def _end_daemon(self):
        pid = self._daemon_pid() or (self._process.pid if self._process else None)
        if pid:
            _end(pid, self._process)
        self._process = None

    # -- the guests

    def _guest_pid_files(self):
        return sorted((self._home / self._folders.guest_pids).glob('*.pid'))

    def _destroy_guests(self):
        """By libvirt, so that it forgets them properly."""
        if self._socket.exists() and self._daemon_pid():
            self._run(DESTROY)

    def _kill_guests(self):
        for pid in self.guests():
            _end(pid)


def _which(tool):
    """libvirtd lives in sbin, which is not on every user's PATH."""
    return shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin:/usr/local/sbin')


def _read_pid(path):
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _is_running(pid, program=''):
    """True if the process is there and runs that program: a pid from a file may be somebody else's by now."""
    try:
        command = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()
        state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state != 'Z' and program.encode() in command.split(b'\0')[0]


def _end(pid, process=None):
    """The process has ended: asked first, then killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            if process:
                process.poll()      # lets a child of ours go
            if not _is_running(pid):
                return
            time.sleep(0.02)
