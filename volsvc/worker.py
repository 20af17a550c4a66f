"""A process's worker of one storage backend: runs its operations, reports how it is.

What talks to the compute service runs at a target of its own, so that a compute
service that hangs never holds up the backend.
"""
import functools
import logging
import random
import threading

from svckit import operations, process
from volsvc import care, conf, drivers, report
from volsvc.db import messages
from volsvc.drivers import DriverError
from volsvc.operations import places
from volsvc.service import Tools

LOG = logging.getLogger(__name__)
TELLERS = 32            # servers told at once: each mostly waits for an answer
TIDY = 3600.0           # seconds between two rounds of forgetting


class BackendWorker:
    """`start()` returns at once, also while the backend is not usable; `stop()` lets running steps end."""

    def __init__(self, service, backend: str, driver=None):
        self.service = service
        self.host = f'{service.conf.service.host}@{backend}'
        self.driver = driver or drivers.load(backend, conf.backend(service.conf, backend))
        options, tools = service.conf.service, Tools(service, self.driver)
        store = operations.Store(service.db, service.registry, tools)
        self.workers = [
            operations.Worker(store, [target], service.registry, tools, f'{target} {threading.get_ident():x}',
                              slots=slots, poll=options.poll, lease=options.lease)
            for target, slots in ((places.at_backend(self.host), options.workers),
                                  (places.at_teller(self.host), TELLERS))]
        self.grown = {}                 # volumes that are larger than recorded, as care.grown() has them
        self._unreached = None          # attachments whose hosts do not reach them again yet; None: not looked
        self._stopped = threading.Event()
        self._thread = None

    def start(self):
        if self._usable():
            self._begin()
        self._thread = process.spawn(self._loop, name=f'report {self.host}')

    def stop(self, grace: float | None = None):
        grace = self.service.conf.service.grace if grace is None else grace
        self._stopped.set()
        stopping = [process.spawn(worker.stop, grace, name='stop') for worker in self.workers]
        for thread in stopping:
            thread.join()

    def wake(self):
        for worker in self.workers:
            worker.wake()

    def run_due(self) -> int:
        """Run all that is due, in the caller's thread: for tests."""
        return sum(worker.run_due() for worker in self.workers)

    def report(self):
        report.write(self.service.db, self.host, self.service.conf.storage_availability_zone, self.driver,
                     len(self.grown))
        self.service.forget_backends()

    def restore(self):
        """Hosts reach what the database says they do, also after this machine started anew."""
        if self._unreached is None or self._unreached:
            self._unreached = care.restore(self.service.db, self._pool, self.driver, self._unreached,
                                           ttl=self.service.conf.message_ttl)

    def sweep(self):
        """Volumes that grew without our doing are reported, and left as they are."""
        grown = care.grown(self.service.db, self._pool, self.driver)
        for id, (size, found, project) in grown.items():
            if self.grown.get(id, (0, 0))[1] != found:
                LOG.warning('Volume %s has %d bytes on backend %s, more than the %d recorded: grown by hand?', id,
                            found, self.host, size)
            self.service.db.run(functools.partial(care.tell, id=id, size=size, found=found, project=project,
                                                  ttl=self.service.conf.message_ttl))
        self.grown = grown

    @property
    def _pool(self) -> str:
        return f'{self.host}#{self.driver.name}'

    def _usable(self) -> bool:
        try:
            self.driver.start()
            self.restore()
            self.report()
            return True
        except Exception as error:
            LOG.error('Backend %s is not usable, its work waits: %s', self.host, error,
                      exc_info=not isinstance(error, DriverError))
            return False

    def _begin(self):
        for worker in self.workers:
            self.service.wakes(worker.targets, worker.wake)
            worker.start()
        self._begun = True
        LOG.info('Backend %s is served by %s.', self.host, type(self.driver).__name__)

    _begun = False

    def _loop(self):
        interval, clock = self.service.conf.service.report_interval, self.service.clock
        tidied = clock.monotonic() - TIDY * random.random()  # noqa: S311
        swept = float('-inf')
        while not self._stopped.wait(interval):
            if not self._begun:
                if self._usable():
                    self._begin()
                continue
            try:
                self.report()
                self.restore()
                if clock.monotonic() - swept > self.service.conf.sweep_interval:
                    swept = clock.monotonic()
                    self.sweep()
                if clock.monotonic() - tidied > TIDY:
                    tidied = clock.monotonic()
                    self._tidy()
            except Exception as error:
                LOG.warning('Backend %s could not report: %s', self.host, error)

    def _tidy(self):
        db, keep = self.service.db, self.service.conf.keep_operations
        while db.run(lambda session: operations.prune(session, keep)):
            pass
        db.run(messages.prune)
