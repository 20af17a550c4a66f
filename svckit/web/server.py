"""Serves a WSGI application over HTTP, on green or on native threads.

A client that is slow, silent or half gone holds nothing but its own connection.
"""
import gc
import importlib
import ipaddress
import logging
import os
import resource
import signal
import socket
import threading
import time

from svckit import process

LOG = logging.getLogger(__name__)
BACKLOG = 1024
FILES = 65536
AHEAD = ('jsonschema', 'oslo_messaging._drivers.impl_rabbit', 'kombu.transport.pyamqp')


class Server:
    """Listens on host:port once `start()` has returned; `port` is then the real one.

    With `processes` above one, that many children serve the socket, each with an
    application made after the fork by `factory()` (connections and threads do not
    survive one), and are replaced if they die.  `options` is the [api] group.
    """

    def __init__(self, app, host: str, port: int, processes: int = 1, factory=None, options=None):
        self.host, self.port, self.processes = host, port, processes
        self._factory = factory or (lambda: app)
        self._options = options
        self._running = None
        if options is not None and options.auth_strategy == 'noauth' and not _loopback(host):
            raise ValueError('auth_strategy noauth believes every caller, so it listens on loopback '
                             f'addresses only, not on {host}.')

    def start(self):
        """Bound and serving, in the background."""
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        if self.processes > 1:
            self._running = _Children(listener, self.processes, self._serve)
        else:
            self._running = self._serve(listener)

    def stop(self, grace: float = 30.0):
        """No new requests; those under way are answered if they take no longer than `grace` seconds."""
        running, self._running = self._running, None
        if running:
            running.stop(grace)

    def _serve(self, listener):
        _allow_files()
        timeout = self._options.client_timeout if self._options is not None else 60.0
        keepalive = self._options.keepalive if self._options is not None else 75.0
        connections = self._options.max_connections if self._options is not None else 1000
        kind = _Green if process.concurrency() == 'eventlet' else _Native
        return kind(listener, self._factory(), timeout, keepalive, connections)


class _Green:
    """eventlet.wsgi: one greenlet for each connection."""

    def __init__(self, listener, app, timeout, keepalive, connections):
        import eventlet
        from eventlet import wsgi

        class Protocol(wsgi.HttpProtocol):
            def get_environ(self):
                return {**super().get_environ(), 'svckit.close': self._close}

            def _close(self):
                self.close_connection = 1

        self._pool = eventlet.GreenPool(connections)
        self._thread = eventlet.spawn(
            wsgi.server, _Patient(listener), app, log=LOG, log_output=False, custom_pool=self._pool, protocol=Protocol,
            keepalive=keepalive, socket_timeout=timeout, debug=False)

    def stop(self, grace):
        import eventlet
        with eventlet.Timeout(grace, False):
            self._thread.kill()
            self._pool.waitall()


class _Patient:
    """A listening socket that outlives a refused accept (no file descriptor left, a client gone
    again), which ends eventlet's server."""

    def __init__(self, listener):
        self._listener = listener

    def __getattr__(self, name):
        return getattr(self._listener, name)

    def accept(self):
        # Between two, other processes on this socket get their turn.
        time.sleep(0)
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                if self._listener.fileno() < 0:
                    raise
                LOG.warning('A connection could not be accepted: %s', error)
                time.sleep(0.1)


class _Native:
    """cheroot: a pool of threads that grows while all of them are busy with slow clients."""

    def __init__(self, listener, app, timeout, keepalive, connections):
        from cheroot import wsgi
        from cheroot.workers import threadpool

        class Pool(threadpool.ThreadPool):
            def put(self, connection):
                super().put(connection)
                if self._queue.qsize() > self.idle:
                    self.grow(8)

        class Bound(wsgi.Server):
            def bind(self, family, kind, proto=0):
                self.socket = listener

        self._server = server = Bound(listener.getsockname()[:2], app, request_queue_size=BACKLOG,
                                      timeout=timeout, server_name='api')
        server.requests = Pool(server, min=8, max=connections)
        server.keep_alive_conn_limit = connections
        server.error_log = _cheroot_log
        server.prepare()
        process.spawn(server.serve, name='http')

    def stop(self, grace):
        self._server.shutdown_timeout = grace
        self._server.stop()


def serve(make, options):
    """Serve the application that make() returns, as `options` ([api]) say, until a signal.

    With several processes each makes its own after the fork: connections and threads
    do not survive one.  The one made before, which has neither yet, brings the imports:
    what the parent has imported is in memory once, for all of them.
    """
    several = options.processes > 1
    app = make()
    if several:
        _import_ahead()
    server = Server(None if several else app, options.host, options.port, options.processes,
                    factory=make if several else None, options=options)
    server.start()
    process.until_signal(server.stop)


def _import_ahead():
    """What an application imports at its first requests."""
    for name in AHEAD:
        importlib.import_module(name)
    importlib.import_module(f'{"eventlet" if process.concurrency() == "eventlet" else "cheroot"}.wsgi')


def _cheroot_log(message='', level=logging.INFO, traceback=False):
    LOG.log(level, message, exc_info=traceback)


class _Children:
    """Processes that serve one listening socket until told to end, or until this one is gone."""

    def __init__(self, listener, number, serve):
        self._listener, self._serve = listener, serve
        self._lifeline = socket.socketpair()
        self._stopping = False
        self._pids: dict[int, float] = {}
        gc.freeze()             # what the children share would be copied as soon as one collects garbage
        for _ in range(number):
            self._fork()
        self._watcher = process.spawn(self._watch, name='children')

    def stop(self, grace):
        self._stopping = True
        self._signal(signal.SIGTERM)
        end = time.monotonic() + grace
        while self._pids and time.monotonic() < end:
            time.sleep(0.02)
        self._signal(signal.SIGKILL)
        self._listener.close()

    def _signal(self, number):
        for pid in list(self._pids):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                self._pids.pop(pid, None)

    def _watch(self):
        while self._pids or not self._stopping:
            for pid, born in list(self._pids.items()):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    self._replace(pid, born)
            time.sleep(0.1)

    def _replace(self, pid, born):
        del self._pids[pid]
        if self._stopping:
            return
        LOG.error('API process %d ended; another takes its place.', pid)
        # One that cannot even start must not be forked in a frenzy.
        time.sleep(max(0.0, born + 1 - time.monotonic()))
        if not self._stopping:
            self._fork()

    def _fork(self):
        pid = os.fork()
        if pid:
            self._pids[pid] = time.monotonic()
            return
        status = 1
        try:
            self._child()
            status = 0
        except BaseException:
            LOG.exception('An API process could not go on.')
        finally:
            os._exit(status)

    def _child(self):
        # Until there is something to stop, a signal just ends this process.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        process.after_fork()
        self._lifeline[1].close()
        running = self._serve(self._listener)
        # The other end closes when the parent is gone, however it went.
        threading.Thread(target=self._follow_parent, daemon=True).start()
        process.until_signal(lambda: running.stop(30.0), impatient=False)

    def _follow_parent(self):
        self._lifeline[0].recv(1)
        os.kill(os.getpid(), signal.SIGTERM)


def _allow_files():
    """More open files, as far as this process may: 1,024, a common default, is hardly more than the connections."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= now < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most < 0 else min(FILES, most), most))


def _listen(host, port):
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                  flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it: answers go out in two writes, and must not wait for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def _loopback(host) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'
