"""Shelved servers leave their hosts when their time there is over."""
import datetime
import logging

from sqlalchemy import select

from computesvc import errors
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.operations import offload_server
from svckit.context import system_context
from svckit.db import new_id, utcnow

LOG = logging.getLogger(__name__)


def offload_due(service) -> int:
    """Start taking off their hosts those that were shelved longer ago than [DEFAULT] shelved_offload_time."""
    seconds = service.conf.shelved_offload_time
    if seconds < 0:
        return 0
    before = utcnow() - datetime.timedelta(seconds=seconds)
    with service.db.reader() as session:
        due = list(session.scalars(select(Server).where(
            Server.vm_state == states.SHELVED, Server.shelved_at < before, Server.task_state.is_(None),
            Server.deleted_at.is_(None))))
    return sum(_offload(service, server) for server in due)


def _offload(service, server):
    context = system_context(service, server.project_id, None, f'req-{new_id()}')
    try:
        offload_server.request(context, server)
    except errors.Conflict as e:
        LOG.info('Server %s stays on its host for now: %s', server.id, e)
        return False
    return True
