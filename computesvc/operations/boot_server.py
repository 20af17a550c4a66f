"""Boot a new server: from volumes, from an image, or both.

Undone from wherever it fails, so that no volume stays reserved and no half domain
stays on a host; the server itself remains, in ERROR, with the reason as its fault.
"""
from computesvc.db import actions, attachments, claims, servers, states
from computesvc.db.models import Attachment, Server
from computesvc.operations import destination, places, server_state
from computesvc.volumes import GIB
from svckit import operations, quota
from svckit.db import swap, utcnow
from svckit.operations import NO_RETURN, NotYet, Operation, Refused, Step


def request(context, new: list[tuple[Server, list[Attachment]]], *, wanted_host=None, wanted_node=None) -> None:
    """Take the quota, insert the servers with their volumes and start: one transaction; raises OverQuota."""
    def work(session):
        total = {}
        for server, _ in new:
            for resource, amount in servers.demand(server).items():
                total[resource] = total.get(resource, 0) + amount
        limits = quota.limits(session, context.project_id, context.service.quota_defaults)
        quota.take(session, context.project_id, total, limits)
        for server, disks in new:
            _begin(session, context, server, disks, wanted_host, wanted_node)
    context.db.run(work)


def _begin(session, context, server, disks, wanted_host, wanted_node):
    session.merge(server)
    session.flush()
    for attachment in disks:
        session.merge(attachment)
    session.flush()
    subject = f'server:{server.id}'
    actions.begin(session, context, server, 'create', 'compute__do_build_and_run_instance', subject)
    operations.start(
        session, OPERATION, subject=subject, project_id=server.project_id, user_id=context.user_id,
        request_id=context.request_id,
        params={'server': server_state.facts(server), 'attachments': [attachments.view(a) for a in disks],
                'image_id': server.image_id, 'root_bytes': server.root_gb * GIB, 'networks': server.networks,
                'local_disks': server.local_disks or [],
                'wish': _where(server, wanted_host, wanted_node)})


def _where(server, host, node):
    demand = claims.needs(server) | {'extra_specs': server.flavor.get('extra_specs') or {}}
    return destination.wish(claims.key(server.id), server.id, demand, zone=server.availability_zone, host=host,
                            node=node)


def withdraw(ctx, op):
    """The server stays in ERROR, on no host and with no volume, until its user deletes it."""
    id = op.params['server']['id']
    attachments.forget(ctx.session, id)
    claims.release_server(ctx.session, id)
    servers.fail(ctx.session, id, op.error or 'The server could not be started.', None,
                 host=None, node=None, root_disk=None)
    actions.finish(ctx.session, op.subject, op.error or 'undone')
    ctx.notify('create.error', op)


def stuck(ctx, op):
    servers.fail(ctx.session, op.params['server']['id'], op.error or 'stuck', 'block_device_mapping')


def _wish(op):
    """Version 1 had its parts only."""
    server = op.params['server']
    return op.params.get('wish') or destination.wish(
        claims.key(server['id']), server['id'], zone=op.params['zone'], host=op.params['wanted_host'],
        node=op.params['wanted_node'], demand={'vcpus': server['vcpus'], 'memory_mb': server['memory_mb'],
                                               'disk_gb': op.params['root_bytes'] // GIB})


def schedule(ctx, op):
    """The server has a host that is up, and holds the room there that it needs."""
    notes = destination.first(ctx, _wish(op))
    if not swap(ctx.session, Server, op.params['server']['id'], {'task_state': 'scheduling'},
                {'host': notes['host'], 'node': notes['node'], 'task_state': 'block_device_mapping'}):
        raise NotYet('The server is being deleted.')
    ctx.notify('create.start', op)
    return notes


def check_host(ctx, op):
    return destination.check(ctx, op, _wish(op)['demand'])


def _reschedule(ctx, op):
    notes = destination.again(ctx, op, _wish(op))
    if notes and not swap(ctx.session, Server, op.params['server']['id'], {'task_state': 'block_device_mapping'},
                          {'host': notes['host'], 'node': notes['node']}):
        raise NotYet('The server is being deleted.')
    return notes


def schedule_second(ctx, op):
    """The host refused: the next one."""
    return _reschedule(ctx, op)


def check_second(ctx, op):
    return check_host(ctx, op)


def schedule_third(ctx, op):
    return _reschedule(ctx, op)


def check_third(ctx, op):
    return check_host(ctx, op)


def reserve_volumes(ctx, op):
    """Each volume is there and this server's."""
    ids, shared = {}, []
    for attachment in op.params['attachments']:
        volume = ctx.volumes.get(attachment['volume_id'])
        if volume is None or volume['status'].startswith('error'):
            raise Refused(f"Volume {attachment['volume_id']} could not be made ready for the server.")
        if volume['status'] in ('creating', 'downloading', 'extending'):
            raise NotYet(f"Volume {attachment['volume_id']} is {volume['status']}.", 0.3)
        id = ids[attachment['id']] = ctx.volumes.reserve(attachment['volume_id'], attachment['server_id'])
        shared += [attachment['id']] if volume.get('multiattach') else []
        change = {'attachment_id': id, 'size': volume['size'] * GIB}
        ctx.db.run(lambda session, of=attachment['id'], change=change: attachments.change(session, of, **change))
    return {'attachment_ids': ids, 'multiattach': shared}


def undo_reserve_volumes(ctx, op):
    ids = op.notes.get('attachment_ids', {})
    for attachment in op.params['attachments']:
        ctx.volumes.release(attachment['volume_id'], attachment['server_id'], ids.get(attachment['id']))


def ask_connector(ctx, op):
    return {'connector': ctx.devices.properties()}


def make_connections(ctx, op):
    destination.last(op)
    connections = {}
    for attachment in op.params['attachments']:
        connector = op.notes['connector'] | {'mountpoint': attachment['device']}
        connection = ctx.volumes.connect(op.notes['attachment_ids'][attachment['id']], connector)
        connection['multiattach'] = attachment['id'] in op.notes.get('multiattach', ())
        connections[attachment['id']] = connection
    return {'connections': connections}


def fetch_image(ctx, op):
    """The server's own disks are there: of an image, its data as the root, as large as the flavor says; and blank ones.
    """
    id, notes = op.params['server']['id'], {}
    if op.params['image_id']:
        notes['root_disk'] = ctx.local_disks.make_root(id, op.params['image_id'], op.params['root_bytes'])
    if blanks := op.params.get('local_disks'):
        notes['local_disks'] = ctx.local_disks.make_blanks(id, blanks)
    return notes


def undo_fetch_image(ctx, op):
    ctx.local_disks.remove(op.params['server']['id'])


def connect_devices(ctx, op):
    return {'devices': {a['id']: ctx.devices.connect(a['volume_id'], op.notes['connections'][a['id']])
                        for a in op.params['attachments']}}


def undo_connect_devices(ctx, op):
    for a in op.params['attachments']:
        if connection := op.notes.get('connections', {}).get(a['id']):
            ctx.devices.disconnect(a['volume_id'], connection, op.notes.get('devices', {}).get(a['id']))


def spawn(ctx, op):
    """The guest is defined and runs."""
    server, notes = op.params['server'], op.notes
    plugged = op.params['attachments']
    wanted = {a['volume_id']: (notes['connections'][a['id']], notes['devices'][a['id']]) for a in plugged}
    with ctx.turn(server['id']), ctx.devices.held(wanted) as devices:
        disks = [attachments.disk(a, devices[a['volume_id']], notes['connections'][a['id']]) for a in plugged]
        ctx.hypervisor.define(server, ctx.plugs(server['id'], notes) + disks,
                              ctx.nics(server['id'], op.params['networks']))
        ctx.hypervisor.power_on(server['id'])


def undo_spawn(ctx, op):
    with ctx.turn(op.params['server']['id']):
        ctx.hypervisor.undefine(op.params['server']['id'])


def complete_volumes(ctx, op):
    for id in op.notes['attachment_ids'].values():
        ctx.volumes.complete(id)


def record(ctx, op):
    id, notes = op.params['server']['id'], op.notes
    for attachment in op.params['attachments']:
        device = notes['devices'][attachment['id']]
        attachments.change(ctx.session, attachment['id'], state='attached', path=device['path'],
                           path_type=device['type'], connection_info=notes['connections'][attachment['id']])
    servers.settle(ctx.session, id, 'block_device_mapping', vm_state=states.ACTIVE, power_state=states.RUNNING,
                   fault=None, launched_at=utcnow(), root_disk=notes.get('root_disk'),
                   local_disks=notes.get('local_disks'))
    actions.finish(ctx.session, op.subject)
    ctx.notify('create', op)


_BEFORE = [
    Step(schedule, at=places.CONDUCTOR, atomic=True),
    Step(reserve_volumes, at=places.CONDUCTOR, undo=undo_reserve_volumes),
]
_AFTER = [
    Step(make_connections, at=places.CONDUCTOR),
    Step(fetch_image, at=places.found_agent, undo=undo_fetch_image),
    Step(connect_devices, at=places.found_agent, undo=undo_connect_devices),
    Step(spawn, at=places.found_agent, undo=undo_spawn),
    Step(complete_volumes, at=places.CONDUCTOR),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
]
OPERATION = Operation('boot-server', version=2, withdraw=withdraw, stuck=stuck, steps=[
    *_BEFORE,
    Step(check_host, at=places.found_agent),
    Step(schedule_second, at=places.CONDUCTOR, atomic=True),
    Step(check_second, at=destination.checking),
    Step(schedule_third, at=places.CONDUCTOR, atomic=True),
    Step(check_third, at=destination.checking),
    *_AFTER,
])
OLD = [Operation('boot-server', version=1, withdraw=withdraw, stuck=stuck, steps=[
    *_BEFORE, Step(ask_connector, at=places.found_agent), *_AFTER])]
