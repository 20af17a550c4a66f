"""Attach a volume: reserve it for a server, connect it to the server's host, complete.

Reserving and completing only touch the database.  Connecting asks the backend, on its
worker; the request waits for it, because its answer holds the connection.
"""
from sqlalchemy import delete

from svckit import operations
from svckit.db import new_id, utcnow
from svckit.operations import Operation, Step
from volsvc import errors, notify
from volsvc.db import attachments, messages, volumes
from volsvc.db.models import Attachment
from volsvc.drivers import base as drivers
from volsvc.operations import places, waiting

COMPLETE_SINCE = (3, 44)        # before that, a connected attachment is an attached one
GOING = ('deleting', 'error_deleting', 'error')


# ------------------------------------------------------------------ the requests

def reserve(context, volume, instance_uuid=None, mode=None) -> Attachment:
    """An attachment in status 'reserved'; nobody else can get the volume.

    A volume that several may have can be reserved again while it is used.  So can one
    that the same server has already, whatever goes on with it: the server is on its way
    to another host.
    """
    def work(session):
        locked = volumes.for_update(session, volume.id)
        others = attachments.of_volume(session, volume.id)
        again = instance_uuid and any(one.instance_uuid == instance_uuid for one in others)
        if not again or locked.status in GOING:
            allowed = ('available', 'in-use') if locked.multiattach else ('available',)
            if locked.status not in allowed:
                raise errors.InvalidStatus(volume.id, 'reserved', allowed, locked.status)
            locked.status = 'reserved'
        attachment = Attachment(id=new_id(), volume_id=volume.id, instance_uuid=instance_uuid,
                                attach_status='reserved', attach_mode=mode, created_at=utcnow())
        session.add(attachment)
        session.flush()
        return attachment
    return context.db.run(work)


def connect(context, attachment, connector: dict, made=False) -> Attachment:
    """The attachment, connected to the host that sent `connector`; asking again for the same joins the first.

    `made`: it was made for this, and goes if it fails.
    """
    subject = f'connection:{attachment.id}'

    def work(session):
        op = operations.live(session, subject)
        if op and op.name == OPERATION.name and op.params['connector'] == connector:
            return op.id
        volume = volumes.for_update(session, attachment.volume_id)
        found = attachments.get(session, attachment.id)
        if found.attach_status == 'detaching':
            raise errors.BadRequest(f'Attachment {attachment.id} is being deleted.')
        if found.instance_uuid and found.connection_info and found.connector != connector and not context.is_service:
            raise errors.AttachmentInUse(found.instance_uuid)       # its host's export would be forgotten
        before_complete = not found.legacy and context.version is not None and context.version < COMPLETE_SINCE
        default = 'ro' if found.legacy and volume.readonly else 'rw'
        params = {'volume_id': volume.id, 'host': volume.host, 'size': volume.size, 'attachment_id': found.id,
                  'connector': connector, 'mode': connector.get('mode') or found.attach_mode or default,
                  'status': 'attached' if before_complete else 'attaching', 'made': made}
        if volume.readonly and params['mode'] != 'ro':
            raise errors.BadRequest(f'Volume {volume.id} is read only and cannot be attached in mode rw.')
        notify.volume(session, context.service.messaging, 'attach.start', volume, context)
        return operations.start(session, OPERATION, subject=subject, resource=f'volume:{volume.id}', params=params,
                                project_id=volume.project_id, user_id=context.user_id, request_id=context.request_id)
    waiting.until_done(context, context.db.run(work), attachment.volume_id)
    with context.db.reader() as session:
        return attachments.get(session, attachment.id)


def complete(context, attachment) -> None:
    """The server has the volume: it is in use.  One on no host (shelved) has it without a connection."""
    def work(session):
        volume = volumes.for_update(session, attachment.volume_id)
        found = attachments.get(session, attachment.id)
        if found.attach_status == 'detaching':
            raise errors.BadRequest(f'Invalid attachment: {attachment.id} is being deleted.')
        before, found.attach_status = found.attach_status, 'attached'
        found.attach_time = found.attach_time or utcnow()
        if volume.status in ('available', 'reserved', 'attaching', 'in-use'):
            volume.status = 'in-use'
        if before != 'attached':
            notify.volume(session, context.service.messaging, 'attach.end', volume, context)
    context.db.run(work)


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """The attachment is as it was, or gone if it was made for this."""
    _failed(ctx, op, f'The volume could not be connected to a host: {op.error}')
    if op.params.get('made'):
        volume = volumes.for_update(ctx.session, op.params['volume_id'])
        ctx.session.execute(delete(Attachment).where(Attachment.id == op.params['attachment_id']))
        if volume.status == 'attaching':
            volume.status = volumes.at_rest(attachments.of_volume(ctx.session, volume.id))


def stuck(ctx, op):
    """The host may reach the volume: the attachment remembers it, so that it is disconnected when that is deleted."""
    found = ctx.session.get(Attachment, op.params['attachment_id'])
    if found and not found.connection_info:
        found.connector = op.params['connector']
    _failed(ctx, op, 'The volume could not be connected to a host, and the host may still reach it. '
                     f'What failed: {op.error}')


def _failed(ctx, op, text):
    found = ctx.session.get(Attachment, op.params['attachment_id'])
    messages.add(ctx.session, op, messages.ATTACH if found and found.legacy else messages.CONNECT, text,
                 ctx.conf.message_ttl)
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    notify.volume(ctx.session, ctx.messaging, 'attach.error', volume, op)


# ------------------------------------------------------------------ steps

def export_volume(ctx, op):
    """The host reaches the volume."""
    with ctx.exports.take(op.params['volume_id']):
        return {'secret_connection': ctx.driver.connect(_volume(op), op.params['connector'], op.params['mode'])}


def unexport_volume(ctx, op):
    """Undo of export_volume; what reached the host before goes on reaching it."""
    end_export(ctx, _volume(op), op.params['connector'])


def record_connection(ctx, op):
    """The attachment knows how the volume is reached."""
    params, status = op.params, op.params['status']
    volume = volumes.for_update(ctx.session, params['volume_id'])
    found = ctx.session.get(Attachment, params['attachment_id'])
    if found is None:
        return
    new = status == 'attached' and found.attach_status != 'attached'
    if found.attach_status == 'attached':
        status = 'attached'
    connector = params['connector']
    found.connector, found.connection_info, found.attach_status = connector, op.notes['secret_connection'], status
    found.attach_mode, found.attached_host = params['mode'], connector.get('host') or found.attached_host
    found.mountpoint = connector.get('mountpoint') or found.mountpoint
    found.attach_time = (found.attach_time or utcnow()) if status == 'attached' else None
    if volume.status in ('reserved', 'attaching', 'available'):
        volume.status = 'in-use' if status == 'attached' else 'attaching'
    if new:
        notify.volume(ctx.session, ctx.messaging, 'attach.end', volume, op)


def end_export(ctx, volume: drivers.Volume, connector: dict) -> None:
    """The host reaches the volume no more, unless an attachment has it connected there or is having it connected.

    Those that are on their way out do not count: each looks here for itself.
    """
    with ctx.exports.take(volume.id):
        with ctx.db.reader() as session:
            used = any(same_host(other, connector, ctx.driver.known_by) for other in _reached(session, volume.id))
        if not used:
            ctx.driver.disconnect(volume, connector)


def same_host(one: dict | None, other: dict | None, known_by: tuple = ('host',)) -> bool:
    """Whether two connectors are of one host for whom knows hosts by these fields of theirs.

    Connectors are the clients' own words.  One by another host's initiator and a name
    of its own must not take the volume from that host when it ends (CVE-2023-2088).
    """
    one, other = one or {}, other or {}
    return one == other or any(_names(one.get(name)) & _names(other.get(name)) for name in known_by)


def _names(value) -> set[str]:
    return {str(name).lower() for name in (value if isinstance(value, list) else [value]) if name}


def _reached(session, volume_id: str):
    """The connectors by which hosts reach the volume, or are about to."""
    for one in attachments.of_volume(session, volume_id):
        if one.connection_info and one.attach_status != 'detaching':
            yield one.connector
        op = operations.live(session, f'connection:{one.id}')
        if op and op.name == OPERATION.name and op.state == 'running':
            yield op.params['connector']


def _volume(op) -> drivers.Volume:
    return drivers.Volume(op.params['volume_id'], op.params['size'])


OPERATION = Operation('connect-attachment', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(export_volume, at=places.backend, undo=unexport_volume, attempts=3, delay=0.3),
    Step(record_connection, at=places.backend, atomic=True),
])

