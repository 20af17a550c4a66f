"""Let a server's guest see that one of its volumes has grown.

The volume service has grown the volume and says so with an event; from here on the
host's device and the guest's disk follow.  Nothing is ever undone: a volume never
shrinks.  A growth that is given up is reported as the action's error, and the
sweep (conductor/sweeps.py) finds the difference again.

A server on its way to or from a host keeps it waiting: who takes it there sends growths
back to their first step before any device is touched (moving.py:hold_growths), and they
go on where the server ended.
"""
import contextlib

from computesvc import errors
from computesvc.db import actions, attachments, states
from computesvc.db.models import Attachment, Server
from computesvc.host import base
from computesvc.host.devices import lag
from computesvc.operations import places
from svckit import operations
from svckit.operations import NotYet, Operation, Refused, Step

ACTION, EVENT = 'extend_volume', 'compute_extend_volume'
AT_NEXT_START = 'The server sees the new size at its next start.'


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
    if server.task_state in states.ON_THE_WAY:
        raise NotYet(f'The server is on its way ({server.task_state}).', 0.5)
    size = ctx.volumes.size(attachment.volume_id)
    if size is None:
        raise Refused('The volume is gone.')
    return {'host': server.host, 'bytes': size, 'connection': attachment.connection_info,
            'outcome': None if server.host else AT_NEXT_START}


def _host(op):
    """The server's agent; of a server that is on no host, there is nothing to grow anywhere."""
    return places.found_agent(op) if op.notes['host'] else places.CONDUCTOR


def grow_device(ctx, op):
    """The host's device shows at least the volume's size; a path that does not is named, and left to the sweep.

    That of a guest that is off may be gone since its host started anew: it comes back, grown, when the guest starts.
    """
    if not op.notes['host']:
        return None
    try:
        size, lagging = ctx.devices.grow(op.notes['connection'], op.notes['bytes'])
    except base.DeviceGone:
        if ctx.hypervisor.power_state(op.params['server_id']) in (base.RUNNING, base.PAUSED):
            raise
        return {'device_bytes': None, 'outcome': AT_NEXT_START}
    return {'device_bytes': size, 'outcome': ' '.join(map(lag, lagging)) or None}


def grow_guest_disk(ctx, op):
    """A guest that is up sees at least the volume's size; one that is off will when it starts."""
    if not op.notes['host'] or op.notes.get('device_bytes') is None:
        return None
    with ctx.turn(op.params['server_id']):
        return {'guest_bytes': ctx.grow_guest_disk(op.params['server_id'], op.params['volume_id'], op.notes['bytes'])}


def record(ctx, op):
    attachments.change(ctx.session, op.params['attachment_id'], size=op.notes['bytes'])
    actions.finish(ctx.session, op.subject, details=op.notes.get('outcome'))
    ctx.notify('extend_volume', op)


OPERATION = Operation('extend-volume', version=1, withdraw=withdraw, foldable=True, steps=[
    Step(ask_size, at=places.CONDUCTOR, forever=True),
    Step(grow_device, at=_host),
    Step(grow_guest_disk, at=_host),
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
