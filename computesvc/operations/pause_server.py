"""Pause a server: its processors stand still, its memory stays."""
from computesvc.db import states
from computesvc.host.base import PAUSED
from computesvc.operations import places, server_state
from svckit.operations import NO_RETURN, GoForward, Operation, Step


def request(context, server):
    return server_state.begin(context, server, OPERATION, {}, action='pause', event='compute_pause_instance',
                              vm_states=[states.ACTIVE], task_state='pausing')


def pause(ctx, op):
    with ctx.turn(op.params['server']['id']):
        ctx.hypervisor.pause(op.params['server']['id'])


def undo_pause(ctx, op):
    if ctx.hypervisor.power_state(op.params['server']['id']) == PAUSED:
        raise GoForward('The guest is paused.')


def record(ctx, op):
    server_state.end(ctx, op, vm_state=states.PAUSED, power_state=states.PAUSED_POWER)
    ctx.notify('pause', op)


OPERATION = Operation('pause-server', version=1, withdraw=server_state.withdraw, steps=[
    Step(pause, at=places.agent, undo=undo_pause),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
