"""Start a stopped server, on its devices as large as they are now."""
from computesvc.db import attachments, states
from computesvc.host.base import RUNNING
from computesvc.operations import places, server_state
from svckit.operations import NO_RETURN, GoForward, Operation, Step


def request(context, server):
    return server_state.begin(context, server, OPERATION, {'disks': disks(context, server)}, action='start',
                              event='compute_start_instance', vm_states=[states.STOPPED], task_state='powering-on')


def again(context, server):
    """Its host went down with it, and is up again: it runs, whether its move is to be confirmed or not."""
    return server_state.begin(
        context, server, OPERATION, {'disks': disks(context, server), 'vm_state': server.vm_state}, action='start',
        event='compute_start_instance', vm_states=[states.ACTIVE, states.RESIZED], task_state='powering-on')


def disks(context, server) -> dict:
    """The server's disks, as parameters of an operation that may have to bring them back."""
    with context.db.reader() as session:
        found = attachments.of_server(session, server.id)
    return {'root_disk': server.root_disk, 'local_disks': server.local_disks, 'networks': server.networks,
            'attachments': [attachments.view(a) for a in found if a.state == 'attached']}


def power_on(ctx, op):
    """After a restart of the host its devices come first."""
    server = op.params['server']
    with ctx.turn(server['id']):
        ctx.define(server, op.params['disks'])
        ctx.hypervisor.power_on(server['id'])


def undo_power_on(ctx, op):
    """A guest that came up after all stays up."""
    if ctx.hypervisor.power_state(op.params['server']['id']) == RUNNING:
        raise GoForward('The guest runs.')


def record(ctx, op):
    server_state.end(ctx, op, vm_state=op.params.get('vm_state', states.ACTIVE), power_state=states.RUNNING)
    ctx.notify('power_on', op)


OPERATION = Operation('start-server', version=1, withdraw=server_state.withdraw, steps=[
    Step(power_on, at=places.agent, undo=undo_power_on),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
