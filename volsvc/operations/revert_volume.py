"""Take a volume back to what its latest snapshot holds."""
from svckit import operations
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Refused, Step
from volsvc import errors, notify
from volsvc.db import messages, snapshots, volumes
from volsvc.db.models import Snapshot, Volume
from volsvc.drivers import base as drivers
from volsvc.operations import places

# ------------------------------------------------------------------ the request

def request(context, volume, snapshot_id: str | None) -> None:
    """Mark the volume 'reverting' and the snapshot 'restoring', and start: one transaction."""
    context.db.run(lambda session: _begin(session, context, volume.id, snapshot_id))


def _begin(session, context, volume_id, snapshot_id):
    volume = volumes.for_update(session, volume_id)
    snapshot = _latest(session, volume, snapshot_id)
    if volume.status != 'available':
        raise errors.Conflict(f'Volume {volume.id} cannot be reverted, its status must be available, but it is '
                              f'{volume.status}.')
    if not swap(session, Snapshot, snapshot.id, {'status': 'available'}, {'status': 'restoring'}):
        raise errors.Conflict(f'Snapshot {snapshot.id} cannot be reverted to, its status must be available, but it is '
                              f'{snapshot.status}.')
    volume.status, volume.previous_status = 'reverting', 'available'
    operations.start(session, OPERATION, subject=f'volume:{volume.id}', project_id=volume.project_id,
                     user_id=context.user_id, request_id=context.request_id,
                     params={'volume_id': volume.id, 'host': volume.host, 'size': volume.size,
                             'snapshot': [snapshot.id, snapshot.size]})
    _notify(session, context.service.messaging, 'revert.start', volume, snapshot, context)


def _latest(session, volume, snapshot_id) -> Snapshot:
    """The snapshot of that id; BadRequest unless it is the latest, and as large as its volume."""
    found = snapshots.of_volume(session, volume.id)
    if not found:
        raise errors.BadRequest(f'Volume {volume.id} has no snapshots.')
    if snapshot_id != found[-1].id:
        raise errors.BadRequest(f'Snapshot {snapshot_id} is not the latest one of volume {volume.id}, which is '
                                f'{found[-1].id}.')
    if found[-1].size != volume.size:
        raise errors.BadRequest(f'Volume {volume.id} has grown since snapshot {snapshot_id} was made: a volume is only '
                                'reverted to a snapshot of its own size.')
    return found[-1]


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """Refused: all is as it was.  Failed: the snapshot is, and the volume in error: it may hold some of both."""
    _end(ctx, op, 'available' if op.refused else 'error', 'revert.error')
    left = 'It is as it was.' if op.refused else 'The snapshot holds what it did; the volume may hold some of both.'
    messages.add(ctx.session, op, messages.REVERT, f'The volume could not be reverted: {op.error} {left}',
                 ctx.conf.message_ttl)


def stuck(ctx, op):
    """It holds what the snapshot does, and only its status could not be written."""
    _end(ctx, op, 'error', 'revert.error')
    messages.add(ctx.session, op, messages.REVERT, 'The volume was reverted, but its status could not be changed: '
                 f'{op.error}', ctx.conf.message_ttl)


def _end(ctx, op, status, what):
    session, id, (snapshot_id, _) = ctx.session, op.params['volume_id'], op.params['snapshot']
    swap(session, Volume, id, {'status': ('reverting', 'error')}, {'status': status, 'previous_status': None})
    swap(session, Snapshot, snapshot_id, {'status': 'restoring'}, {'status': 'available'})
    volume, snapshot = session.get(Volume, id), session.get(Snapshot, snapshot_id)
    if volume and snapshot:
        _notify(session, ctx.messaging, what, volume, snapshot, op)


# ------------------------------------------------------------------ steps

def revert_data(ctx, op):
    """The volume holds what the snapshot does."""
    volume = drivers.Volume(op.params['volume_id'], op.params['size'], ctx.progress(op))
    try:
        ctx.driver.revert(volume, drivers.Snapshot(*op.params['snapshot']))
    except drivers.NoSpace as error:
        raise Refused(str(error)) from error
    except drivers.VolumeMissing as error:
        raise Refused('the volume or its snapshot is gone.') from error


def record_revert(ctx, op):
    """Volume and snapshot are available."""
    _end(ctx, op, 'available', 'revert.end')


def _notify(session, messaging, what, volume, snapshot, who):
    notify.volume(session, messaging, what, volume, who)
    notify.snapshot(session, messaging, what, snapshot, volume, who)


OPERATION = Operation('revert-volume', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(revert_data, at=places.backend, delay=0.5),
    NO_RETURN,                                       # what the volume held is gone
    Step(record_revert, at=places.backend, atomic=True),
])
