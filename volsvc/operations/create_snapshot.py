"""Make a snapshot: what a volume holds at one moment, in use or not."""
import functools

from sqlalchemy import update

from svckit import operations, quota
from svckit.db import new_id, swap, utcnow
from svckit.operations import Operation, Refused, Step
from volsvc import errors, notify
from volsvc.db import claims, limits, messages, usage, volumes
from volsvc.db.models import Snapshot, Volume
from volsvc.drivers import base as drivers
from volsvc.operations import places
from volsvc.scheduling import backends

GIB = volumes.GIB

# ------------------------------------------------------------------ the request

def request(context, volume, *, in_use: bool, name='', description=None, metadata=None) -> Snapshot:
    """A snapshot in status 'creating', its room and quota taken and its making started: one transaction.

    `in_use`: also of a volume that a server is writing to.
    """
    backend = context.service.backend_of(volume.host)
    with context.db.reader() as session:
        allowed = quota.limits(session, volume.project_id, limits.defaults(context.service.conf))
    wanted = volumes.AT_REST if in_use else ('available',)
    snapshot = Snapshot(id=new_id(), volume_id=volume.id, project_id=volume.project_id, user_id=context.user_id,
                        name=name, description=description, status='creating', progress=0,
                        volume_type_id=volume.volume_type_id, meta=metadata or {}, created_at=utcnow())
    context.db.run(lambda session: _begin(session, context, snapshot, wanted, allowed, backend))
    return snapshot


def _begin(session, context, snapshot, wanted, allowed, backend):
    volume = volumes.for_update(session, snapshot.volume_id)
    if volume.status not in wanted:
        raise errors.InvalidStatus(volume.id, 'copied', wanted, volume.status)
    snapshot.size, snapshot.counted = volume.size, 0 if context.service.conf.no_snapshot_gb_quota else volume.size
    snapshot.promised = _room(backend, volume.size)
    session.add(snapshot)
    session.flush()
    operations.start(session, OPERATION, subject=f'snapshot:{snapshot.id}', project_id=snapshot.project_id,
                     user_id=context.user_id, request_id=context.request_id,
                     params={'snapshot_id': snapshot.id, 'volume_id': volume.id, 'host': volume.host,
                             'size': volume.size})
    if not backends.claim(session, backend, volume.host, snapshot.promised):
        raise errors.NoRoomForSnapshot(volume.id, volume.size // GIB)
    usage.take(session, snapshot.project_id, volume.type,
               usage.of_snapshots(snapshot.volume_type_id, snapshot.counted), allowed)
    notify.snapshot(session, context.service.messaging, 'create.start', snapshot, volume, context)


def _room(backend, size) -> int:
    """Bytes of its backend that a snapshot of so many may come to take."""
    known = backend.capabilities if backend else {}
    return int(size * known.get('snapshot_ratio', 1)) + known.get('snapshot_extra', 0)


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """The snapshot is there in status 'error', and counts, until its owner deletes it; but it holds no room."""
    _failed(ctx, op, f'The snapshot could not be created: {op.error}')
    if (snapshot := ctx.session.get(Snapshot, op.params['snapshot_id'])) is not None:
        claims.release_snapshot(ctx.session, snapshot, ctx.session.get(Volume, snapshot.volume_id).host)


def stuck(ctx, op):
    """What was made of it is still there: deleting the snapshot ends that, as does an operator."""
    _failed(ctx, op, 'The snapshot could not be created, and part of it may still be there. Delete it. '
                     f'What failed: {op.error}')


def _failed(ctx, op, text):
    swap(ctx.session, Snapshot, op.params['snapshot_id'], {'status': 'creating'}, {'status': 'error'})
    messages.add(ctx.session, op, messages.SNAPSHOT_CREATE, text, ctx.conf.message_ttl)
    _notify(ctx, op, 'create.error')


def _notify(ctx, op, what):
    if (snapshot := ctx.session.get(Snapshot, op.params['snapshot_id'])) is not None:
        notify.snapshot(ctx.session, ctx.messaging, what, snapshot, ctx.session.get(Volume, snapshot.volume_id), op)


# ------------------------------------------------------------------ steps

def make_snapshot(ctx, op):
    """The backend has the snapshot, whole."""
    id, size = op.params['snapshot_id'], op.params['size']
    snapshot = drivers.Snapshot(id, size, functools.partial(_tell, ctx, id))
    try:
        return {'warning': ctx.driver.create_snapshot(snapshot, drivers.Volume(op.params['volume_id'], size))}
    except drivers.VolumeMissing as error:
        raise Refused('the volume is gone.') from error
    except drivers.NoSpace as error:
        raise Refused(str(error)) from error


def _tell(ctx, id, percent):
    ctx.db.run(lambda session: session.execute(
        update(Snapshot).where(Snapshot.id == id).values(progress=min(percent, 99))))


def erase_snapshot(ctx, op):
    """Undo of make_snapshot: nothing of it is left."""
    ctx.driver.delete_snapshot(drivers.Snapshot(op.params['snapshot_id'], op.params['size']))


def record_snapshot(ctx, op):
    """The snapshot is available; its owner is told if it is not of one moment."""
    session, id = ctx.session, op.params['snapshot_id']
    swap(session, Snapshot, id, {'status': 'creating'}, {'status': 'available', 'progress': 100})
    _notify(ctx, op, 'create.end')
    if op.notes.get('warning'):
        messages.add(session, op, messages.SNAPSHOT_TORN, op.notes['warning'], ctx.conf.message_ttl, 'WARNING')


OPERATION = Operation('create-snapshot', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(make_snapshot, at=places.backend, undo=erase_snapshot, delay=0.5),
    Step(record_snapshot, at=places.backend, atomic=True),
])
