"""Take a shelved server off its host, which then has room for others."""
from computesvc.db import states
from computesvc.operations import places, server_state, shelving
from computesvc.operations.shelving import keep_volumes, leave_host, record_offloaded
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server) -> str:
    """Mark and start: one transaction.  Raises InvalidState, ServerLocked."""
    def also(_, row):
        return {'disks': shelving.on_host(row)}
    return server_state.begin(
        context, server, OPERATION, {}, action='shelveOffload', event='compute_shelve_offload_instance', also=also,
        vm_states=[states.SHELVED], task_state=shelving.OFFLOADING)


def begin(ctx, op):
    ctx.notify('shelve_offload.start', op)
    return shelving.find_volumes(ctx, op)


OPERATION = Operation('offload-server', version=1, withdraw=shelving.withdraw, steps=[
    Step(begin, at=places.CONDUCTOR, atomic=True),
    NO_RETURN,
    Step(leave_host, at=places.agent, forever=True),
    Step(keep_volumes, at=places.CONDUCTOR, forever=True),
    Step(record_offloaded, at=places.CONDUCTOR, atomic=True, forever=True),
])
