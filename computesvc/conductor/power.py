"""Guests that were up when their host went down are started again, where its agent is configured so."""
import logging

from sqlalchemy import select

from computesvc import errors
from computesvc.db import servers, states
from computesvc.db.models import Hypervisor
from computesvc.host import base
from computesvc.operations import start_server
from svckit.context import system_context
from svckit.db import new_id

LOG = logging.getLogger(__name__)


def started_anew(session, host: str, boot_id: str | None) -> bool:
    """Whether the host, which says now that this is its start, said another one before."""
    known = session.scalar(select(Hypervisor.capabilities).where(Hypervisor.host == host)) or {}
    return None not in (boot_id, known.get('boot_id')) and boot_id != known['boot_id']


def resume(service, host: str, reported: dict[str, str]) -> int:
    """Start each of the host's servers that should run and does not; returns how many.

    A paused guest's memory is gone, so that one is left off.  What operations are at work on
    is theirs.
    """
    with service.db.reader() as session:
        off = [server for server in servers.on_host(session, host)
               if _should_run(server) and reported.get(server.id) not in (base.RUNNING, base.PAUSED)]
    return sum(_start(service, server) for server in off)


def _should_run(server) -> bool:
    return server.task_state is None and (server.vm_state == states.ACTIVE or (
        server.vm_state == states.RESIZED and server.power_state == states.RUNNING))


def _start(service, server) -> bool:
    LOG.info('Server %s ran when its host went down: starting it again.', server.id)
    context = system_context(service, server.project_id, None, f'req-{new_id()}')
    try:
        start_server.again(context, server)
    except errors.Conflict as e:
        LOG.info('Server %s is not started again: %s', server.id, e)
        return False
    return True
