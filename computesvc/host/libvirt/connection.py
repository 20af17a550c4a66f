"""The connection to libvirtd: opened when needed, opened again when lost."""

import threading

import libvirt

from computesvc.host import base
from computesvc.host.libvirt.calls import Calls
from svckit import process

KEEPALIVE_SECONDS = 5
KEEPALIVE_COUNT = 3

_events = threading.Lock()
_events_started = False


class Connection:
    """One libvirtd, by its URI."""

    def __init__(self, uri, calls=None):
        self._uri = uri
        self._calls = calls or Calls()
        self._lock = threading.Lock()
        self._open = None

    def ask(self, fn, *args, timeout=None):
        """What fn(connection, *args) returns, run in a native thread. HostError and its kinds."""
        return self._attempt(lambda connection: self._calls.run(_native, fn, connection, args, timeout=timeout))

    def on(self, server_id, fn, *args, timeout=None):
        """What fn(domain, *args) returns, run in a native thread. ServerNotFound."""
        return self._attempt(lambda connection: self._calls.run(
            _native_on, fn, connection, server_id, args, key=server_id, timeout=timeout))

    def close(self):
        """Nothing of ours is open any more; the next call opens again."""
        with self._lock:
            connection, self._open = self._open, None
        if connection is not None:
            self._calls.run(_close, connection)

    def _attempt(self, call):
        """A connection found dead before anything was asked is opened again and the call made once more."""
        connection = self._get()
        try:
            return call(connection)
        except _Dead:
            self._drop(connection)
        try:
            return call(self._get())
        except _Dead as error:
            raise base.HostUnavailable(str(error)) from error

    def _get(self):
        with self._lock:
            if self._open is None:
                _start_events()
                self._open = self._calls.run(_connect, self._uri, key='connection')
            return self._open

    def _drop(self, connection):
        with self._lock:
            if self._open is connection:
                self._open = None


class _Dead(Exception):
    """The connection was lost before the call had any effect."""


def _connect(uri):
    libvirt.registerErrorHandler(lambda context, error: None, None)     # it prints to stderr otherwise
    try:
        connection = libvirt.open(uri)
        connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT)
    except libvirt.libvirtError as error:
        raise base.HostUnavailable(f'libvirtd cannot be reached: {error}') from error
    return connection


def _close(connection):
    try:
        connection.close()
    except libvirt.libvirtError:
        pass        # it was lost already


def _native(fn, connection, args):
    try:
        connection.getLibVersion()
    except libvirt.libvirtError as error:
        raise _Dead(str(error)) from error
    try:
        return fn(connection, *args)
    except libvirt.libvirtError as error:
        raise translated(error) from error


def _native_on(fn, connection, server_id, args):
    try:
        domain = connection.lookupByUUIDString(server_id)
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG):
            raise base.ServerNotFound(server_id) from error
        raise _Dead(str(error)) from error
    try:
        return fn(domain, *args)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise base.ServerNotFound(server_id) from error
        raise translated(error) from error


def translated(error):
    """The HostError that says what a libvirtError says."""
    if error.get_error_code() == libvirt.VIR_ERR_OPERATION_TIMEOUT:
        return base.HostTimeout(str(error))
    if error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE):
        return base.HostUnavailable(f'The connection to libvirtd was lost: {error}')
    return base.HostError(f'libvirt: {error}')


def _start_events():
    """Keep-alive messages need libvirt's event loop, one for the process, in a native thread of its own."""
    global _events_started
    with _events:
        if not _events_started:
            libvirt.virEventRegisterDefaultImpl()
            process.spawn(process.native, _run_events, name='libvirt events')
            _events_started = True


def _run_events():
    while libvirt.virEventRunDefaultImpl() == 0:
        pass
