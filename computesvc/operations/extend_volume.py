"""Let a server's guest see that one of its volumes has grown.

The volume service has grown the volume and says so with an event; from here on the
host's device and the guest's disk follow.  Nothing is ever undone: a volume never
shrinks.  A growth that is given up is reported as the action's error, and the
sweep (conductor/sweeps.py) finds the difference again.
"""
import contextlib

from computesvc import errors
from computesvc.db import actions, attachments
from computesvc.db.models import Attachment, Server
from computesvc.host.devices import lag
from computesvc.operations import places
from svckit import operations
from svckit.operations import NotYet, Operation, Refused, Step

ACTION, EVENT = 'extend_volume', 'compute_extend_volume'


def request(context, server, attachment) -> None:
    """Record the action and start, or send a growth that is under way back to its first step: one transaction."""
    for _ in range(10):
        with contextlib.suppress(errors.Conflict):      # another one began just now: join it
            return context.db.run(lambda session: _begin(session, context, server, attachment))
    raise errors.Unavailable(f'Volume {attachment.volume_id} is changing too fast; please tell again.')


def _begin(session, context, server, attachment):
    subject = f'attachment:{attachment.id}'
    params = {'server_id': server.id, 'volume_id': attachment.volume_id, 'attachment_id': attachment.id}
    actions.begin(session, context, server, ACTION, EVENT, subject)
    if not operations.fold(session, OPERATION, subject, params):
        operations.start(session, OPERATION, subject=subject, resource=f'server:{server.id}', params=params,
                         project_id=server.project_id, user_id=context.user_id, request_id=context.request_id)


def withdraw(ctx, op):
    actions.finish(ctx.session, op.subject, op.error or 'undone')


def ask_size(ctx, op):
    """How large the volume is now, and where its server runs."""
    with ctx.db.reader() as session:
        attachment = session.get(Attachment, op.params['attachment_id'])
        server = session.get(Server, op.params['server_id'])
    if attachment is None or attachment.state in ('detaching', 'failed') or server is None or server.deleted_at:
        raise Refused('The server no longer has the volume.')
    if attachment.state != 'attached':
        raise NotYet('The volume is still being attached.', 0.5)
    if not server.host:
        raise Refused('The server is on no host; it sees the new size when it starts.')
    size = ctx.volumes.size(attachment.volume_id)
    if size is None:
        raise Refused('The volume is gone.')
    return {'host': server.host, 'bytes': size, 'connection': attachment.connection_info}


def grow_device(ctx, op):
    """The host's device shows at least the volume's size; a path that does not is named, and left to the sweep."""
    size, lagging = ctx.devices.grow(op.notes['connection'], op.notes['bytes'])
    return {'device_bytes': size, 'outcome': ' '.join(map(lag, lagging)) or None}


def grow_guest_disk(ctx, op):
    """A guest that is up sees at least the volume's size; one that is off will when it starts."""
    with ctx.turn(op.params['server_id']):
        return {'guest_bytes': ctx.grow_guest_disk(op.params['server_id'], op.params['volume_id'], op.notes['bytes'])}


def record(ctx, op):
    attachments.change(ctx.session, op.params['attachment_id'], size=op.notes['bytes'])
    actions.finish(ctx.session, op.subject, details=op.notes.get('outcome'))
    ctx.notify('extend_volume', op)


OPERATION = Operation('extend-volume', version=1, withdraw=withdraw, foldable=True, steps=[
    Step(ask_size, at=places.CONDUCTOR, forever=True),
    Step(grow_device, at=places.found_agent),
    Step(grow_guest_disk, at=places.found_agent),
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
