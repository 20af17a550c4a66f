"""Two machines joined by a wire. The first is as without the second: storage, and the command."""
import socket

from tests.lab import neighbour
from tests.lab.machine import Machine

BUFFER = 1 << 20        # bytes under way: a datagram socket that is full drops nothing but makes the sender wait


class Pair:
    """As a Machine; the second one runs runner.py and ends with the first."""

    def __init__(self, command, memory='2G', seconds=None, terminal=False, show=None):
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self._second = Machine(['python', '-m', 'tests.lab.runner', neighbour.ADDRESS, str(neighbour.PORT)],
                               memory=memory, node=2, network=ends[1])
        self._first = Machine(command, memory=memory, seconds=seconds, node=1, network=ends[0], terminal=terminal,
                              show=show, environment={'LAB_HOSTS': '2'})
        self._ends = ends

    def run(self) -> int:
        """The command's exit status."""
        with self._second:
            try:
                return self._first.run()
            finally:
                for end in self._ends:
                    end.close()
