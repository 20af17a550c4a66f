"""Processes that start in a tenth of a second: copies of one that has imported all that our commands need.

For tests that kill the same few processes over and over. A copy is a process of its own like any other, whose
modules are as freshly imported ones are; it runs stepping.py.
"""
import contextlib
import ctypes
import importlib
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1        # linux/prctl.h
IMPORTED = ('computesvc.cmd.agent', 'computesvc.cmd.conductor', 'computesvc.conf', 'computesvc.service', 'svckit.conf',
            'svckit.db', 'psycopg2', 'computesvc.conductor.process', 'computesvc.host.agent', 'computesvc.host.libvirt',
            'oslo_messaging._drivers.impl_rabbit', 'keystoneauth1.identity', 'keystoneauth1.loading')


class Nursery:
    """Ends with `close()`, and whatever came of it too."""

    def __init__(self, folder: pathlib.Path):
        environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONUNBUFFERED': '1'}
        with open(folder / 'nursery.log', 'wb') as log:
            self._popen = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', sys.executable, '-m', 'tests.system.nursery'], cwd=folder, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment)

    def start(self, arguments: list, log: pathlib.Path) -> 'Copy':
        """A new process that runs stepping.py with these arguments, and says what it says to the end of `log`."""
        print(json.dumps({'arguments': [str(word) for word in arguments], 'log': str(log)}), file=self._popen.stdin,
              flush=True)
        return Copy(int(self._popen.stdout.readline()))

    def close(self):
        self._popen.stdin.close()
        self._popen.wait()


class Copy:
    """One process, with what tests use of a subprocess.Popen."""

    def __init__(self, pid: int):
        self.pid, self._ended = pid, select.poll()
        self._descriptor = os.pidfd_open(pid)
        self._ended.register(self._descriptor, select.POLLIN)

    def poll(self) -> int | None:
        """None as long as it runs; it is nobody's who could ask for its exit status."""
        return 0 if self._ended.poll(0) else None

    def wait(self, timeout: float | None = None):
        if not self._ended.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired([str(self.pid)], timeout)

    def send_signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __del__(self):
        os.close(self._descriptor)


def main():
    """Reads what is wanted of a new process, a line each, and answers with its number."""
    from svckit import process
    process.start('eventlet')      # first of all, as the commands do; it decides what the imports below get
    for module in IMPORTED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)       # nobody asks for their exit status
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
        else:
            become(**json.loads(line))


def become(arguments, log):
    """From here on this process is the command."""
    from svckit import process
    from tests.system import stepping
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    process.after_fork()
    sys.argv = ['stepping.py', *arguments]
    try:
        stepping.main()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == '__main__':
    main()
