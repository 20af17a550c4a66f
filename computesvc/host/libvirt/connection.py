"""Connections to libvirtd: opened when needed, opened again when lost, and each used by one call at a time.

libvirt lets threads share a connection, but its client then sometimes leaves a thread waiting for an answer that has
come, for as long as another thread's call hangs (libvirt 9.0, seen within seconds with one frozen guest and three
threads asking about another). With a connection of its own no call is held up by another.
"""

import libvirt

from computesvc.host import base
from computesvc.host.libvirt.calls import Calls

MOST_IDLE = 8


class Connection:
    """One libvirtd, by its URI."""

    def __init__(self, uri, calls=None):
        self._uri = uri
        self._calls = calls or Calls()
        self._idle = []         # only append() and pop(), which need no lock
        libvirt.registerErrorHandler(lambda context, error: None, None)     # it prints to stderr otherwise

    def ask(self, fn, *args, timeout=None):
        """What fn(connection, *args) returns, run in a native thread. HostError and its kinds."""
        return self._calls.run(self._work, lambda connection: fn(connection, *args),
                               timeout=timeout, name=fn.__name__)

    def on(self, server_id, fn, *args, timeout=None):
        """What fn(domain, *args) returns, run in a native thread. ServerNotFound."""
        def ask(connection):
            try:
                return fn(connection.lookupByUUIDString(server_id), *args)
            except libvirt.libvirtError as error:
                if error.get_error_code() in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG):
                    raise base.ServerNotFound(server_id) from error
                raise
        return self._calls.run(self._work, ask, key=server_id, timeout=timeout, name=fn.__name__)

    def close(self):
        """No connection of ours is open; the next call opens one again."""
        self._calls.run(self._close)

    # -- in native threads

    def _work(self, ask):
        connection = self._take()
        try:
            return ask(connection)
        except libvirt.libvirtError as error:
            raise translated(error) from error
        finally:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(connection)

    def _take(self):
        """A connection that works: libvirtd may have been started anew since the last call."""
        while self._idle:
            connection = self._idle.pop()
            try:
                connection.getLibVersion()
                return connection
            except libvirt.libvirtError:
                pass
        try:
            return libvirt.open(self._uri)
        except libvirt.libvirtError as error:
            raise base.HostUnavailable(f'libvirtd cannot be reached: {error}') from error

    def _close(self):
        while self._idle:
            self._idle.pop()    # closed by its last reference


def translated(error):
    """The HostError that says what a libvirtError says."""
    if error.get_error_code() == libvirt.VIR_ERR_OPERATION_TIMEOUT:
        return base.HostTimeout(str(error))
    if error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE):
        return base.HostUnavailable(f'The connection to libvirtd was lost: {error}')
    return base.HostError(f'libvirt: {error}')
