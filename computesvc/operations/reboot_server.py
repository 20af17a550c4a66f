"""Reboot a server: soft asks the guest, hard takes its power and builds it anew."""
from computesvc.db import states
from computesvc.operations import places, server_state
from computesvc.operations.start_server import disks
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server, hard: bool):
    allowed = [states.ACTIVE, states.STOPPED, states.PAUSED, states.ERROR] if hard else [states.ACTIVE]
    return server_state.begin(
        context, server, OPERATION, {'hard': hard, 'disks': disks(context, server)}, action='reboot',
        event='compute_reboot_instance', vm_states=allowed, task_state='rebooting_hard' if hard else 'rebooting')


def reboot(ctx, op):
    server = op.params['server']
    with ctx.turn(server['id']):
        if op.params['hard']:
            ctx.hypervisor.power_off(server['id'], 0)
            ctx.define(server, op.params['disks'])
        ctx.hypervisor.reboot(server['id'], op.params['hard'])


def record(ctx, op):
    server_state.end(ctx, op, vm_state=states.ACTIVE, power_state=states.RUNNING, fault=None)
    ctx.notify('reboot', op)


OPERATION = Operation('reboot-server', version=1, withdraw=server_state.withdraw, steps=[
    Step(reboot, at=places.agent),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
