"""The conductor as a running thing."""
import logging
import threading

from computesvc.conductor import absence, shelved, sweeps
from computesvc.conductor.desk import Desk
from computesvc.db import services
from computesvc.operations import places
from computesvc.topics import DESK
from svckit import operations, process

LOG = logging.getLogger(__name__)


class Conductor:
    """Any number of them may run side by side."""

    def __init__(self, service):
        self.service = service
        conf = service.conf.service
        self.desk = Desk(service)
        self.worker = operations.Worker(service.store, {places.CONDUCTOR}, service.registry, service,
                                        f'conductor@{conf.host}', slots=conf.workers, poll=conf.poll, lease=conf.lease)
        self._stopped = threading.Event()
        service.messaging.serve(DESK, self.desk)
        service.messaging.listen({places.CONDUCTOR}, self.worker.wake)

    def start(self):
        self._stopped.clear()
        self.worker.start()
        process.spawn(self._every, self.service.conf.service.report_interval, self.report, name='conductor report')
        process.spawn(self._every, self.service.conf.service.report_interval, self.go_on, name='conductor absence')
        process.spawn(self._every, self.service.conf.conductor.sweep_interval, self.sweep, name='conductor sweep')

    def stop(self, grace=10.0):
        self._stopped.set()
        self.worker.stop(grace)

    def report(self):
        conf = self.service.conf
        self.service.db.run(lambda session: services.seen(
            session, services.CONDUCTOR, conf.service.host, conf.internal_availability_zone))

    def go_on(self):
        absence.settle(self.service)

    def sweep(self):
        sweeps.confirm(self.service)
        shelved.offload_due(self.service)
        sweeps.forget(self.service)

    def _every(self, seconds, work):
        while True:
            try:
                work()
            except Exception as e:
                LOG.warning('Conductor: %s failed, again in %s s: %s', work.__name__, seconds, e)
            if self._stopped.wait(seconds):
                return
