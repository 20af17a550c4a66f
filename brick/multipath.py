"""multipathd: its socket, and a map as large as its paths.

The daemon listens on an abstract Unix socket; request and reply are a native size_t, the length, and a text that ends
with a NUL (multipath-tools, libmpathcmd/mpath_cmd.c). `resize map` answers 'ok', 'fail' or 'timeout', and 'ok' proves
little: it looks at one path only, so the size of the map is read back.
"""

import contextlib
import socket
import struct

from brick import errors

SOCKET = '\0/org/kernel/linux/storage/multipathd'
_LENGTH = struct.Struct('@N')
_LONGEST = 1 << 20              # bytes of a reply to anything that is asked here
PAUSE = 0.5                     # seconds before the one retry
BUSY = 30.0                     # seconds for which a daemon that reads its configuration again may say 'timeout'


def ask(words, timeout=10.0, address=SOCKET):
    """multipathd's reply, without white space around it. MultipathError if there is no daemon or no reply."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            text = ' '.join(words).encode() + b'\0'
            connection.sendall(_LENGTH.pack(len(text)) + text)
            length, = _LENGTH.unpack(_receive(connection, _LENGTH.size))
            return _receive(connection, min(length, _LONGEST)).rstrip(b'\0').decode(errors='replace').strip()
    except OSError as error:
        raise errors.MultipathError(f'multipathd does not answer: {error.strerror or error}.') from error


def _receive(connection, length):
    received = b''
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise OSError('it closed the connection')
        received += part
    return received


class Growth:
    """Makes one map as large as the paths that answer.

    `look()` is the device as it is now, see brick.connectors.scsi.Device; `tell(words)` is ask().

    The kernel refuses a table that is longer than any path in it ("too small for target", drivers/md/dm-table.c), a
    path that is down included. So one that lags is taken out of the map first; when it is back and has the size of
    the others, it is put in again: multipathd does so neither by itself nor for a path of another size.
    """

    def __init__(self, look, tell, clock):
        self._look, self._tell, self._clock = look, tell, clock

    def run(self, size, device, reply=''):
        """The map has `size` bytes, and every path with as many is in it; returns the device.

        `device` is what was seen last; `reply`: what multipathd has said already to a `resize map`. MultipathError,
        with the paths' sizes.
        """
        said = reply if reply and device.map_size != size else self._attempt(size, device)
        if said:
            self._clock.sleep(PAUSE)
            said = self._attempt(size)
        if said and self._reconfigured():
            until = self._clock.monotonic() + BUSY
            said = self._attempt(size)
            while said == 'timeout' and self._clock.monotonic() < until:
                self._clock.sleep(PAUSE)
                said = self._attempt(size)
        if said:
            device = self._look()
            said = 'ok, but the size is as it was' if said == 'ok' else said
            raise errors.MultipathError(f'The map {device.map_name} has {device.map_size} bytes, {size} are wanted; '
                                        f'multipathd: {said}; paths: {device.describe()}.')
        return self._complete(size, device)

    def _attempt(self, size, device=None):
        """'' if the map has the size now, else what multipathd said."""
        device = device or self._look()
        if device.map_size == size:
            return ''
        try:
            for path in device.lagging(size):
                self._tell(['del', 'path', path.name])
            said = self._tell(['resize', 'map', device.map_name])
        except errors.MultipathError as error:
            return str(error)
        return '' if self._look().map_size == size else said

    def _reconfigured(self):
        """multipathd was told to read everything again.

        Never while a path lags: it then rejects the whole map, and removes it if nothing has it open (multipath-tools
        0.9.4, coalesce_paths()).
        """
        if len({path.size for path in self._look().paths}) > 1:
            return False
        try:
            return self._tell(['reconfigure']) == 'ok'
        except errors.MultipathError:
            return False

    def _complete(self, size, device):
        """Paths that were left out, or logged in while the map was smaller, are in the map."""
        if device.map_size == size and not device.missing(size):
            return device
        for path in self._look().missing(size):
            with contextlib.suppress(errors.MultipathError):    # the map is as it should be; next time, then
                self._tell(['add', 'path', path.name])
        return self._look()
