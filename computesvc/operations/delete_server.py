"""Delete a server, in whatever state it is and whatever else is under way with it.

It takes over from every other operation on the server, goes forward only, and
ends when nothing of the server is left on its host or with the volume service.
Of a server on its way from one host to another that is both hosts.
"""
from sqlalchemy import select

from computesvc.db import actions, attachments, moves, servers, services
from computesvc.db.models import Attachment, Server
from computesvc.operations import create_image, drop_image, leave_host, places, shelve_server
from computesvc.operations.detach_volume import end_growth
from svckit import operations
from svckit.db import now, swap
from svckit.operations import NO_RETURN, NotYet, Operation, Refused, Step
from svckit.operations.models import OPERATIONS


def request(context, server) -> None:
    """Mark it and start; asking again while it is going on changes nothing.

    Unless the host was declared dead meanwhile (its service forced down): then the
    deletion no longer waits for it.
    """
    subject = f'deletion:{server.id}'

    def work(session):
        row = session.get(Server, server.id)
        if row.deleted_at:
            return
        if operations.live(session, subject):
            if not _dead(session, row.host):
                return
            operations.cancel(session, subject, 'Asked again, with the host forced down.')
            actions.finish(session, subject, 'Asked again, with the host forced down.')
        if not swap(session, Server, server.id, {'deleted_at': None}, {'task_state': 'deleting'}):
            return
        for attachment in attachments.of_server(session, server.id):
            end_growth(session, attachment.id, 'The server is being deleted.')
        actions.begin(session, context, server, 'delete', 'compute_terminate_instance', subject)
        operations.start(session, OPERATION, subject=subject, resource=f'server:{server.id}',
                         project_id=server.project_id, user_id=context.user_id, request_id=context.request_id,
                         params={'server_id': server.id})
    context.db.run(work)


def take_over(ctx, op):
    """No other operation on the server goes on; one in the middle of a step is waited for."""
    id = op.params['server_id']
    server = ctx.session.get(Server, id)
    there = list(ctx.session.scalars(select(Attachment).where(Attachment.server_id == id)))
    under_way = operations.live(ctx.session, f'server:{id}')
    for attachment in there:
        end_growth(ctx.session, attachment.id, 'The server is being deleted.')
    for subject in [f'server:{id}', *(f'plug:{attachment.id}' for attachment in there)]:
        _end(ctx.session, subject)
    found = None if _dead(ctx.session, server.host) else server.host
    ctx.notify('delete.start', op)
    return {'host': found, 'attachments': [attachments.view(attachment) for attachment in there],
            'other': _other(ctx.session, op, server, under_way), 'half_image': _half_image(under_way)}


def _other(session, op, server, under_way) -> dict | None:
    """The other host of a server on its way, with the volumes' connections there.

    One that a finished move left behind needs only be cleaned when it can be.
    """
    move = moves.under_way(session, [server.id]).get(server.id)
    if move is None:
        return None
    host = next((h for h in (move.source_host, move.dest_host) if h not in (None, server.host)), None)
    if not under_way or under_way.name not in ('resize-server', 'revert-resize'):
        moves.change(session, move.uuid, moves.CONFIRMED)
        if host:
            leave_host.begin(session, op, server, migration=move.uuid, host=host, claim=f'leave:{move.uuid}')
        return None
    moves.change(session, move.uuid, moves.ERROR)
    if host is None or _dead(session, host):
        return None
    # What it leaves was disconnected before the server was recorded to be where it goes.
    connections = under_way.notes.get('connections', {}) if server.host == under_way.params['host'] else {}
    devices = under_way.notes.get('devices', {})
    return {'host': host, 'volumes': [
        {'volume_id': volume['volume_id'], 'connection': connections[volume['id']], 'device': devices.get(volume['id'])}
        for volume in under_way.notes.get('volumes', ()) if volume['id'] in connections]}


def _half_image(under_way) -> str | None:
    """The image that was being made of the server, unless it is whole and its user's own."""
    name = under_way and under_way.name
    if name == shelve_server.OPERATION.name or (
            name == create_image.OPERATION.name and under_way.position < create_image.OPERATION.no_return):
        return (under_way.params['image'] or {}).get('id')
    return None


def _dead(session, name) -> bool:
    """An operator has said that this host is down for good.  Should it come back, its sweep removes what is left."""
    return any(service.forced_down for service, _ in services.find(session, name, services.AGENT)) if name else False


def _end(session, subject):
    held = session.execute(select(OPERATIONS.c.name).where(
        OPERATIONS.c.subject == subject, OPERATIONS.c.lease_until > now())).scalar()
    if held:
        raise NotYet(f'{held} is in the middle of a step.', 0.2)
    operations.cancel(session, subject, 'The server is being deleted.')
    actions.finish(session, subject, 'The server is being deleted.')


def host(op):
    """The server's agent; of a server that never got a host, there is nothing to remove anywhere."""
    return f"agent:{op.notes['host']}" if op.notes['host'] else places.CONDUCTOR


def destroy(ctx, op):
    """Nothing of the server is on its host."""
    if not op.notes['host']:
        return
    id = op.params['server_id']
    with ctx.turn(id):
        ctx.hypervisor.undefine(id)
        for attachment in op.notes['attachments']:
            if attachment['connection_info']:
                ctx.devices.disconnect(attachment['volume_id'], attachment['connection_info'],
                                       attachments.device(attachment))
        ctx.local_disks.remove(id)


def other_host(op):
    return f"agent:{op.notes['other']['host']}" if op.notes.get('other') else places.CONDUCTOR


def destroy_other(ctx, op):
    """Nothing of it is on the host either that it came from or went to."""
    if not op.notes.get('other'):
        return
    id = op.params['server_id']
    with ctx.turn(id):
        ctx.hypervisor.undefine(id)
        for volume in op.notes['other']['volumes']:
            ctx.devices.disconnect(volume['volume_id'], volume['connection'], volume['device'])
        ctx.local_disks.remove(id)


def release_volumes(ctx, op):
    for attachment in op.notes['attachments']:
        ctx.volumes.release(attachment['volume_id'], attachment['server_id'], attachment['attachment_id'])


def delete_volumes(ctx, op):
    """Those that were to end with the server.  One that its owner must clear first stays, and the log says so."""
    for attachment in op.notes['attachments']:
        if attachment['delete_on_termination']:
            try:
                ctx.volumes.delete(attachment['volume_id'])
            except Refused as e:
                ctx.warn('Volume %s stays after its server was deleted: %s', attachment['volume_id'], e)


def record(ctx, op):
    server = ctx.session.get(Server, op.params['server_id'])
    if op.notes['host']:
        attachments.remove(ctx.session, *[attachment['id'] for attachment in op.notes['attachments']])
    else:
        attachments.leave(ctx.session, server.id)
    drop_image.begin(ctx.session, op, server.shelved_image_id, op.notes.get('half_image'))
    servers.remove(ctx.session, server)
    actions.finish(ctx.session, op.subject)
    ctx.notify('delete', op)


_FIRST = [
    NO_RETURN,
    Step(take_over, at=places.CONDUCTOR, atomic=True, forever=True),
    Step(destroy, at=host, forever=True),
]
_LAST = [
    Step(release_volumes, at=places.CONDUCTOR, forever=True),
    Step(delete_volumes, at=places.CONDUCTOR, forever=True),
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
]
OPERATION = Operation('delete-server', version=2, steps=[
    *_FIRST, Step(destroy_other, at=other_host, forever=True), *_LAST])
OLD = [Operation('delete-server', version=1, steps=[*_FIRST, *_LAST])]
