"""Delete a volume and its data."""
from sqlalchemy import delete

from svckit import operations, quota
from svckit.operations import NO_RETURN, Operation, Step
from volsvc import errors, notify
from volsvc.db import attachments, claims, messages, snapshots, usage, volumes
from volsvc.db.models import Attachment, Volume
from volsvc.drivers import base as drivers
from volsvc.operations import delete_snapshot, extend_volume, places

# error_deleting too: a deletion that failed can be asked for again, by its owner.
STATUSES = ('available', 'error', 'error_extending', 'error_deleting')

RESERVED = ('reserved', 'attaching')        # a volume, and an attachment


def request(context, volume, force=False, cascade=False) -> None:
    """Mark 'deleting' and start: one transaction.

    `force`: whatever its status, and its snapshots', but not while a host reaches it nor while anything is done to
    them; what is only reserved goes with it.
    `cascade`: its snapshots go with it.
    """
    if volume.status == 'deleting' and not force:
        raise errors.InvalidStatus(volume.id, 'deleted', STATUSES, volume.status)
    if not force and volume.status not in STATUSES:
        raise errors.InvalidStatus(volume.id, 'deleted', STATUSES, volume.status)
    context.db.run(lambda session: _begin(session, context, volume, force, cascade))


def _begin(session, context, volume, force, cascade):
    extend_volume.give_up_stuck(session, volume.id)
    reserved = volume.attachments and volume.status in RESERVED
    volumes.mark(session, volume, 'deleted', (volume.status,), status='deleting',
                 previous_status='available' if reserved else volume.status)
    _end_reservations(session, volume, force)
    found = snapshots.of_volume(session, volume.id)
    if found and not cascade:
        raise errors.HasSnapshots(volume.id)
    for snapshot in found:
        delete_snapshot.give_up_stuck(session, snapshot.id)
        if force and operations.live(session, f'snapshot:{snapshot.id}'):
            raise errors.Conflict(f'Another operation on snapshot {snapshot.id} is still running. Wait for it to end '
                                  'and ask again.')
        wanted = (snapshot.status,) if force else delete_snapshot.STATUSES
        snapshots.mark(session, snapshot, 'deleted with its volume', wanted, status='deleting',
                       previous_status=snapshot.status)
        notify.snapshot(session, context.service.messaging, 'delete.start', snapshot, volume, context,
                        status='deleting')
    notify.volume(session, context.service.messaging, 'delete.start', volume, context, status='deleting')
    if volume.host is None:
        _forget_at_once(session, context, volume)
        return
    operations.start(session, OPERATION, subject=f'volume:{volume.id}', project_id=volume.project_id,
                     user_id=context.user_id, request_id=context.request_id,
                     params={'volume_id': volume.id, 'host': volume.host, 'size': volume.size,
                             'snapshots': [[snapshot.id, snapshot.size] for snapshot in found]})


def _end_reservations(session, volume, force):
    """BadRequest if there are others, or if they are not to be ended by force."""
    for one in attachments.of_volume(session, volume.id):
        reached = one.connection_info or one.attach_status not in RESERVED
        if not force or reached or operations.live(session, f'connection:{one.id}'):
            raise errors.BadRequest(f'Invalid volume: volume {volume.id} is still attached, detach it first.')
        session.execute(delete(Attachment).where(Attachment.id == one.id))


def _forget_at_once(session, context, volume):
    """No backend has anything of it."""
    if operations.live(session, f'volume:{volume.id}'):
        raise errors.Conflict(f'Another operation on volume {volume.id} is still running. Wait for it to end and ask '
                              'again.')
    _forget(session, context.service.messaging, volumes.for_update(session, volume.id), context)


def withdraw(ctx, op):
    """Refused: all is as it was.  Failed: it and its snapshots are error_deleting, and can be deleted again."""
    _put_back(ctx, op, lambda what: f'The {what} could not be deleted: {op.error}', op.refused)


def stuck(ctx, op):
    """Its data are gone, and it is still listed: deleting it again ends that."""
    _put_back(ctx, op, lambda what: f'The data of the {what} are gone, but it is still listed. Delete it again. '
                                    f'What failed: {op.error}')


def _put_back(ctx, op, why, refused=False):
    for id, _ in op.params.get('snapshots', ()):
        delete_snapshot.put_back(ctx, op, id, why('snapshot'), refused)
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    if volume.status == 'deleting':
        volume.status = (volume.previous_status or 'error') if refused else 'error_deleting'
        volume.previous_status = None
    messages.add(ctx.session, op, messages.DELETE, why('volume'), ctx.conf.message_ttl)
    notify.volume(ctx.session, ctx.messaging, 'delete.error', volume, op)


def erase_volume(ctx, op):
    """The backend has nothing of it any more, nor of its snapshots."""
    for id, size in op.params.get('snapshots', ()):
        ctx.driver.delete_snapshot(drivers.Snapshot(id, size))
    ctx.driver.delete(drivers.Volume(op.params['volume_id'], op.params['size']))


def forget_volume(ctx, op):
    """Nobody knows of it any more, and its quota and room are free."""
    if (volume := ctx.session.get(Volume, op.params['volume_id'])) is not None:
        _forget(ctx.session, ctx.messaging, volume, op)


def _forget(session, messaging, volume, who):
    claims.release(session, volume.host, volume.size)
    quota.give(session, volume.project_id, usage.of_volumes(volume.volume_type_id, volume.size))
    notify.volume(session, messaging, 'delete.end', volume, who, status='deleted')
    for snapshot in snapshots.of_volume(session, volume.id):
        delete_snapshot.forget(session, messaging, snapshot, volume, who)
    session.execute(delete(Attachment).where(Attachment.volume_id == volume.id))
    session.execute(delete(Volume).where(Volume.id == volume.id))


OPERATION = Operation('delete-volume', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(erase_volume, at=places.backend, delay=0.5),
    NO_RETURN,                                       # its data are gone
    Step(forget_volume, at=places.backend, atomic=True),
])
