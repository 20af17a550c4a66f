"""Processes of a test: started with a log file each, killed or stopped by name, none left behind."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Process:
    """One command that can be started, stopped, killed and started again.

    `command` is arguments for this Python: `-m module`, or a file, and theirs; or for another `program`, which finds
    modules of Python in `modules`.
    """

    def __init__(self, name: str, command: list, folder: pathlib.Path, program=sys.executable, modules=ROOT):
        self.name = name
        self.log = folder / f'{name}.log'
        # Should the test be killed, what it started goes too.
        self._command = ['setpriv', '--pdeathsig', 'KILL', str(program), *map(str, command)]
        self._modules = modules
        self._popen = None

    def start(self):
        self._popen = self._spawn()
        return self

    def _spawn(self):
        environment = {**os.environ, 'PYTHONPATH': str(self._modules), 'PYTHONUNBUFFERED': '1'}
        with open(self.log, 'ab') as log:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=environment, cwd=self.log.parent)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def kill(self):
        """SIGKILL: it has no chance to say or save anything."""
        self._popen.kill()
        self._popen.wait()

    def ask_to_stop(self):
        """SIGTERM, as at a restart."""
        if self.running:
            self._popen.send_signal(signal.SIGTERM)

    def stop(self, seconds=20):
        """Asked to stop, and killed if that takes longer than `seconds`."""
        if not self.running:
            return
        self.ask_to_stop()
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines=40) -> str:
        text = self.log.read_text(errors='replace') if self.log.exists() else ''
        return f'--- {self.name}:\n' + '\n'.join(text.splitlines()[-lines:])


class Processes:
    """All processes of one deployment, in the order they were made; `[name]` finds one."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._made: dict[str, Process] = {}

    def add(self, name: str, *command) -> Process:
        return self.put(Process(name, list(command), self.folder))

    def put(self, process) -> Process:
        """One that was made elsewhere; in place of one with its name."""
        self._made[process.name] = process
        return process

    def __getitem__(self, name) -> Process:
        return self._made[name]

    def stop(self):
        """All at once: each takes its time to part from the broker."""
        for process in self._made.values():
            process.ask_to_stop()
        for process in self._made.values():
            process.stop()

    def last_words(self) -> str:
        return '\n'.join(process.last_words() for process in self._made.values())


def eventually(what: str, look, seconds=60.0, pause=0.1):
    """The first true value of look(); AssertionError naming `what` and the last value after `seconds`.

    An AssertionError or a connection error in look() counts as "not yet".
    """
    end = time.monotonic() + seconds
    found = None
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except (AssertionError, OSError) as error:
            found = error
        time.sleep(pause)
    raise AssertionError(f'not within {seconds:.0f} s: {what}; last seen: {found!r}')


def answers(url: str) -> bool:
    """True if something speaks HTTP there."""
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(url, timeout=2).close()
    return True


def run(*command, folder, program=sys.executable, modules=ROOT) -> str:
    """Output of a command that must succeed: as Process has them."""
    done = subprocess.run([str(program), *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, 'PYTHONPATH': str(modules)}, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f'{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}'
    return done.stdout
