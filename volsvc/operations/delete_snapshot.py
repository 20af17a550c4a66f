"""Delete a snapshot and its data."""
from sqlalchemy import delete

from svckit import operations, quota
from svckit.operations import NO_RETURN, Operation, Step
from volsvc import notify
from volsvc.db import claims, messages, snapshots, usage
from volsvc.db.models import Snapshot, Volume
from volsvc.drivers import base as drivers
from volsvc.operations import places

# error_deleting too: a deletion that failed can be asked for again, by its owner.
STATUSES = ('available', 'error', 'error_deleting')


def request(context, snapshot, force=False) -> None:
    """Mark 'deleting' and start: one transaction.  `force`: whatever its status."""
    context.db.run(lambda session: _begin(session, context, snapshot, (snapshot.status,) if force else STATUSES))


def _begin(session, context, snapshot, wanted):
    snapshots.mark(session, snapshot, 'deleted', wanted, status='deleting', previous_status=snapshot.status)
    give_up_stuck(session, snapshot.id)
    snapshot = snapshots.for_update(session, snapshot.id)
    volume = session.get(Volume, snapshot.volume_id)
    operations.start(session, OPERATION, subject=f'snapshot:{snapshot.id}', project_id=snapshot.project_id,
                     user_id=context.user_id, request_id=context.request_id,
                     params={'snapshot_id': snapshot.id, 'volume_id': volume.id, 'host': volume.host,
                             'size': snapshot.size})
    notify.snapshot(session, context.service.messaging, 'delete.start', snapshot, volume, context)


def give_up_stuck(session, snapshot_id: str) -> None:
    """A stuck operation makes way for what is asked now."""
    op = operations.live(session, f'snapshot:{snapshot_id}', for_update=True)
    if op and op.state == 'stuck':
        operations.cancel(session, op.subject, 'Its snapshot was asked for something else.')


def withdraw(ctx, op):
    """Refused: the snapshot is as it was.  Failed: it is error_deleting, and can be deleted again."""
    put_back(ctx, op, op.params['snapshot_id'], f'The snapshot could not be deleted: {op.error}', op.refused)


def stuck(ctx, op):
    """Its data are gone, and it is still listed: deleting it again ends that."""
    put_back(ctx, op, op.params['snapshot_id'],
             f'The data of the snapshot are gone, but it is still listed. Delete it again. What failed: {op.error}')


def put_back(ctx, op, id: str, why: str, refused: bool = False) -> None:
    """The snapshot is no longer 'deleting', and its owner knows why."""
    snapshot = snapshots.for_update(ctx.session, id)
    if snapshot.status == 'deleting':
        snapshot.status = (snapshot.previous_status or 'error') if refused else 'error_deleting'
        snapshot.previous_status = None
    messages.add(ctx.session, op, messages.SNAPSHOT_BUSY if refused else messages.SNAPSHOT_DELETE, why,
                 ctx.conf.message_ttl, resource=f'snapshot:{id}')
    notify.snapshot(ctx.session, ctx.messaging, 'delete.error', snapshot,
                    ctx.session.get(Volume, snapshot.volume_id), op)


def erase_snapshot(ctx, op):
    """The backend has nothing of it any more."""
    ctx.driver.delete_snapshot(drivers.Snapshot(op.params['snapshot_id'], op.params['size']))


def forget_snapshot(ctx, op):
    """Nobody knows of it any more, and its quota and room are free."""
    if (snapshot := ctx.session.get(Snapshot, op.params['snapshot_id'])) is not None:
        forget(ctx.session, ctx.messaging, snapshot, ctx.session.get(Volume, snapshot.volume_id), op)


def forget(session, messaging, snapshot, volume, who) -> None:
    claims.release_snapshot(session, snapshot, volume.host)
    quota.give(session, snapshot.project_id, usage.of_snapshots(snapshot.volume_type_id, snapshot.counted))
    notify.snapshot(session, messaging, 'delete.end', snapshot, volume, who, status='deleted')
    session.execute(delete(Snapshot).where(Snapshot.id == snapshot.id))


OPERATION = Operation('delete-snapshot', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(erase_snapshot, at=places.backend, delay=0.5),
    NO_RETURN,                                       # its data are gone
    Step(forget_snapshot, at=places.backend, atomic=True),
])
