"""Detach a volume: its host reaches it no more, and the attachment is gone."""
from sqlalchemy import delete

from svckit import operations
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Step
from svckit.peer import NoAnswer, Refusal
from volsvc import errors, notify
from volsvc.db import attachments, messages, volumes
from volsvc.db.models import Attachment
from volsvc.drivers import base as drivers
from volsvc.operations import connect_attachment, places, tell_server, waiting

# Of a volume whose status is made by its attachments; in any other, somebody else is at work on it.
BY_ATTACHMENTS = ('available', 'reserved', 'attaching', 'in-use', 'detaching')


# ------------------------------------------------------------------ the request

def request(context, attachment, unless: tuple = ()) -> list[Attachment]:
    """The attachment is gone; returns those that the volume still has.

    Waits for the backend where the volume was connected.  AttachmentChanged if its
    attach_status has become one of `unless`.
    """
    check_allowed(context, attachment)
    waiting.joined(context, f'connection:{attachment.id}', OPERATION.name, attachment.volume_id,
                   lambda session: _begin(session, context, attachment, unless))
    with context.db.reader() as session:
        return attachments.of_volume(session, attachment.volume_id)


def check_allowed(context, attachment) -> None:
    """AttachmentInUse unless whoever asks may take the volume from a server (CVE-2023-2088).

    The compute service may; anybody else only what the server has not, or has by
    another attachment: the host would keep a device that shows whatever comes there next.
    While the server is busy, perhaps on its way to another host, both may be its own.
    """
    check_owner(context, attachment)
    if context.is_service or not attachment.instance_uuid or not attachment.connection_info:
        return
    try:
        theirs = context.service.compute.attachment_of(attachment.instance_uuid, attachment.volume_id)
        busy = theirs is not None and context.service.compute.is_busy(attachment.instance_uuid)
    except (NoAnswer, Refusal) as error:
        raise errors.Unavailable(f'Whether the server still has the volume is not known: {error}') from error
    # A server that got the volume by the older sequence names no attachment.
    if theirs is not None and (busy or theirs.get('attachment_id') in (None, attachment.id)):
        raise errors.AttachmentInUse(attachment.instance_uuid)


def check_owner(context, attachment) -> None:
    """AttachmentOfService if a service is attaching the volume by the older sequence, and a user asks.

    Its host may have the device already, and no server to be asked for is known.
    """
    of_service = attachment.legacy == 'service' and attachment.connection_info and not attachment.instance_uuid
    if of_service and not (context.is_service or context.is_admin):
        raise errors.AttachmentOfService(attachment.id)


def _begin(session, context, attachment, unless) -> str | None:
    """The id of the operation; None if there was nothing to ask the backend for, and it is done."""
    volume, found = locked(session, context, attachment)
    if found.attach_status in unless:
        raise errors.AttachmentChanged(found.id)
    notify.volume(session, context.service.messaging, 'detach.start', volume, context)
    if not (found.connection_info or found.connector):
        _forget(session, context.service.messaging, found.id, volume, context)
        return None
    return start(session, context, OPERATION, volume, found)


def locked(session, context, attachment):
    """(the volume, locked; the attachment as it is now); Conflict if it is not what check_allowed() looked at.

    Between the two it may have been connected, or given to a server.
    """
    volume = volumes.for_update(session, attachment.volume_id)
    found = attachments.get(session, attachment.id)
    new = found.connection_info and (not attachment.connection_info or found.instance_uuid != attachment.instance_uuid)
    if new and not context.is_service or operations.live(session, f'connection:{found.id}'):
        raise errors.AttachmentChanged(found.id)
    return volume, found


def start(session, context, operation, volume, found) -> str:
    """The id of an operation that takes the attachment's host off the volume; it is 'detaching' meanwhile."""
    before = found.attach_status if found.attach_status != 'detaching' else 'attached'
    found.attach_status = 'detaching'
    session.flush()
    return operations.start(
        session, operation, subject=f'connection:{found.id}', resource=f'volume:{volume.id}',
        project_id=volume.project_id, user_id=context.user_id, request_id=context.request_id,
        params={'volume_id': volume.id, 'host': volume.host, 'size': volume.size, 'attachment_id': found.id,
                'connector': found.connector, 'before': before})


def _forget(session, messaging, id, volume, who):
    """A growth that still waits for the attachment's host ends with it."""
    tell_server.end(session, id)
    session.execute(delete(Attachment).where(Attachment.id == id))
    if volume.status in BY_ATTACHMENTS:
        volume.status = _status(attachments.of_volume(session, volume.id))
    notify.volume(session, messaging, 'detach.end', volume, who)


def _status(left) -> str:
    states = {attachment.attach_status for attachment in left}
    for state, status in (('attached', 'in-use'), ('detaching', 'detaching'), ('attaching', 'attaching'),
                          ('reserved', 'reserved')):
        if state in states:
            return status
    return 'available'


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """The attachment is as it was."""
    put_back(ctx, op)
    _notify(ctx, op, 'detach.error')


def put_back(ctx, op):
    """The attachment is as it was, and the volume's owner knows why."""
    swap(ctx.session, Attachment, op.params['attachment_id'], {'attach_status': 'detaching'},
         {'attach_status': op.params['before']})
    messages.add(ctx.session, op, messages.DETACH, f'The volume could not be disconnected from a host: {op.error}',
                 ctx.conf.message_ttl)


def stuck(ctx, op):
    """No host reaches the volume by it, and it is still listed: detaching again ends that."""
    say_stuck(ctx, op)
    _notify(ctx, op, 'detach.error')


def say_stuck(ctx, op):
    messages.add(ctx.session, op, messages.DETACH, 'The volume was disconnected from a host, but is still listed as '
                 f'attached. Detach it again. What failed: {op.error}', ctx.conf.message_ttl)


def _notify(ctx, op, what):
    notify.volume(ctx.session, ctx.messaging, what, volumes.for_update(ctx.session, op.params['volume_id']), op)


# ------------------------------------------------------------------ steps

def unexport_volume(ctx, op):
    """The host reaches the volume no more, unless another attachment of it is there too."""
    connect_attachment.end_export(ctx, drivers.Volume(op.params['volume_id'], op.params['size']),
                                  op.params['connector'] or {})


def forget_attachment(ctx, op):
    """The attachment is gone, and the volume's status is what the others make of it."""
    _forget(ctx.session, ctx.messaging, op.params['attachment_id'],
            volumes.for_update(ctx.session, op.params['volume_id']), op)


OPERATION = Operation('delete-attachment', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(unexport_volume, at=places.backend, attempts=3, delay=0.3),
    NO_RETURN,                                       # the host has lost it
    Step(forget_attachment, at=places.backend, atomic=True),
])
