"""Calls that may hang, made so that nothing else does.

A call to libvirtd blocks in C and cannot be interrupted: a frozen libvirtd, or a QEMU that does not answer its monitor,
holds it for as long as it likes. So each call has a native thread and a deadline. Past the deadline the caller gets
HostTimeout and goes; the thread stays with the call. How many may hang at a time is bounded, and a server that has a
hanging call gets no second one.
"""

import queue
import threading
import time

from computesvc.host import base
from svckit import process

MOST_HANGING = 6


class Calls:
    """The calls of one host. `clock` gives seconds."""

    def __init__(self, timeout=30.0, most_hanging=MOST_HANGING, clock=time.monotonic):
        self._timeout = timeout
        self._most_hanging = most_hanging
        self._clock = clock
        self._lock = threading.Lock()
        self._hanging = {}      # call -> (key, since)

    def run(self, fn, *args, key=None, timeout=None, name=None):
        """What fn(*args) returns or raises, if it does within `timeout` seconds; else HostTimeout.

        `key` (a server's id) is what may be broken, `name` what is being done. HostUnavailable, at once, if an
        earlier call with that key still hangs or too many hang in all.
        """
        self._refuse_if_hanging(key)
        call = queue.Queue(1)
        process.spawn(self._work, call, fn, args, name='host call')
        try:
            result, error = call.get(timeout=timeout or self._timeout)
        except queue.Empty:
            result, error = self._give_up(call, key, name or fn.__name__)
        if error:
            raise error
        return result

    def hanging(self) -> int:
        """How many calls are past their deadline and have not come back."""
        return len(self._hanging)

    def _work(self, call, fn, args):
        try:
            outcome = process.native(fn, *args), None
        except Exception as error:
            outcome = None, error
        with self._lock:
            call.put(outcome)
            self._hanging.pop(call, None)

    def _give_up(self, call, key, name):
        with self._lock:
            if not call.empty():
                return call.get()
            self._hanging[call] = key, self._clock()
        return None, base.HostTimeout(f'The host has not answered in time ({name}).')

    def _refuse_if_hanging(self, key):
        with self._lock:
            if len(self._hanging) >= self._most_hanging:
                raise base.HostUnavailable(f'The host is not answering: {len(self._hanging)} calls hang.')
            for other, since in self._hanging.values():
                if key is not None and other == key:
                    seconds = self._clock() - since
                    raise base.HostUnavailable(f'An earlier call for {key} has been hanging for {seconds:.0f} s.')
