"""Revert a move: the server goes back to the host that it came from, with the size that it had.

Its volumes are what they are now; its local disks are those that stayed there, without
what was written since.  Until the guest is up there giving up leaves it where it is.
"""
from computesvc import errors
from computesvc.db import actions, moves, servers, services, states
from computesvc.db.models import Server
from computesvc.operations import confirm_resize, leave_host, moving, places, server_state
from svckit import quota
from svckit.db import swap, utcnow
from svckit.operations import NO_RETURN, NotYet, Operation, Step


def request(context, server) -> str:
    """Mark the server and the move and start: one transaction; raises InvalidState, ServerLocked, BadRequest, Conflict.

    Back at the old size it takes no more of the quota than it does now.
    """
    def also(session, row):
        migration = confirm_resize.take(session, row, moves.REVERTING)
        _check_hosts(session, context, row, migration.source_host)
        old = moves.earlier(row.old_flavor)
        return {'migration': migration.uuid, 'back': migration.source_host, 'node': migration.source_node,
                'same': migration.source_host == row.host, 'was': row.old_vm_state, 'power': row.power_state,
                'columns': old, 'old_server': server_state.facts(row, old['flavor']),
                'disks': moving.disks(row), 'old_disks': moving.disks(row) | {
                    'root_disk': old['root_disk'], 'local_disks': old['local_disks']}}
    return server_state.begin(
        context, server, OPERATION, {}, action='revertResize', event='compute_revert_resize',
        vm_states=[states.RESIZED], task_state=states.REVERTING, also=also)


def _check_hosts(session, context, server, back):
    """Better said now than waited for with the server in between."""
    for host, which in ((server.host, 'is on'), (back, 'came from')):
        found = services.find(session, host, services.AGENT)
        if not found or not services.up(*found[0], context.service.conf.service.down_time):
            raise errors.Conflict(f'Service is unavailable at this time: the host that instance {server.id} {which} '
                                  'does not answer.')


def withdraw(ctx, op):
    """It is where it was, and can be confirmed or reverted again."""
    id, reason = op.params['server']['id'], op.error or 'undone'
    moves.change(ctx.session, op.params['migration'], moves.FINISHED)
    servers.settle(ctx.session, id, states.REVERTING, vm_state=states.RESIZED, power_state=op.params['power'],
                   fault=servers.blame(reason))
    actions.finish(ctx.session, op.subject, reason)
    ctx.notify('resize.error', op)


def stuck(ctx, op):
    servers.fail(ctx.session, op.params['server']['id'], op.error or 'stuck', states.REVERTING)


def gather(ctx, op):
    """What the server has is at rest, and its volumes grow no more until it is back."""
    found = moving.volumes(ctx.session, op.params['server']['id'], op)
    moving.hold_growths(ctx.session, op.params['server']['id'], found)
    ctx.notify('resize.revert.start', op)
    return {'volumes': found, 'same': op.params['same']}


def ask_connector(ctx, op):
    return {'connector': ctx.devices.properties()}


def undo_shut_down(ctx, op):
    """The guest is as it was before, and runs again if it ran."""
    moving.bring_up(ctx, op.params['server'], op.params['disks'] | {'attachments': op.notes['volumes']}, {},
                    op.params['power'] == states.RUNNING)


def bring_back(ctx, op):
    """The guest is what it was before it moved, and runs if it ran then."""
    volumes = op.notes['volumes']
    devices = {v['volume_id']: op.notes['devices'][v['id']] for v in volumes}
    disks = op.params['old_disks'] | {'attachments': moving.moved(op, volumes)}
    moving.bring_up(ctx, op.params['old_server'], disks, devices, _ran(op))


def undo_bring_back(ctx, op):
    """The guest is off, and kept without volumes; on one and the same host undo_shut_down() makes it what it was."""
    id = op.params['server']['id']
    with ctx.turn(id):
        ctx.hypervisor.power_off(id, 0)
        for volume in op.notes['volumes']:
            ctx.hypervisor.detach_disk(id, volume['volume_id'])


def _ran(op):
    return op.params['was'] == states.ACTIVE


def record(ctx, op):
    """The server is where it runs, with the size that it had."""
    moving.record(ctx.session, op, op.notes['volumes'])
    swap(ctx.session, Server, op.params['server']['id'], {'deleted_at': None}, {
        'host': op.params['back'], 'node': op.params['node'], **op.params['columns'], 'launched_at': utcnow()})


def settle(ctx, op):
    """What the other size took of the quota is given back; another operation cleans the host that it came from."""
    session, uuid = ctx.session, op.params['migration']
    row = session.get(Server, op.params['server']['id'])
    if row.old_flavor:
        quota.give(session, row.project_id, moves.surplus(row.old_flavor, row.flavor))
    if not servers.settle(session, row.id, states.REVERTING, vm_state=op.params['was'], old_flavor=None,
                          power_state=states.RUNNING if _ran(op) else states.SHUTDOWN, old_vm_state=None, fault=None):
        raise NotYet(f'The server is no longer in {states.REVERTING}.')
    moves.change(session, uuid, moves.REVERTED)
    left = moving.leave(session, uuid, f'move:{uuid}', f'server:{row.id}', row.id)
    leave_host.begin(session, op, row, migration=uuid, host=op.params['host'], claim=left,
                     keep=moving.paths(row.root_disk, row.local_disks))
    actions.finish(session, op.subject)
    ctx.notify('resize.revert', op)


OPERATION = Operation('revert-resize', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(gather, at=places.CONDUCTOR, atomic=True),
    Step(ask_connector, at=places.back),
    Step(moving.make_connections, at=places.CONDUCTOR, undo=moving.undo_make_connections),
    Step(moving.shut_down, at=places.agent, undo=undo_shut_down),
    Step(moving.disconnect_source, at=places.agent, undo=moving.undo_disconnect_source),
    Step(moving.connect_devices, at=places.back, undo=moving.undo_connect_devices),
    Step(bring_back, at=places.back, undo=undo_bring_back),
    Step(moving.complete_volumes, at=places.CONDUCTOR),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
    Step(moving.release_source, at=places.CONDUCTOR, forever=True),
    Step(settle, at=places.CONDUCTOR, atomic=True, forever=True),
])
