"""Putting right what no request would: lost growths, stale power states, old rows."""
import datetime
import logging

from sqlalchemy import delete, select

from computesvc.db import attachments, servers, states
from computesvc.db.models import ActionEvent, Attachment, InstanceAction, Server
from computesvc.operations import extend_volume
from svckit import operations
from svckit.context import system_context
from svckit.db import new_id, swap, utcnow
from svckit.peer import NoAnswer

LOG = logging.getLogger(__name__)
SETTLED = datetime.timedelta(seconds=10)
"""A report may have been on its way while an operation ended: a server changed since then is left alone."""


def devices(service, host: str) -> list[dict]:
    """Per attached volume of the host: what its agent needs to compare it, with `bytes` as the volume service says.

    While that gives no answer, the size last brought to the guest stands in.
    """
    with service.db.reader() as session:
        there = attachments.on_host(session, host)
        busy = {a.id for a in there if operations.live(session, f'attachment:{a.id}')}
    found, asking = [], True
    for attachment in there:
        if attachment.id in busy:
            continue
        size = attachment.size
        if asking:
            try:
                size = service.volumes.size(attachment.volume_id) or size
            except (NoAnswer, operations.Refused) as e:
                LOG.info('Comparing with the recorded sizes only: %s', e)
                asking = False
        found.append({'id': attachment.id, 'server_id': attachment.server_id, 'volume_id': attachment.volume_id,
                      'connection': attachment.connection_info, 'bytes': size})
    return found


def start_growths(service, host: str, attachment_ids: list[str]) -> int:
    """Start for each of them the operation that a lost event would have started."""
    started = 0
    for id in attachment_ids:
        with service.db.reader() as session:
            attachment = session.get(Attachment, id)
            server = attachment and session.get(Server, attachment.server_id)
        if not server or server.host != host or server.deleted_at or attachment.state != 'attached':
            continue
        context = system_context(service, server.project_id, None, f'req-{new_id()}')
        LOG.info('Volume %s of server %s is larger than its guest sees: growing.', attachment.volume_id, server.id)
        extend_volume.request(context, server, attachment)
        started += 1
    return started


def follow_power(db, host: str, reported: dict[str, str]) -> int:
    """Servers that went off, on or to sleep by themselves are recorded so; returns how many."""
    with db.reader() as session:
        idle = [server for server in servers.on_host(session, host)
                if server.task_state is None and server.vm_state in (states.ACTIVE, states.PAUSED, states.STOPPED)]
    changed = 0
    for server in idle:
        vm_state, power = states.seen(reported.get(server.id))
        moved = server.updated_at or server.created_at
        if vm_state in (None, server.vm_state) or utcnow() - moved < SETTLED:
            continue
        changed += db.run(lambda session, id=server.id, was=server.vm_state, now=(vm_state, power): swap(
            session, Server, id, {'vm_state': was, 'task_state': None}, {'vm_state': now[0], 'power_state': now[1]}))
        LOG.info('Server %s was %s and is %s.', server.id, server.vm_state, vm_state)
    return changed


def strangers(db, host: str, server_ids: list[str]) -> dict[str, list[dict]]:
    """Those that are deleted, or on another host: what an agent killed at a bad moment, or a host given up for dead,
    may have left.  Each with its volumes' connections where they were left to the host."""
    with db.reader() as session:
        rows = session.execute(select(Server.id, Server.host, Server.deleted_at).where(Server.id.in_(server_ids)))
        gone = [id for id, where, deleted in rows if deleted or (where and where != host)]
        return {id: [{'volume_id': a.volume_id, 'connection': a.connection_info}
                     for a in attachments.of_server(session, id) if a.state == 'left'] for id in gone}


def forget(service) -> None:
    """Operations and deleted servers of long ago are dropped."""
    conf = service.conf.conductor
    service.db.run(lambda session: operations.prune(session, conf.keep_operations))
    before = utcnow() - datetime.timedelta(seconds=conf.keep_deleted)
    service.db.run(lambda session: _forget_servers(session, before))


def _forget_servers(session, before) -> int:
    old = list(session.scalars(select(Server.id).where(Server.deleted_at < before).limit(100)))
    if old:
        asked = select(InstanceAction.id).where(InstanceAction.server_id.in_(old))
        session.execute(delete(ActionEvent).where(ActionEvent.action_id.in_(list(session.scalars(asked)))))
        session.execute(delete(InstanceAction).where(InstanceAction.server_id.in_(old)))
        session.execute(delete(Attachment).where(Attachment.server_id.in_(old)))
        session.execute(delete(Server).where(Server.id.in_(old)))
    return len(old)
