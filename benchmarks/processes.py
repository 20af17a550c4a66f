"""volsvc as separate processes, for a benchmark program that drives a Cinder v3 endpoint.

    .venv/bin/python benchmarks/processes.py [options] [-- COMMAND ...]

Two API processes, one worker, the memory driver, no authentication (loopback only), RabbitMQ and a database, all
private to this run: own folders, free ports, stopped at the end. `{endpoint}` and `{compute_port}` in COMMAND are
replaced; without COMMAND it says where it listens and runs until Ctrl-C. `--compute-port` is where events about
attached volumes are sent: whatever listens there stands for the compute service.
Prints a table (time until the API knows a pool to make volumes in, memory before and after) and, as its last line, the
same as one JSON object. benchmarks/cinder.py does all of this with Cinder itself.
"""
import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import figures  # noqa: E402
from tests import databases  # noqa: E402
from tests.system.processes import Process, Processes, eventually, run  # noqa: E402

PROJECT = '0123456789abcdef0123456789abcdef'


class Volsvc:
    """What is measured: its options, its configuration and database, its processes, and when they have started."""

    name = 'volsvc'

    @staticmethod
    def arguments(parser):
        parser.add_argument('--concurrency', choices=['eventlet', 'threads'], default='eventlet')

    def __init__(self, options, folder, database, broker, port):
        self._options, self._folder, self._conf = options, folder, folder / 'volsvc.conf'
        self._conf.write_text(f"""[DEFAULT]
transport_url = {broker}
enabled_backends = memory

[database]
connection = {database}

[api]
port = {port}
processes = {options.processes}
auth_strategy = noauth

[memory]
volume_driver = memory

[quota]
volumes = -1
gigabytes = -1

[compute]
auth_type = none
endpoint_override = http://127.0.0.1:{options.compute_port}/v2.1
""")
        run('-m', 'volsvc.cmd.manage', '--config-file', self._conf, 'db', 'sync', folder=folder)

    def processes(self) -> list[Process]:
        return [Process(name, ['-m', f'volsvc.cmd.{name}', '--config-file', self._conf,
                               '--concurrency', self._options.concurrency], self._folder) for name in ('api', 'worker')]

    def started(self, endpoint) -> bool:
        return has_pools(endpoint)


def has_pools(endpoint) -> bool:
    """Volumes can be made: the API answers, and knows of a backend that is up."""
    request = urllib.request.Request(f'{endpoint}/scheduler-stats/get_pools',
                                     headers={'X-Auth-Token': f'admin:{PROJECT}'})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bool(json.load(answer)['pools'])


def measure(service, options, folder, endpoint) -> dict:
    processes = Processes(folder)
    try:
        began = time.perf_counter()
        started = [processes.put(process).start() for process in service.processes()]
        eventually('there is a pool to make volumes in', lambda: service.started(endpoint), pause=0.02)
        pids = [process.pid for process in started]
        result = {'start_s': round(time.perf_counter() - began, 2)}
        time.sleep(5)
        result['memory_fresh_mib'] = figures.memory_mib(*pids)
        result['exit'] = drive(options, endpoint)
        if options.command:         # Ctrl-C in a terminal reached them too
            result['memory_after_mib'] = figures.memory_mib(*pids)
        return result
    except BaseException:
        print(processes.last_words(), file=sys.stderr)
        raise
    finally:
        processes.stop()


def drive(options, endpoint) -> int:
    """Run the command, or wait for Ctrl-C."""
    if options.command:
        words = [word.format(endpoint=endpoint, compute_port=options.compute_port) for word in options.command]
        return subprocess.run(words, check=False).returncode
    print(f'endpoint {endpoint} (no authentication), events to port {options.compute_port}; Ctrl-C ends it', flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    return 0


def main(service, description) -> int:
    """The whole program for a class like Volsvc."""
    words, command = sys.argv[1:], []
    if '--' in words:
        words, command = words[:words.index('--')], words[words.index('--') + 1:]
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--database', choices=['mariadb', 'postgresql'], default='mariadb')
    parser.add_argument('--processes', type=int, default=2, help='that serve the API')
    parser.add_argument('--compute-port', type=int, default=None)
    service.arguments(parser)
    options = parser.parse_args(words)
    options.command = command
    options.compute_port = options.compute_port or databases.free_port()
    # `kill` ends it as Ctrl-C does: everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='bench-')))
        server = stack.enter_context(getattr(databases, options.database)())
        broker = stack.enter_context(databases.rabbitmq())
        port = databases.free_port()
        started = service(options, folder, databases.new_database(server, service.name), broker.url, port)
        result = measure(started, options, folder, f'http://127.0.0.1:{port}/v3/{PROJECT}')
    figures.report(('measurement', 'value'), list(result.items()),
                   {'service': service.name, 'database': options.database, **result})
    return result['exit']


if __name__ == '__main__':
    sys.exit(main(Volsvc, __doc__))
