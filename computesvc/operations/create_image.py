"""Make an image of a server's local root disk, as it is at one moment.

The guest stands still while its disk is copied beside itself, and runs on while the copy
goes to the image service.
"""
import os
import time

from computesvc import errors
from computesvc.db import states
from computesvc.host import base, snapshots
from computesvc.operations import places, server_state, shelving
from computesvc.operations.shelving import make_image, undo_make_image
from svckit import operations, process
from svckit.operations import NO_RETURN, Operation, Step

ALLOWED = [states.ACTIVE, states.STOPPED, states.PAUSED]
WORDS = {'pending': shelving.SNAPSHOT_PENDING, 'uploading': shelving.SNAPSHOT_UPLOADING}


def request(context, server, name: str, metadata: dict) -> str:
    """Mark and start: one transaction; the image's id.

    The image service's own word on whether there may be such an image comes with the first
    steps; it is waited for a moment, so that its refusal is the answer (BadRequest).
    """
    image = shelving.image_of(server, context.user_id, name, metadata)

    def also(_, row):
        return {'was': row.vm_state, 'image': image, 'words': WORDS, 'disks': shelving.on_host(row)}
    op_id = server_state.begin(
        context, server, OPERATION, {}, action='createImage', event='compute_snapshot_instance', also=also,
        vm_states=ALLOWED, task_state=shelving.SNAPSHOT, heeds_lock=False)
    _made(context, op_id)
    return image['id']


def _made(context, op_id) -> None:
    end = time.monotonic() + context.service.conf.reserve_wait
    pause = 0.002
    while time.monotonic() < end:
        with context.db.reader() as session:
            op = operations.get(session, op_id)
        if op.state == 'undone':
            raise errors.BadRequest(op.error)
        if op.state == 'done' or (op.state == 'running' and op.position > 1):
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def begin(ctx, op):
    ctx.notify('snapshot.start', op)


def copy(ctx, op):
    """The root disk of a guest that is up stands beside itself, as it was while the guest stood still."""
    id, path = op.params['server']['id'], _copy(op)
    with ctx.turn(id):
        if not _up(ctx, id) or os.path.exists(path):
            _let_go(ctx, op)
            return
        ctx.hypervisor.pause(id)
        try:
            process.native(snapshots.copy, op.params['disks']['root_disk']['path'], path)
        finally:
            _let_go(ctx, op)


def undo_copy(ctx, op):
    with ctx.turn(op.params['server']['id']):
        _let_go(ctx, op)
        for path in (_copy(op), f'{_copy(op)}.part'):
            _remove(path)


def upload(ctx, op):
    """The image holds the copy, or the disk itself of a guest that was off; and the copy is gone."""
    path = _copy(op)
    shelving.upload(ctx, op, path if os.path.exists(path) else op.params['disks']['root_disk']['path'])


def clean(ctx, op):
    _remove(_copy(op))


def record(ctx, op):
    shelving.end(ctx, op)
    ctx.notify('snapshot.end', op)


def _copy(op) -> str:
    folder = os.path.dirname(op.params['disks']['root_disk']['path'])
    return os.path.join(folder, f"{op.params['image']['id']}.copy.raw")


def _up(ctx, id):
    return ctx.hypervisor.power_state(id) in (base.RUNNING, base.PAUSED)


def _let_go(ctx, op):
    """A guest that ran when the image was asked for does not stand still."""
    id = op.params['server']['id']
    if op.params['was'] == states.ACTIVE and ctx.hypervisor.power_state(id) == base.PAUSED:
        ctx.hypervisor.unpause(id)


def _remove(path):
    if os.path.exists(path):
        os.unlink(path)


OPERATION = Operation('create-image', version=1, withdraw=shelving.withdraw, steps=[
    Step(begin, at=places.CONDUCTOR, atomic=True),
    Step(make_image, at=places.CONDUCTOR, undo=undo_make_image),
    Step(copy, at=places.agent, undo=undo_copy),
    Step(upload, at=places.agent),
    NO_RETURN,
    Step(clean, at=places.agent, forever=True),
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
