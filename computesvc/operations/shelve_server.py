"""Shelve a server: off, its root disk an image, and, unless it is to wait there, taken off its host.

Until the image is whole giving up has the server run again on its host.  A server whose
root is a volume needs no image and never waits.
"""
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.operations import moving, places, server_state, shelving
from computesvc.operations.shelving import make_image, shut_down, undo_make_image, undo_shut_down
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server) -> str:
    """Mark and start: one transaction.  Raises InvalidState, ServerLocked."""
    at_once = context.service.conf.shelved_offload_time == 0

    def also(_, row):
        image = shelving.image_of(row, context.user_id, f'{row.name}-shelved', {}) if row.root_disk else None
        return {'was': row.vm_state, 'image': image, 'offload': at_once or not row.root_disk,
                'disks': shelving.on_host(row),
                'words': {'pending': shelving.PENDING, 'uploading': shelving.UPLOADING}}
    return server_state.begin(
        context, server, OPERATION, {}, action='shelve', also=also, task_state=shelving.SHELVING,
        event='compute_shelve_instance' if server.root_disk else 'compute_shelve_offload_instance',
        vm_states=[states.ACTIVE, states.STOPPED, states.PAUSED])


def begin(ctx, op):
    ctx.notify('shelve.start', op)
    return shelving.find_volumes(ctx, op)


def upload(ctx, op):
    """The image holds the root disk."""
    if op.params['image']:
        shelving.upload(ctx, op, op.params['disks']['root_disk']['path'])


def record_shelved(ctx, op):
    if not op.params['offload']:
        shelving.end(ctx, op, **shelving.shelved(ctx, op))
    else:
        swap(ctx.session, Server, op.params['server']['id'], {'task_state': shelving.BUSY, 'deleted_at': None},
             shelving.shelved(ctx, op, task_state=shelving.OFFLOADING, progress=0))
        # Those that began while the image was made: they would look for devices that now go.
        moving.hold_growths(ctx.session, op.params['server']['id'], op.notes['volumes'])
    ctx.notify('shelve.end', op)
    if op.params['offload']:
        ctx.notify('shelve_offload.start', op)


def leave_host(ctx, op):
    if op.params['offload']:
        shelving.leave_host(ctx, op)


def keep_volumes(ctx, op):
    if op.params['offload']:
        shelving.keep_volumes(ctx, op)


def record_offloaded(ctx, op):
    if op.params['offload']:
        shelving.record_offloaded(ctx, op)


OPERATION = Operation('shelve-server', version=1, withdraw=shelving.withdraw, steps=[
    Step(begin, at=places.CONDUCTOR, atomic=True),
    Step(shut_down, at=places.agent, undo=undo_shut_down),
    Step(make_image, at=places.CONDUCTOR, undo=undo_make_image),
    Step(upload, at=places.agent),
    NO_RETURN,
    Step(record_shelved, at=places.CONDUCTOR, atomic=True, forever=True),
    Step(leave_host, at=places.agent, forever=True),
    Step(keep_volumes, at=places.CONDUCTOR, forever=True),
    Step(record_offloaded, at=places.CONDUCTOR, atomic=True, forever=True),
])
