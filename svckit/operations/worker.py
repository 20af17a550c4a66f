"""The loop that claims operations and runs them, and its lease keeper."""
import logging
import random
import threading
import time

from svckit import process
from svckit.operations.runner import Runner

LOG = logging.getLogger(__name__)


class Worker:
    """Runs what is due at its targets, up to `slots` operations at a time.

    A wake makes it look at once; without one it looks every `poll` seconds, or
    when the next operation that it knows of is due.  `lease` is in seconds: how long after
    a worker's death its operations rest.
    """

    def __init__(self, store, targets, registry, tools, name, slots=8, poll=2.0, lease=30.0, observe=None):
        self.store, self.targets, self.name = store, set(targets), name
        self.slots, self.poll, self.lease = slots, poll, lease
        self.runner = Runner(store, registry, tools, self.targets, lease, observe)
        self._held: dict[str, int] = {}              # operation id -> lease number
        self._full = False                           # more may be due than the last look could take
        self._look = threading.Event()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self):
        self._threads = [process.spawn(self._loop, name=f'operations {self.name}'),
                         process.spawn(self._keep_leases, name=f'leases {self.name}')]

    def wake(self):
        self._look.set()

    def stop(self, grace=10.0):
        """Claim no more, and let running steps come to their checkpoint for up to `grace` seconds."""
        self.runner.stopping = True
        self._stopped.set()
        self._look.set()
        end = time.monotonic() + grace
        while self._held and time.monotonic() < end:
            time.sleep(0.02)
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def run_due(self) -> int:
        """Run all that is due now, in the caller's thread; returns how many claims that took."""
        ran = 0
        while True:
            claimed, _ = self.store.claim(self.targets, self.name, self.lease, 1)
            if not claimed:
                return ran
            for op in claimed:
                ran += 1
                self.runner.run(op)

    def _loop(self):
        woken = False
        while not self._stopped.is_set():
            self._look.clear()
            try:
                soonest = self._claim(woken)
            except Exception as e:
                LOG.warning('%s cannot look for work, trying again in %.0f s: %s', self.name, self.poll, e)
                soonest = None
            # Spread out, so that workers started together do not ask together for ever.
            longest = self.poll * random.uniform(0.75, 1.0)  # noqa: S311
            pause = longest if soonest is None else min(longest, max(soonest, 0.001))
            woken = self._look.wait(pause)

    def _claim(self, woken):
        """Start all that is due and fits; returns the seconds until there may be more."""
        free = self.slots - len(self._held)
        if free < 1:
            self._full = True
            return None                              # the end of a running one wakes the loop
        claimed, soonest = self.store.claim(self.targets, self.name, self.lease, free, expected=woken)
        self._full = len(claimed) == free
        for op in claimed:
            self._held[op.id] = op.lease
            process.spawn(self._run, op, name=f'{op.name} {op.id}')
        return soonest

    def _run(self, op):
        try:
            self.runner.run(op)
        except Exception:
            LOG.exception('Operation %s %s: given back when its lease of %.0f s runs out', op.name, op.id, self.lease)
        finally:
            if self._held.get(op.id) == op.lease:
                del self._held[op.id]
            # Otherwise there is nothing here that a wake would not tell of.
            if self._full or self.runner.delayed:
                self.runner.delayed = False
                self._look.set()

    def _keep_leases(self):
        while not self._stopped.wait(self.lease / 3) or self._held:
            try:
                for id in self.store.renew(dict(self._held), self.lease):
                    self._held.pop(id, None)
            except Exception as e:
                LOG.warning('%s cannot renew its leases: %s', self.name, e)
            if self._stopped.is_set():
                time.sleep(min(0.1, self.lease / 3))
