"""Stop a server: its guest is asked, and cut off when it does not follow."""
from computesvc.db import states
from computesvc.host.base import SHUTDOWN
from computesvc.operations import places, server_state
from svckit.operations import NO_RETURN, GoForward, Operation, Step


def request(context, server):
    return server_state.begin(context, server, OPERATION, {}, action='stop', event='compute_stop_instance',
                              vm_states=[states.ACTIVE, states.ERROR], task_state='powering-off')


def power_off(ctx, op):
    with ctx.turn(op.params['server']['id']):
        ctx.hypervisor.power_off(op.params['server']['id'], ctx.conf.agent.shutdown_timeout)


def undo_power_off(ctx, op):
    """A guest that went off after all stays off."""
    if ctx.hypervisor.power_state(op.params['server']['id']) == SHUTDOWN:
        raise GoForward('The guest is off.')


def record(ctx, op):
    server_state.end(ctx, op, vm_state=states.STOPPED, power_state=states.SHUTDOWN)
    ctx.notify('power_off', op)


OPERATION = Operation('stop-server', version=1, withdraw=server_state.withdraw, steps=[
    Step(power_off, at=places.agent, undo=undo_power_off),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
