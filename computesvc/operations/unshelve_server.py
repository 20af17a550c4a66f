"""Unshelve a server that is on no host: it gets one, its disks and its volumes, and runs there.

Given up, it is as before: its volumes on no host, its image kept, no room held.
"""
from computesvc import errors
from computesvc.db import attachments, claims, states
from computesvc.db.models import Server
from computesvc.operations import destination, drop_image, places, server_state, shelving
from computesvc.operations.boot_server import (
    complete_volumes,
    connect_devices,
    fetch_image,
    undo_connect_devices,
    undo_fetch_image,
    undo_spawn,
)
from computesvc.volumes import GIB
from svckit.db import swap, utcnow
from svckit.operations import NO_RETURN, NotYet, Operation, Refused, Step

UNSETTLED = ('creating', 'downloading', 'extending')


def request(context, server, *, zone: str | None, host: str | None = None) -> str:
    """Mark and start: one transaction; `zone` is where it may run from now on.  Raises InvalidState, ServerLocked."""
    def also(session, row):
        found = attachments.of_server(session, row.id)
        if any(a.state != 'attached' for a in found):
            raise errors.Conflict(f'A volume of instance {row.id} is being attached or detached.')
        demand = claims.needs(row) | {'extra_specs': row.flavor.get('extra_specs') or {}}
        return {'attachments': [attachments.view(a) for a in found], 'image_id': row.shelved_image_id,
                'root_bytes': row.root_gb * GIB, 'networks': row.networks, 'local_disks': row.local_disks or [],
                'zone': zone,
                'wish': destination.wish(claims.key(row.id), row.id, demand, zone=zone, host=host)}
    return server_state.begin(
        context, server, OPERATION, {}, action='unshelve', event='compute_unshelve_instance', also=also,
        vm_states=[states.OFFLOADED], task_state=shelving.UNSHELVING)


def withdraw(ctx, op):
    id = op.params['server']['id']
    claims.release(ctx.session, claims.key(id))
    swap(ctx.session, Server, id, {'deleted_at': None, 'task_state': shelving.UNSHELVING}, {'host': None, 'node': None})
    shelving.withdraw(ctx, op)
    ctx.notify('unshelve.error', op)


def schedule(ctx, op):
    """The server has a host that is up, and holds the room there that it needs."""
    notes = destination.first(ctx, op.params['wish'])
    ctx.notify('unshelve.start', op)
    return _settled(ctx, op, notes)


def check_host(ctx, op):
    return destination.check(ctx, op, op.params['wish']['demand'])


def schedule_second(ctx, op):
    """The host refused: the next one."""
    return _settled(ctx, op, destination.again(ctx, op, op.params['wish']))


def check_second(ctx, op):
    return check_host(ctx, op)


def _settled(ctx, op, notes):
    where = notes and {'host': notes['host'], 'node': notes['node']}
    if where and not swap(ctx.session, Server, op.params['server']['id'], {'task_state': shelving.UNSHELVING}, where):
        raise NotYet('The server is being deleted.')
    return notes


def make_connections(ctx, op):
    """Each volume is exported to the host by the attachment that kept it for the server."""
    destination.last(op)
    notes = {'attachment_ids': {}, 'connections': {}, 'sizes': {}}
    for attachment in op.params['attachments']:
        volume = ctx.volumes.get(attachment['volume_id'])
        if volume is None or not attachment['attachment_id']:
            raise Refused(f"Volume {attachment['volume_id']} is gone.")
        if volume['status'] in UNSETTLED:
            raise NotYet(f"Volume {attachment['volume_id']} is {volume['status']}.", 0.3)
        connector = op.notes['connector'] | {'mountpoint': attachment['device']}
        connection = ctx.volumes.connect(attachment['attachment_id'], connector)
        connection['multiattach'] = bool(volume.get('multiattach'))
        _known(ctx, attachment['id'], connection_info=connection)      # should the server be deleted meanwhile
        notes['attachment_ids'][attachment['id']] = attachment['attachment_id']
        notes['connections'][attachment['id']] = connection
        notes['sizes'][attachment['id']] = volume['size'] * GIB
    return notes


def _known(ctx, id, **values):
    ctx.db.run(lambda session: attachments.change(session, id, **values))


def undo_make_connections(ctx, op):
    for attachment in op.params['attachments']:
        if attachment['attachment_id']:
            shelving.reserve_anew(ctx, attachment)


def spawn(ctx, op):
    """The guest is defined on its devices as they are now, and runs."""
    plugged = [a | {'connection_info': op.notes['connections'][a['id']], 'size': op.notes['sizes'][a['id']]}
               for a in op.params['attachments']]
    disks = {'attachments': plugged, 'networks': op.params['networks'], 'root_disk': op.notes.get('root_disk'),
             'local_disks': op.notes.get('local_disks')}
    with ctx.turn(op.params['server']['id']):
        ctx.define(op.params['server'], disks)
        ctx.hypervisor.power_on(op.params['server']['id'])


def record(ctx, op):
    """The server runs; the image it was shelved as is needless."""
    id, notes = op.params['server']['id'], op.notes
    for attachment in op.params['attachments']:
        device, size = notes['devices'][attachment['id']], notes['sizes'][attachment['id']]
        attachments.change(ctx.session, attachment['id'], path=device['path'], path_type=device['type'], size=size)
    drop_image.begin(ctx.session, op, ctx.session.get(Server, id).shelved_image_id)
    shelving.end(ctx, op, vm_state=states.ACTIVE, power_state=states.RUNNING, launched_at=utcnow(),
                 root_disk=notes.get('root_disk'), local_disks=notes.get('local_disks'), shelved_at=None,
                 shelved_image_id=None, availability_zone=op.params['zone'])
    ctx.notify('unshelve.end', op)


OPERATION = Operation('unshelve-server', version=1, withdraw=withdraw, steps=[
    Step(schedule, at=places.CONDUCTOR, atomic=True),
    Step(check_host, at=places.found_agent),
    Step(schedule_second, at=places.CONDUCTOR, atomic=True),
    Step(check_second, at=destination.checking),
    Step(make_connections, at=places.CONDUCTOR, undo=undo_make_connections),
    Step(fetch_image, at=places.found_agent, undo=undo_fetch_image),
    Step(connect_devices, at=places.found_agent, undo=undo_connect_devices),
    Step(spawn, at=places.found_agent, undo=undo_spawn),
    Step(complete_volumes, at=places.CONDUCTOR),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
