"""The agent of one host: runs host steps, reports, and looks now and then for disks that lag behind.

It has no database and no credentials for one: operations come and go over the
conductor's desk.
"""
import logging
import os
import threading

import brick
from computesvc.host import report
from computesvc.host.base import ServerNotFound
from computesvc.host.tools import Tools
from computesvc.topics import DESK, console
from svckit import operations, process

LOG = logging.getLogger(__name__)
SOON = 3.0      # seconds until what failed is tried again


class Console:
    """What the API asks an agent directly: it changes nothing."""

    def __init__(self, hypervisor):
        self._hypervisor = hypervisor

    def console_output(self, server_id, lines):
        """The last `lines` lines, or all, of what a guest wrote to its serial console; '' without such a server."""
        try:
            return self._hypervisor.console_output(server_id, lines)
        except ServerNotFound:
            return ''


class Agent:
    """`desk` is a call `desk(method, **arguments)` to the conductor."""

    def __init__(self, service, hypervisor, desk=None, host=None):
        conf = service.conf
        self.conf, self.host = conf, host or conf.service.host
        self.desk = desk or service.messaging.client(DESK)
        brick.setup(conf.agent.lock_path or os.path.join(conf.state_path, 'locks'), conf.agent.privsep_helper)
        self.tools = Tools(conf, self.host, hypervisor, service.images, self.desk)
        target = f'agent:{self.host}'
        self.worker = operations.Worker(
            operations.RemoteStore(self.desk), {target}, service.registry, self.tools, target,
            slots=conf.service.workers, poll=conf.service.poll, lease=conf.service.lease)
        self.notices = None         # what the last sweep found for an operator; None before the first
        self._patience = report.Patience()
        self._stopped = threading.Event()
        service.messaging.serve(console(self.host), Console(hypervisor))
        service.messaging.listen({target}, self.worker.wake)

    def start(self):
        self._stopped.clear()
        if self.conf.agent.volume_use_multipath:
            self._warm_up()
        self.tools.local_disks.resume_exports()
        self.worker.start()
        process.spawn(self._every, self.conf.agent.heartbeat_interval, self.heartbeat, name=f'{self.host} heartbeat')
        process.spawn(self._every, self.conf.agent.sweep_interval, self.sweep, name=f'{self.host} sweep')

    def stop(self, grace=10.0):
        self._stopped.set()
        self.worker.stop(grace)

    def _warm_up(self):
        """Loading os-brick makes the whole process stand still for a second: better now than in the first attach."""
        try:
            brick.warm_up()
        except brick.errors.NotPrivileged as e:
            LOG.warning('Volumes cannot be connected: %s', e)

    def heartbeat(self):
        """Report; the answer says whether work waits here whose wake was lost."""
        if self.desk('report', **report.heartbeat(self.tools, self.notices))['due']:
            self.worker.wake()

    def sweep(self) -> int:
        """Compare every attached device with its volume, and have those grow that lag; returns how many began."""
        self.tools.hypervisor.housekeeping()
        self._remove_strangers()
        self._end_exports()
        devices = self.desk('devices', host=self.host)
        behind, notices = report.compare(self.tools, devices)
        for notice in notices:
            if notice not in (self.notices or ()):
                LOG.warning('%s', notice)
        self.notices = notices
        due = self._patience.due([device['id'] for device in devices], behind)
        return self.desk('behind', host=self.host, attachment_ids=due) if due else 0

    def _remove_strangers(self):
        guests = self.tools.hypervisor.servers()
        found = sorted({*guests, *self.tools.local_disks.servers()})
        gone = self.desk('gone', host=self.host, server_ids=found) if found else {}
        for server_id, volumes in gone.items():
            LOG.warning('Server %s is here but should not be: removing it.', server_id)
            with self.tools.turn(server_id):
                if server_id in guests:
                    self.tools.hypervisor.power_off(server_id, 0)
                for volume in volumes:
                    self.tools.devices.disconnect(volume['volume_id'], volume['connection'], None, of=server_id)
                self.tools.hypervisor.undefine(server_id)
                self.tools.local_disks.remove(server_id)        # last: it is what the next sweep would find

    def _end_exports(self):
        """Of moves that were given up while this host could not be asked."""
        found = self.tools.local_disks.exports()
        for move_id in sorted({*found} - {*self.desk('exporting', move_ids=found)}) if found else ():
            self.tools.local_disks.end_export(move_id)

    def _every(self, seconds, work):
        while True:
            pause = seconds
            try:
                work()
            except Exception as e:
                pause = min(seconds, SOON)
                LOG.warning('Agent %s: %s failed, again in %s s: %s', self.host, work.__name__, pause, e)
            if self._stopped.wait(pause):
                return
