"""Putting right what no request would: lost growths, stale power states, moves nobody answers for, old rows."""
import datetime
import logging

from sqlalchemy import delete, select

from computesvc import errors
from computesvc.db import attachments, moves, servers, states
from computesvc.db.models import ActionEvent, Attachment, InstanceAction, Migration, Server
from computesvc.operations import confirm_resize, extend_volume
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
        moving = {server.id for server in servers.on_host(session, host) if server.task_state in states.MOVING}
        there = [a for a in attachments.on_host(session, host) if a.server_id not in moving]
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
    """Servers that went off, on or to sleep by themselves are recorded so; returns how many.

    One whose move waits to be confirmed stays that, whether its guest runs or not.
    """
    with db.reader() as session:
        idle = [server for server in servers.on_host(session, host) if server.task_state is None
                and server.vm_state in (states.ACTIVE, states.PAUSED, states.STOPPED, states.RESIZED)]
    changed = 0
    for server in idle:
        vm_state, power = states.seen(reported.get(server.id))
        moved = server.updated_at or server.created_at
        if vm_state and server.vm_state == states.RESIZED:
            vm_state = states.RESIZED if power != server.power_state else None
        elif vm_state == server.vm_state:
            vm_state = None
        if vm_state is None or utcnow() - moved < SETTLED:
            continue
        changed += db.run(lambda session, id=server.id, was=server.vm_state, now=(vm_state, power): swap(
            session, Server, id, {'vm_state': was, 'task_state': None}, {'vm_state': now[0], 'power_state': now[1]}))
        LOG.info('Server %s was %s and is %s.', server.id, server.vm_state, vm_state)
    return changed


def strangers(db, host: str, server_ids: list[str]) -> dict[str, list[dict]]:
    """Those that are deleted, or on another host: what an agent killed at a bad moment, or a host given up for dead,
    may have left.  Each with its volumes' connections where they were left to the host.

    Not those on their way from or to the host: until a move is confirmed both hosts have the server.
    """
    with db.reader() as session:
        rows = list(session.scalars(select(Server).where(Server.id.in_(server_ids))))
        moving = {id for id, move in moves.under_way(session, server_ids).items()
                  if host in (move.source_host, move.dest_host)}
        gone = [server.id for server in rows if server.deleted_at or (_elsewhere(server, host)
                                                                      and server.id not in moving)]
        return {id: [{'volume_id': a.volume_id, 'connection': a.connection_info}
                     for a in attachments.of_server(session, id) if a.state == 'left'] for id in gone}


def _elsewhere(server, host) -> bool:
    """A shelved one is nowhere; any other without a host is about to get one."""
    if server.host is None:
        return server.vm_state == states.OFFLOADED and server.task_state is None
    return server.host != host


def confirm(service) -> int:
    """Moves that waited for a word longer than their users were told are confirmed; returns how many."""
    window = service.conf.resize_confirm_window
    if not window:
        return 0
    with service.db.reader() as session:
        waiting = moves.unconfirmed(session, utcnow() - datetime.timedelta(seconds=window))
        found = servers.of_ids(session, [move.server_id for move in waiting])
    confirmed = 0
    for server in found.values():
        if server.vm_state != states.RESIZED or server.task_state is not None:
            continue
        try:
            confirm_resize.request(system_context(service, server.project_id, None, f'req-{new_id()}'), server)
            confirmed += 1
        except errors.Error as e:
            LOG.info('The move of server %s is not confirmed by itself: %s', server.id, e)
    return confirmed


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
        session.execute(delete(Migration).where(Migration.server_id.in_(old)))
        session.execute(delete(Server).where(Server.id.in_(old)))
    return len(old)
