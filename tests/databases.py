"""PostgreSQL, MariaDB and RabbitMQ, private to a test run: free ports, temporary folders, stopped at the end.

Each starter is a context manager; it raises `Missing` where the program is not installed.
"""
import contextlib
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Missing(Exception):
    """The server's program is not on this machine."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def _program(name, *places):
    for pattern in places:
        if found := sorted(glob.glob(pattern)):
            return found[-1]
    if found := shutil.which(name):
        return found
    raise Missing(f'{name} is not installed')


@contextlib.contextmanager
def _folder(user):
    """A short-named temporary folder that `user` may use (the servers refuse to be root)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix='db-'))
    try:
        if os.geteuid() == 0:
            shutil.chown(path, user)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _as(user, *command):
    """As `user` if we are root, and ended by the kernel should we be killed."""
    switch = [f'--reuid={user}', f'--regid={user}', '--clear-groups'] if os.geteuid() == 0 else []
    return ['setpriv', *switch, '--pdeathsig', 'KILL', *command]


def _run(command, **kw):
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, **kw)
    if done.returncode:
        raise RuntimeError(f'{command}: exit {done.returncode}\n{done.stdout.decode(errors="replace")[-3000:]}')


def _wait(ready, server, log, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if ready():
                return
        time.sleep(0.1)
    raise RuntimeError(f'{server.args[0]} did not start:\n' + pathlib.Path(log).read_text()[-3000:])


def _stop(server, sig=signal.SIGTERM, seconds=20):
    if server.poll() is None:
        server.send_signal(sig)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def postgresql():
    """Yields an SQLAlchemy URL without a database name: 'postgresql+psycopg2://postgres@127.0.0.1:PORT/'."""
    initdb = _program('initdb', '/usr/lib/postgresql/*/bin/initdb')
    postgres = _program('postgres', '/usr/lib/postgresql/*/bin/postgres')
    with _folder('postgres') as folder:
        data, log, port = folder / 'data', folder / 'log', free_port()
        _run(_as('postgres', initdb, '-D', str(data), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'),
             cwd=folder)
        with open(log, 'w') as out:
            server = subprocess.Popen(_as(
                'postgres', postgres, '-D', str(data), '-p', str(port), '-c', 'listen_addresses=127.0.0.1',
                '-c', f'unix_socket_directories={folder}', '-c', 'fsync=off', '-c', 'max_connections=300'),
                stdout=out, stderr=out, cwd=folder)
        try:
            # In recovery or still starting, it accepts a connection and then refuses: ask for real.
            import psycopg2

            def ready():
                try:
                    psycopg2.connect(host='127.0.0.1', port=port, user='postgres', dbname='postgres').close()
                    return True
                except psycopg2.OperationalError:
                    return False
            _wait(ready, server, log)
            yield f'postgresql+psycopg2://postgres@127.0.0.1:{port}/'
        finally:
            _stop(server, signal.SIGINT)


@contextlib.contextmanager
def mariadb():
    """Yields an SQLAlchemy URL without a database name: 'mysql+pymysql://root@127.0.0.1:PORT/'."""
    install = _program('mariadb-install-db')
    mariadbd = _program('mariadbd', '/usr/sbin/mariadbd')
    with _folder('mysql') as folder:
        data, log, port = folder / 'data', folder / 'log', free_port()
        # A server that starts removes what it takes for its own left-overs from its folder for temporary tables.
        beside = f'--tmpdir={folder}'
        _run(_as('mysql', install, '--no-defaults', f'--datadir={data}', beside, '--skip-test-db',
                 '--auth-root-authentication-method=normal'), cwd=folder)
        with open(log, 'w') as out:
            server = subprocess.Popen(_as(
                'mysql', mariadbd, '--no-defaults', f'--datadir={data}', beside, f'--port={port}',
                f'--socket={folder}/sock', '--bind-address=127.0.0.1', f'--pid-file={folder}/pid',
                '--character-set-server=utf8mb4', '--max-connections=300', '--innodb-flush-log-at-trx-commit=0',
                '--innodb-buffer-pool-size=128M', '--performance-schema=off'), stdout=out, stderr=out, cwd=folder)
        try:
            import pymysql

            def ready():
                try:
                    pymysql.connect(host='127.0.0.1', port=port, user='root').close()
                    return True
                except pymysql.err.OperationalError:
                    return False
            _wait(ready, server, log)
            yield f'mysql+pymysql://root@127.0.0.1:{port}/'
        finally:
            _stop(server)


def new_database(url: str, name: str) -> str:
    """Make an empty database `name` on a server of the starters above; returns its URL."""
    import sqlalchemy
    admin = url + ('postgres' if url.startswith('postgresql') else '')
    engine = sqlalchemy.create_engine(admin, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f'CREATE DATABASE {name}'))
    engine.dispose()
    return url + name + ('?charset=utf8mb4' if url.startswith('mysql') else '')


class RabbitMQ:
    """A broker that can be stopped and started again on the same port with the same data."""

    def __init__(self, folder: pathlib.Path, address='127.0.0.1'):
        self._program = _program('rabbitmq-server', '/usr/lib/rabbitmq/bin/rabbitmq-server')
        self.folder, self.port, self._address = folder, free_port(), address
        self.url = f'rabbit://guest:guest@{address}:{self.port}/'
        self._server = self._mapper = None
        (folder / 'rabbitmq.conf').write_text(
            f'listeners.tcp.1 = {address}:{self.port}\nlog.console = true\nloopback_users = none\n'
            # A test machine may be nearly full; that is not what is tested.
            'disk_free_limit.absolute = 50MB\n')
        (folder / 'enabled_plugins').write_text('[].\n')
        self._env = {
            'PATH': '/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': str(folder), 'LANG': 'C.UTF-8',
            'RABBITMQ_NODENAME': f'test{self.port}@localhost', 'RABBITMQ_MNESIA_BASE': str(folder / 'mnesia'),
            'RABBITMQ_LOG_BASE': str(folder / 'log'), 'RABBITMQ_CONFIG_FILE': str(folder / 'rabbitmq.conf'),
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(folder / 'enabled_plugins'),
            'RABBITMQ_DIST_PORT': str(free_port()), 'ERL_EPMD_PORT': str(free_port()),
            'ERL_EPMD_ADDRESS': '127.0.0.1', 'RABBITMQ_CONF_ENV_FILE': '/dev/null',
            'RABBITMQ_SERVER_CODE_PATH': str(self._gathered()),
        }

    def _gathered(self):
        """A folder with every Erlang module, to be looked through before all others.

        Otherwise each module is looked for in a hundred folders in turn: half of the start in user-mode Linux.
        """
        modules = self.folder / 'rabbit' / 'ebin'
        modules.mkdir(parents=True)
        for place in ('/usr/lib/rabbitmq/lib/*/plugins', '/usr/lib/erlang/lib'):
            for file in map(pathlib.Path, glob.glob(f'{place}/*/ebin/*.beam')):
                if file.parts[-3].split('-')[0] not in ('kernel', 'stdlib', 'compiler'):     # must be in their own
                    with contextlib.suppress(FileExistsError):
                        (modules / file.name).symlink_to(file)
        for private in glob.glob('/usr/lib/rabbitmq/lib/*/plugins/rabbit-*/priv'):     # it looks beside its modules
            (modules.parent / 'priv').symlink_to(private)
        return modules

    def start(self):
        log = self.folder / 'console'
        if self._mapper is None:
            # As a child of ours: the one that the broker would start outlives it.
            self._mapper = subprocess.Popen([_program('epmd')], env=self._env, cwd='/')
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, 'rabbitmq', 'rabbitmq')
        with open(log, 'w') as out:
            self._server = subprocess.Popen(_as('rabbitmq', self._program), stdout=out, stderr=out, env=self._env,
                                            cwd=self.folder, start_new_session=True)

        def ready():
            with socket.create_connection((self._address, self.port), 2) as s:
                s.sendall(b'AMQP\x00\x00\x09\x01')
                return s.recv(8)[:1] == b'\x01'
        _wait(ready, self._server, log, 120)

    def stop(self):
        if self._server:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def end(self):
        """Stop it for good, its port mapper too."""
        self.stop()
        if self._mapper:
            _stop(self._mapper)


@contextlib.contextmanager
def rabbitmq(address='127.0.0.1'):
    """Yields a started RabbitMQ that listens on `address`."""
    _program('rabbitmq-server', '/usr/lib/rabbitmq/bin/rabbitmq-server')
    with _folder('rabbitmq') as folder:
        broker = RabbitMQ(folder, address)
        try:
            broker.start()
            yield broker
        finally:
            broker.end()
