"""Delete a snapshot and its data."""
from sqlalchemy import delete

from svckit import operations, quota
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Step
from volsvc import notify
from volsvc.db import messages, snapshots, usage
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
    notify.snapshot(session, context.service.messaging, 'delete.start', snapshot, volume)


def give_up_stuck(session, snapshot_id: str) -> None:
    """A stuck operation makes way for what is asked now."""
    op = operations.live(session, f'snapshot:{snapshot_id}')
    if op and op.state == 'stuck':
        operations.cancel(session, op.subject, 'Its snapshot was asked for something else.')


def withdraw(ctx, op):
    """Refused: the snapshot is as it was.  Failed: it is error_deleting, and can be deleted again."""
    put_back(ctx.session, op.params['snapshot_id'], op.refused)
    messages.add(ctx.session, op, messages.SNAPSHOT_DELETE, f'The snapshot could not be deleted: {op.error}',
                 ctx.conf.message_ttl)


def put_back(session, id: str, refused: bool) -> None:
    """The snapshot is no longer 'deleting'."""
    before = snapshots.for_update(session, id).previous_status or 'error'
    swap(session, Snapshot, id, {'status': 'deleting'},
         {'status': before if refused else 'error_deleting', 'previous_status': None})


def stuck(ctx, op):
    """Its data are gone, and it is still listed: deleting it again ends that."""
    swap(ctx.session, Snapshot, op.params['snapshot_id'], {'status': 'deleting'}, {'status': 'error_deleting'})


def erase_snapshot(ctx, op):
    """The backend has nothing of it any more."""
    ctx.driver.delete_snapshot(drivers.Snapshot(op.params['snapshot_id'], op.params['size']))


def forget_snapshot(ctx, op):
    """Nobody knows of it any more, and its quota is free."""
    if (snapshot := ctx.session.get(Snapshot, op.params['snapshot_id'])) is not None:
        forget(ctx.session, ctx.messaging, snapshot, ctx.session.get(Volume, snapshot.volume_id))


def forget(session, messaging, snapshot, volume) -> None:
    quota.give(session, snapshot.project_id, usage.of_snapshots(snapshot.volume_type_id, snapshot.counted))
    notify.snapshot(session, messaging, 'delete.end', snapshot, volume)
    session.execute(delete(Snapshot).where(Snapshot.id == snapshot.id))


OPERATION = Operation('delete-snapshot', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(erase_snapshot, at=places.backend, delay=0.5),
    NO_RETURN,                                       # its data are gone
    Step(forget_snapshot, at=places.backend, atomic=True),
])
