"""Let a paused server run on."""
from computesvc.db import states
from computesvc.host.base import RUNNING
from computesvc.operations import places, server_state
from svckit.operations import NO_RETURN, GoForward, Operation, Step


def request(context, server):
    return server_state.begin(context, server, OPERATION, {}, action='unpause', event='compute_unpause_instance',
                              vm_states=[states.PAUSED], task_state='unpausing')


def unpause(ctx, op):
    with ctx.turn(op.params['server']['id']):
        ctx.hypervisor.unpause(op.params['server']['id'])


def undo_unpause(ctx, op):
    if ctx.hypervisor.power_state(op.params['server']['id']) == RUNNING:
        raise GoForward('The guest is running.')


def record(ctx, op):
    server_state.end(ctx, op, vm_state=states.ACTIVE, power_state=states.RUNNING)
    ctx.notify('unpause', op)


OPERATION = Operation('unpause-server', version=1, withdraw=server_state.withdraw, steps=[
    Step(unpause, at=places.agent, undo=undo_unpause),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
