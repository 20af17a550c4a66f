"""The real command line clients: one process of each has read its programs, and every command is a fork of that.

Four fifths of a command's time are its reading of itself; what runs is the same.
"""
import contextlib
import gc
import importlib.metadata
import inspect
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
# By program: the module that has its main(), and what its commands go on to read.
PROGRAMS = {
    'openstack': ('openstackclient.shell', 'openstack.connection', 'openstack.block_storage.v3._proxy',
                  'openstack.compute.v2._proxy', 'openstack.image.v2._proxy', 'openstack.identity.v3._proxy',
                  'keystoneclient.v3.client'),
    'cinder': ('cinderclient.shell', 'cinderclient.v3.client', 'cinderclient.v3.shell', 'keystoneauth1.identity.v3'),
    'nova': ('novaclient.shell', 'novaclient.v2.client', 'novaclient.v2.shell', 'keystoneauth1.identity.v3'),
}
# Groups of entry points that `openstack` looks through at each start.
PLUGINS = ('openstack.', 'cliff.formatter.', 'keystoneauth1.plugin')
_started = {}
_starting = threading.Lock()


def run(words: list[str], environment: dict, seconds: float) -> subprocess.CompletedProcess:
    """What the command said and how it ended; subprocess.TimeoutExpired, and its end, after that time."""
    with _starting:
        program = _started.get(words[0])
        if program is None or program.process.poll() is not None:
            program = _started[words[0]] = Program(words[0])
    return program(words, environment, seconds)


class Program:
    """One client; it ends with this process, or with a command that takes too long."""

    def __init__(self, name):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'tests.system.clients', name], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True)
        self._turn = threading.Lock()

    def __call__(self, words, environment, seconds):
        with self._turn, tempfile.TemporaryDirectory() as folder:
            said = [pathlib.Path(folder) / name for name in ('stdout', 'stderr')]
            request = {'words': words, 'environment': environment, 'said': [str(path) for path in said]}
            self.process.stdin.write(json.dumps(request).encode() + b'\n')
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise subprocess.TimeoutExpired(words, seconds, *(path.read_bytes() for path in said))
            answer = self.process.stdout.readline()
            assert answer, f'the process for {words[0]} ended'
            status = int(answer)
            return subprocess.CompletedProcess(words, status, *(path.read_text() for path in said))


def serve(name):
    """Run commands that come as lines of JSON, one after the other; answers their exit status."""
    main, *_ = [importlib.import_module(module) for module in PROGRAMS[name]]
    if name == 'openstack':
        _read_plugins()
    gc.freeze()     # or each command would go through all of this, and copy it, when it collects its own
    for line in sys.stdin.buffer:
        request = json.loads(line)
        command = os.fork()
        if not command:
            _become(**request)
            _end(main.main, request['words'][1:])
        _, status = os.waitpid(command, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _read_plugins():
    found = importlib.metadata.entry_points()
    for group in filter(lambda name: name.startswith(PLUGINS), found.groups):
        for plugin in found.select(group=group):
            with contextlib.suppress(Exception):    # as the client itself does
                plugin.load()


def _become(words, environment, said):
    for number, path in enumerate((os.devnull, *said)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words


def _end(main, arguments):
    """As the interpreter ends, but for its taking apart what it has read: that would copy all of it first."""
    try:
        # novaclient's keeps those that it was read with unless it gets others; cinderclient's takes none.
        status = main(arguments) if inspect.signature(main).parameters else main()
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == '__main__':
    serve(sys.argv[1])
