"""Confirm a move: the server stays where it is, with the size that it has; its old host is cleaned, when it can be."""
from computesvc import errors
from computesvc.db import actions, moves, states
from computesvc.db.models import Migration, Server
from computesvc.operations import leave_host, moving, places, server_state
from svckit import quota
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server) -> str:
    """Mark the move and start: one transaction; raises InvalidState, ServerLocked, BadRequest."""
    def also(session, row):
        return {'migration': take(session, row, moves.CONFIRMING).uuid}
    return server_state.begin(
        context, server, OPERATION, {}, action='confirmResize', event='compute_confirm_resize',
        vm_states=[states.RESIZED], task_state=None, also=also)


def take(session, server, status: str) -> Migration:
    """The move that waits for a word, which is `status` now; raises BadRequest."""
    found = moves.finished(session, server.id)
    if found is None or not moves.mark(session, found.uuid, moves.FINISHED, status):
        raise errors.BadRequest('Instance has not been resized.')
    return found


def settle(ctx, op):
    """What its size no longer needs of the quota is given back; another operation cleans the old host."""
    session, uuid = ctx.session, op.params['migration']
    ctx.notify('resize.confirm.start', op)
    row = session.get(Server, op.params['server']['id'])
    off = row.power_state in (states.SHUTDOWN, states.CRASHED)
    if row.old_flavor:
        quota.give(session, row.project_id, moves.surplus(row.old_flavor, row.flavor))
    swap(session, Server, row.id, {'deleted_at': None}, {
        'vm_state': states.STOPPED if off else states.ACTIVE, 'old_flavor': None, 'old_vm_state': None, 'fault': None})
    moves.change(session, uuid, moves.CONFIRMED)
    left = moving.leave(session, uuid, f'server:{row.id}', f'move:{uuid}', row.id)
    leave_host.begin(session, op, row, migration=uuid, host=moves.get(session, uuid).source_host, claim=left,
                     keep=moving.paths(row.root_disk, row.local_disks))
    actions.finish(session, op.subject)
    ctx.notify('resize.confirm.end', op)


OPERATION = Operation('confirm-resize', version=1, steps=[
    NO_RETURN,
    Step(settle, at=places.CONDUCTOR, atomic=True, forever=True),
])
