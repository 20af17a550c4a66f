"""Faults to order, for tests of whoever calls a hypervisor: slow, failing and hanging calls.

A fault names a method of the hypervisor ('resize_disk', …). It happens before the method's effect unless said
otherwise.
"""

import collections
import threading
import time

from computesvc.host import base


class Faults:
    """What shall go wrong; shared between a test and the hypervisor it breaks."""

    def __init__(self, sleep=time.sleep):
        self._sleep = sleep
        self._lock = threading.Lock()
        self._delays = {}
        self._failures = {}
        self._gates = {}
        self.calls = collections.Counter()

    def delay(self, method, seconds):
        """Each call of the method takes this much longer; 0 ends it."""
        self._delays[method] = seconds

    def fail(self, method, times=1, error=None, after=False):
        """The next calls raise; with `after` the effect happens all the same."""
        error = error or base.HostError(f'{method} was told to fail.')
        with self._lock:
            self._failures[method] = [times, error, after]

    def hang(self, method):
        """Calls of the method do not return until release()."""
        self._gates[method] = threading.Event()

    def release(self, method):
        """Calls that hang go on, later ones do not hang."""
        gate = self._gates.pop(method, None)
        if gate:
            gate.set()

    def clear(self):
        """Nothing goes wrong any more."""
        for method in list(self._gates):
            self.release(method)
        self._delays.clear()
        self._failures.clear()

    def before(self, method):
        """Called by the hypervisor ahead of an effect."""
        self.calls[method] += 1
        if self._delays.get(method):
            self._sleep(self._delays[method])
        gate = self._gates.get(method)
        if gate:
            gate.wait()
        self._raise_if_due(method, after=False)

    def after(self, method):
        """Called by the hypervisor behind an effect."""
        self._raise_if_due(method, after=True)

    def _raise_if_due(self, method, after):
        with self._lock:
            due = self._failures.get(method)
            if not due or due[2] != after:
                return
            due[0] -= 1
            if due[0] <= 0:
                del self._failures[method]
        raise due[1]
