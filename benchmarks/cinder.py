"""Cinder itself in the layout of benchmarks/processes.py: what volsvc is compared with.

    .venv/bin/python benchmarks/cinder.py [options] [-- COMMAND ...]

Options, placeholders, output and end are those of benchmarks/processes.py. Two API processes under uWSGI, a scheduler
and a volume service with a driver that does nothing; a client says who it is by `X-Auth-Token: user:project`.
Cinder is installed from the package index into an environment of its own (`--venv`) the first time; uWSGI is compiled
for it, which needs gcc and Python's headers.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import kombu

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import processes  # noqa: E402
from tests.system.processes import Process, run  # noqa: E402

VERSION = '29.0.0'
PACKAGES = [f'cinder=={VERSION}', 'uWSGI', 'PyMySQL', 'psycopg2-binary']
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'volsvc-benchmarks'
DRIVER = pathlib.Path(__file__).with_name('cinder_driver.py')


def install(venv: pathlib.Path):
    """An environment with Cinder in it, unless there is one."""
    done, wanted = venv / 'volsvc-benchmarks', '\n'.join(PACKAGES)
    if done.exists() and done.read_text() == wanted:
        return
    print(f'installing Cinder {VERSION} into {venv}, a few minutes', file=sys.stderr)
    subprocess.run([sys.executable, '-m', 'venv', venv], check=True)
    subprocess.run([venv / 'bin' / 'pip', '--disable-pip-version-check', '--quiet', 'install', *PACKAGES], check=True)
    done.write_text(wanted)


class Cinder:
    """What is measured, as processes.Volsvc."""

    name = 'cinder'

    @staticmethod
    def arguments(parser):
        parser.add_argument('--venv', type=pathlib.Path, default=CACHE / f'cinder-{VERSION}',
                            help='where Cinder is, or is put the first time (%(default)s)')

    def __init__(self, options, folder, database, broker, port):
        self._options, self._folder, self._broker, self._port = options, folder, broker, port
        self._venv = options.venv.resolve()
        install(self._venv)
        shutil.copy(DRIVER, folder)
        self._conf = folder / 'cinder.conf'
        self._conf.write_text(f"""[DEFAULT]
transport_url = {broker}
auth_strategy = noauth
api_paste_config = {self._venv}/etc/cinder/api-paste.ini
resource_query_filters_file = {self._venv}/etc/cinder/resource_filters.json
state_path = {folder}
enabled_backends = nothing
quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1

[database]
connection = {database}

[nothing]
volume_driver = {DRIVER.stem}.NothingDriver
volume_backend_name = nothing

[nova]
auth_type = none
endpoint = http://127.0.0.1:{options.compute_port}/v2.1

[oslo_concurrency]
lock_path = {folder}/locks
""")
        run('--config-file', self._conf, 'db', 'sync', folder=folder, program=self._program('cinder-manage'),
            modules=folder)

    def _program(self, name) -> pathlib.Path:
        return self._venv / 'bin' / name

    def processes(self) -> list[Process]:
        services = {'uwsgi': self._uwsgi(), 'cinder-scheduler': ['--config-file', self._conf],
                    'cinder-volume': ['--config-file', self._conf]}
        return [Process(name, words, self._folder, program=self._program(name), modules=self._folder)
                for name, words in services.items()]

    def _uwsgi(self) -> list:
        # Its router keeps the clients' connections. A worker that spoke HTTP itself would serve one of them at a time,
        # so that it had to close it after each answer.
        return ['--http', f'127.0.0.1:{self._port}', '--http-keepalive=75', '--http-auto-chunked',
                '--socket', '127.0.0.1:0', '--master', '--processes', self._options.processes, '--enable-threads',
                '--lazy-apps', '--need-app', '--thunder-lock', '--die-on-term', '--no-orphans', '--buffer-size', 65535,
                '--disable-logging', '--virtualenv', self._venv,
                '--module', 'cinder.wsgi.api', '--pyargv', f'--config-file {self._conf}']

    def started(self, endpoint) -> bool:
        # Asked too early, the API would wait a minute for an answer of the scheduler.
        return _is_served(self._broker, 'cinder-scheduler') and processes.has_pools(endpoint)


def _is_served(broker, queue) -> bool:
    """Somebody reads this queue."""
    with kombu.Connection(broker.replace('rabbit:', 'amqp:')) as connection:
        try:
            return connection.default_channel.queue_declare(queue, passive=True).consumer_count > 0
        except connection.channel_errors:
            return False


if __name__ == '__main__':
    sys.exit(processes.main(Cinder, __doc__))
