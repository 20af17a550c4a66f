"""Where agents report, and claim and checkpoint their steps.

They are trusted with their own host's work and with nothing else; no database
handle and no credentials pass this desk.
"""
from computesvc.conductor import power, progress, sweeps
from computesvc.db import hypervisors, moves, services
from svckit import operations


class Desk(operations.Desk):
    """The engine's desk, with what only computesvc's agents say.  All values are JSON."""

    def __init__(self, service):
        super().__init__(service.store)
        self.service = service

    def report(self, host, capabilities, states, notices=None, resume=False):
        """A heartbeat: the host is alive, and this is what it is and runs.  Says whether work is due there.

        `notices`: what its last sweep found for an operator, None if there was none yet.
        `resume`: guests that ran before a start of the host are to be started again.
        """
        zone = self.service.conf.default_availability_zone
        with self.service.db.reader() as session:
            anew = power.started_anew(session, host, capabilities.get('boot_id'))
        if anew and resume:         # before the new start is recorded: a conductor that dies here does it all again
            power.resume(self.service, host, states)

        def work(session):
            services.seen(session, services.AGENT, host, zone)
            hypervisors.record(session, host, capabilities, notices)
        self.service.db.run(work)
        sweeps.follow_power(self.service.db, host, states)
        return {'due': self.due([f'agent:{host}'])}

    def devices(self, host):
        """The attached volumes of a host, each with the size that the volume service has on record.

        Not those that something is being done with.
        """
        return sweeps.devices(self.service, host)

    def behind(self, host, attachment_ids):
        """These attachments' guests or devices are smaller than their volumes; returns how many growths began."""
        return sweeps.start_growths(self.service, host, attachment_ids)

    def gone(self, host, server_ids):
        """Which of these servers, found on the host, it should not have; each with what it left connected there."""
        return sweeps.strangers(self.service.db, host, server_ids)

    def exporting(self, move_ids):
        """Which of these moves may still need what their source exports for them."""
        with self.service.db.reader() as session:
            return moves.exporting(session, move_ids)

    def progress(self, op_id, lease, percent):
        """The holder of that lease has done so much of its step; says whether anybody still waits for the rest."""
        return {'wanted': progress.record(self.service, op_id, lease, percent)}
