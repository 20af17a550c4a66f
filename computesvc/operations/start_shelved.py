"""Unshelve a server that is still on its host: it starts there, and its image is not needed any more."""
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.operations import drop_image, places, server_state, shelving
from computesvc.operations.start_server import disks, power_on, undo_power_on
from svckit.db import utcnow
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server) -> str:
    """Mark and start: one transaction.  Raises InvalidState, ServerLocked."""
    return server_state.begin(
        context, server, OPERATION, {'disks': disks(context, server)}, action='unshelve',
        event='compute_unshelve_instance', vm_states=[states.SHELVED], task_state=shelving.UNSHELVING)


def record(ctx, op):
    drop_image.begin(ctx.session, op, ctx.session.get(Server, op.params['server']['id']).shelved_image_id)
    shelving.end(ctx, op, vm_state=states.ACTIVE, power_state=states.RUNNING, launched_at=utcnow(), shelved_at=None,
                 shelved_image_id=None)
    ctx.notify('unshelve.end', op)


OPERATION = Operation('start-shelved', version=1, withdraw=shelving.withdraw, steps=[
    Step(power_on, at=places.agent, undo=undo_power_on),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
