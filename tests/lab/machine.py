"""A user-mode Linux machine: an ordinary process with a kernel of its own, and this machine's file system to read.

Everything that it writes is in its memory or in a temporary folder that goes with it; init.sh is its first process.
"""
import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KERNEL = 'linux.uml'
MODULES = pathlib.Path('/usr/lib/uml/modules')
FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
KEEPER, INIT = FOLDER / 'keeper.py', FOLDER / 'init.sh'
# Debian's packages of what the machine starts.
PROGRAMS = {KERNEL: 'user-mode-linux', 'lvm': 'lvm2', 'iscsid': 'open-iscsi', 'multipathd': 'multipath-tools',
            'modprobe': 'kmod', 'udevadm': 'udev', 'ip': 'iproute2'}
# What the command in the machine gets of our environment, beside names that begin with LAB_.
PASSED_ON = ('HOME', 'LANG', 'TERM', 'NO_COLOR', 'PYTEST_ADDOPTS', 'XDG_CACHE_HOME')
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
MEMORY_FOLDERS = ('/dev/shm', tempfile.gettempdir())     # noqa: S108
UNITS = {'M': 1 << 20, 'G': 1 << 30}
ENDED = 124             # exit status of a command that was ended by the time limit, as timeout(1) has it
LOOK = 0.1              # seconds between two looks at what the command has said
NEVER_RAN = 5           # seconds within which a machine that cannot run at all has ended


class Unavailable(Exception):
    """The machine cannot run here; the sentence says why and what would help."""


class Machine:
    """One machine that runs `command` (a list) with the project as its folder, and ends.

    `memory` is its size, as in '2G'. `network` is one end of an AF_UNIX datagram socket pair: the machine at the
    other end is its neighbour on a wire. `node` is its number there. With `terminal` the command has ours; otherwise
    `show` gets its output, in pieces as they come.
    """

    def __init__(self, command, memory='2G', seconds=None, node=1, network=None, terminal=False, environment=None,
                 show=None):
        self._command, self._seconds, self._terminal = list(command), seconds, terminal
        self._show = show or _print
        self._memory, self._node, self._network = memory, node, network
        self._environment = environment or {}
        self._lifeline = None

    def run(self) -> int:
        """The command's exit status (ENDED if it took longer than `seconds`); its output was shown as it came."""
        with self:
            return self.wait()

    def __enter__(self):
        check()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='lab-'))
        self.said, self._console = self.folder / 'said', self.folder / 'console'
        self.said.touch()
        shutil.copy(INIT, self.folder / 'init')      # the kernel's command line is split at spaces, so not where we are
        self._write_command()
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        return self

    def __exit__(self, *error):
        """Nothing of the machine is left."""
        if self._terminal:
            _take_terminal(os.getpgrp())
        self._lifeline.stdin.close()
        self._lifeline.wait()
        self._uml.wait()

    def wait(self) -> int:
        """As run(), of a machine that was started by `with`."""
        until = time.monotonic() + self._seconds if self._seconds else float('inf')
        began = time.monotonic()
        with open(self.said, 'rb') as said:
            while self._uml.poll() is None and time.monotonic() < until:
                time.sleep(LOOK)
                self._show(said.read())
            self._show(said.read())
        if self._uml.poll() is None:
            self._show(f'\nlab: not done within {self._seconds:.0f} s: ended\n'.encode())
            return ENDED
        return self._status(time.monotonic() - began)

    def _status(self, seconds) -> int:
        with contextlib.suppress(FileNotFoundError):
            return int((self.folder / 'status').read_text())
        words = '' if self._terminal else self._console.read_text(errors='replace')[-2000:].strip()
        if seconds < NEVER_RAN:
            raise Unavailable(f'{KERNEL} cannot run here (a sandbox without ptrace?). It said: {words or "nothing"}')
        raise RuntimeError(f'The machine ended before its command did. Its console: {words}')

    def _write_command(self):
        """A shell script with what is to be run, and in what environment."""
        environment = {name: value for name, value in os.environ.items()
                       if name in PASSED_ON or name.startswith('LAB_')} | self._environment
        environment |= {'PATH': f'{pathlib.Path(sys.executable).parent}:{PATH}', 'LAB_NODE': str(self._node)}
        lines = [f'export {name}={shlex.quote(value)}' for name, value in environment.items()]
        (self.folder / 'command').write_text('\n'.join([*lines, f'cd {shlex.quote(str(ROOT))}',
                                                        shlex.join(self._command), '']))

    def _start(self):
        console = sys.stdout if self._terminal else open(self._console, 'wb')
        stdin = sys.stdin if self._terminal else subprocess.DEVNULL
        with contextlib.ExitStack() as stack:
            if not self._terminal:
                stack.callback(console.close)
            self._uml = subprocess.Popen(
                self._kernel(), stdin=stdin, stdout=console, stderr=subprocess.STDOUT, process_group=0, cwd='/',
                env={'HOME': str(self.folder), 'TMPDIR': _memory_folder(self._memory), 'PATH': PATH},
                pass_fds=[self._network.fileno()] if self._network else [])
        # Whatever becomes of us, the machine and its folder go. Not ended by Ctrl-C, as it has a session of its own.
        self._lifeline = subprocess.Popen([sys.executable, '-I', str(KEEPER), str(self._uml.pid), str(self.folder)],
                                          stdin=subprocess.PIPE, start_new_session=True)
        if self._terminal:
            _take_terminal(self._uml.pid)

    def _kernel(self):
        words = [KERNEL, f'mem={self._memory}', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'quiet', 'loglevel=0',
                 f'init={self.folder}/init', f'lab={self.folder}', f'node={self._node}',
                 'con=null', 'con0=fd:0,fd:1', f'uml_dir={self.folder}/']
        if self._terminal:
            size = os.get_terminal_size()
            words += [f'terminal={size.lines}x{size.columns}']
        if self._network:
            words += [f'vec0:transport=fd,fd={self._network.fileno()},mac=02:00:00:00:00:{self._node:02}']
        return words


def check():
    """Unavailable if something is missing that the machine is made of."""
    missing = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program, path=PATH)})
    if missing:
        raise Unavailable(f'The lab needs these packages: {" ".join(missing)}')
    if not MODULES.is_dir():
        raise Unavailable(f'{MODULES} is not there: the package user-mode-linux of Debian has it')


def _memory_folder(memory):
    """Where the machine's memory can be a file: the fastest of the places that have room for it."""
    wanted = int(memory[:-1]) * UNITS[memory[-1]]
    for folder in MEMORY_FOLDERS:
        with contextlib.suppress(OSError):
            room = os.statvfs(folder)
            if not room.f_flag & os.ST_NOEXEC and room.f_bavail * room.f_frsize > wanted and os.access(folder, os.W_OK):
                return folder
    raise Unavailable(f'The lab\'s machine needs {memory} of memory or disk in {" or ".join(MEMORY_FOLDERS)}')


def _take_terminal(group):
    """Ctrl-C and what is typed go to the process group `group`."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(sys.stdin.fileno(), group)
    signal.signal(signal.SIGTTOU, before)


def _print(said: bytes):
    if said:
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()
