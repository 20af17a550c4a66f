"""Resize a server, or migrate it: off at its host, up at another, with its volumes and its disks.

A migration is a resize to the same flavor on another host.  Until the guest is up at
the destination everything is still at the source, so giving up puts the server back
there as it was.  Afterwards its user looks at it (VERIFY_RESIZE), and confirms
(confirm_resize.py) or goes back (revert_resize.py); until then the source keeps the
guest, off, with its local disks and its room.
"""
from computesvc import errors
from computesvc.db import actions, attachments, claims, local_disks, moves, servers, services, states
from computesvc.db.models import Server
from computesvc.operations import destination, moving, places, server_state
from computesvc.volumes import GIB
from svckit import quota
from svckit.db import new_id, swap, utcnow
from svckit.operations import NO_RETURN, NotYet, Operation, Step

FROM = [states.ACTIVE, states.STOPPED]


def request(context, server, flavor: dict | None, *, host: str | None = None) -> str:
    """Take what more of the quota it needs, mark and start: one transaction.

    `flavor` as servers remember theirs, None for the one it has: a migration, perhaps to
    `host`.  Raises BadRequest, InvalidState, ServerLocked, OverQuota.
    """
    uuid, new, action = new_id(), flavor or server.flavor, 'resize' if flavor else 'migrate'
    server_state.check(context, server, action, FROM)
    _check_size(server, flavor)
    _check_hosts(context, server, host)
    conf = context.service.conf

    def also(session, row):
        moving.forget_abandoned(session, row.id)
        _take_quota(session, context, row, new)
        moves.begin(session, context, row, uuid, new['id'], moves.RESIZE if flavor else moves.MIGRATION)
        stay = conf.allow_resize_to_same_host and flavor is not None
        demand = claims.needs_of(new, bool(row.image_id)) | {'extra_specs': new.get('extra_specs') or {}}
        wish = destination.wish(f'move:{uuid}', row.id, demand, zone=row.availability_zone, host=host,
                                exclude=[] if stay else [row.host])
        return {'migration': uuid, 'wish': wish, 'new_flavor': new, 'new_server': server_state.facts(row, new),
                'was': row.vm_state, 'power': row.power_state, 'image_id': row.image_id,
                **_disks(session, row, new)}
    return server_state.begin(
        context, server, OPERATION, {}, action=action, event='cold_migrate',
        vm_states=FROM, task_state=states.PREPARING, also=also)


def _disks(session, row, flavor) -> dict:
    """What the server has beside its volumes, and which local disks it is to have with the flavor."""
    there = local_disks.all_of(row.root_disk, row.local_disks, row.root_device)
    taken = {attachment.device for attachment in attachments.of_server(session, row.id)}
    wanted = local_disks.with_flavor(there, row.flavor, flavor, taken)
    return {'disks': moving.disks(row), 'local': there, 'wanted': wanted}


def _check_size(server, flavor):
    if flavor is None:
        return
    if flavor['id'] == server.flavor['id']:
        raise errors.BadRequest('When resizing, instances must change flavor!')
    if flavor['ephemeral'] < server.ephemeral_gb:
        raise errors.CannotResizeDisk(f"its ephemeral disks of {server.ephemeral_gb} GiB cannot become "
                                      f"{flavor['ephemeral']} GiB.")
    if not server.image_id:
        return
    if flavor['disk'] == 0 and server.flavor['disk'] != 0:
        raise errors.CannotResizeDisk('Resize to zero disk flavor is not allowed.')
    held = max(server.root_gb * GIB, (server.root_disk or {}).get('size') or 0)
    if flavor['disk'] and flavor['disk'] * GIB < held:
        raise errors.CannotResizeDisk(f"its root disk of {held / GIB:g} GiB cannot become one of {flavor['disk']} GiB.")


def _check_hosts(context, server, wanted):
    """The server's host is up, and `wanted` another one that is known."""
    with context.db.reader() as session:
        known = {service.host: (service, age) for service, age in services.find(session, binary=services.AGENT)}
    if server.host and (server.host not in known
                        or not services.up(*known[server.host], context.service.conf.service.down_time)):
        raise errors.Conflict(f'Service is unavailable at this time: the host of instance {server.id} does not answer.')
    if wanted and wanted not in known:
        raise errors.BadRequest(f'Compute host {wanted} could not be found.')
    if wanted and wanted == server.host:
        raise errors.BadRequest('Cannot migrate to the host where the server exists.')


def _take_quota(session, context, row, new):
    """The more of both sizes is taken until it is known which remains."""
    held = {'cores': max(row.vcpus, new['vcpus']), 'ram': max(row.memory_mb, new['ram'])}
    now = servers.demand(row)
    quota.take(session, row.project_id, {name: held[name] - now[name] for name in held},
               quota.limits(session, row.project_id, context.service.quota_defaults))
    swap(session, Server, row.id, {}, {'old_flavor': moves.before(row, held), 'old_vm_state': row.vm_state,
                                       'progress': 0})


def withdraw(ctx, op):
    """The server is as it was, with the reason as its fault; one that is being deleted gives its quota back then."""
    session, id, reason = ctx.session, op.params['server']['id'], op.error or 'undone'
    moves.change(session, op.params['migration'], moves.ERROR)
    claims.release(session, f"move:{op.params['migration']}")
    row = session.get(Server, id)
    old, deleting = row.old_flavor, row.deleted_at or row.task_state == 'deleting'
    if old and not deleting:
        quota.give(session, row.project_id, moves.surplus(old, row.flavor))
        swap(session, Server, id, {}, {
            'task_state': None, 'vm_state': op.params['was'], 'power_state': op.params['power'], 'old_flavor': None,
            'old_vm_state': None, 'progress': 0, 'fault': servers.blame(reason)})
    actions.finish(session, op.subject, reason)
    ctx.notify('resize.error', op)


def stuck(ctx, op):
    """Not here and not there: an operator has to look.  It goes on from where it is when retried."""
    row = ctx.session.get(Server, op.params['server']['id'])
    servers.fail(ctx.session, row.id, op.error or 'stuck', row.task_state)


# ------------------------------------------------------------------ where to

def schedule(ctx, op):
    """Room is claimed on another host; what the server has is at rest."""
    id = op.params['server']['id']
    found, wish = moving.volumes(ctx.session, id, op), op.params['wish']
    left = moving.uncleaned(ctx.session, id, op, ctx.conf.service.down_time)
    notes = destination.first(ctx, _wish(op, found) | {'exclude': [*wish['exclude'], *left]}) | {'volumes': found}
    ctx.notify('resize.prep.start', op)
    return notes | _chosen(ctx, op, notes)


def _wish(op, found):
    wish = op.params['wish']
    return wish | {'demand': wish['demand'] | {'protocols': moving.protocols(found)}}


def _chosen(ctx, op, notes):
    moves.change(ctx.session, op.params['migration'], moves.PREPARING, dest_host=notes['host'], dest_node=notes['node'])
    actions.advance(ctx.session, op.subject, 'compute_prep_resize', notes['host'])
    return {'same': notes['host'] == op.params['host']}


def check_destination(ctx, op):
    return destination.check(ctx, op, _wish(op, op.notes['volumes'])['demand'])


def schedule_second(ctx, op):
    """The host refused: the next one."""
    notes = destination.again(ctx, op, _wish(op, op.notes['volumes']))
    return notes and notes | _chosen(ctx, op, notes)


def check_second(ctx, op):
    return check_destination(ctx, op)


def schedule_third(ctx, op):
    return schedule_second(ctx, op)


def check_third(ctx, op):
    return check_destination(ctx, op)


def begin(ctx, op):
    """The host is found; the server's volumes grow no more until it is there."""
    destination.last(op)
    _step(ctx, op, states.PREPARING, states.MIGRATING)
    moves.change(ctx.session, op.params['migration'], moves.MIGRATING)
    moving.hold_growths(ctx.session, op.params['server']['id'], op.notes['volumes'])
    actions.advance(ctx.session, op.subject, 'compute_resize_instance', op.params['host'])
    ctx.notify('resize.prep.end', op)
    ctx.notify('resize.start', op)


def _step(ctx, op, was, becomes):
    if not swap(ctx.session, Server, op.params['server']['id'], {'task_state': was, 'deleted_at': None},
                {'task_state': becomes}):
        raise NotYet(f'The server is no longer in {was}.')


# ------------------------------------------------------------------ away from the source

def undo_shut_down(ctx, op):
    """The guest is as it was, and runs again if it ran."""
    moving.bring_up(ctx, op.params['server'], op.params['disks'] | {'attachments': op.notes['volumes']}, {}, _ran(op))


def _ran(op):
    return op.params['was'] == states.ACTIVE


def _disks_at(place):
    """Without local disks their steps are done where the operation just is."""
    return lambda op: place(op) if op.params['local'] or op.params['wanted'] else places.source(op)


def export_disks(ctx, op):
    """The destination can read the server's local disks, and nobody else."""
    if op.params['local'] or op.params['wanted']:
        return ctx.local_disks.export(op.params['server']['id'], op.params['local'], op.params['migration'])


def undo_export_disks(ctx, op):
    ctx.local_disks.end_export(op.params['migration'])


def pull_disks(ctx, op):
    """The local disks are at the destination too, as large as the flavor says."""
    if op.params['local'] or op.params['wanted']:
        return ctx.local_disks.pull(op.params['server']['id'], op.params['migration'], op.notes, op.params['wanted'],
                                    ctx.progress(op))


def undo_pull_disks(ctx, op):
    ctx.local_disks.remove_pulled(op.params['server']['id'], op.params['migration'])


def end_export(ctx, op):
    ctx.local_disks.end_export(op.params['migration'])
    return {'exports': [], 'secret_key': None}


def migrated(ctx, op):
    """Nothing more is wanted of the source."""
    _step(ctx, op, states.MIGRATING, states.MIGRATED)
    moves.change(ctx.session, op.params['migration'], moves.HANDED_OVER)
    actions.advance(ctx.session, op.subject, 'compute_finish_resize', op.notes['host'])
    ctx.notify('resize.end', op)


# ------------------------------------------------------------------ up at the destination

def finish(ctx, op):
    _step(ctx, op, states.MIGRATED, states.FINISHING)
    ctx.notify('finish_resize.start', op)


def spawn(ctx, op):
    """The guest is defined with its new size, and runs if it ran before."""
    volumes = op.notes['volumes']
    devices = {v['volume_id']: op.notes['devices'][v['id']] for v in volumes}
    disks = op.params['disks'] | _pulled(op) | {'attachments': moving.moved(op, volumes)}
    moving.bring_up(ctx, op.params['new_server'], disks, devices, _ran(op))


def _pulled(op):
    return {name: op.notes.get(name) for name in ('root_disk', 'local_disks')}


def undo_spawn(ctx, op):
    """On the server's own host it is only off: undo_shut_down() gives it its old size again."""
    id = op.params['server']['id']
    with ctx.turn(id):
        if op.notes['same']:
            ctx.hypervisor.power_off(id, 0)
        else:
            ctx.hypervisor.undefine(id)


def record(ctx, op):
    """The server is where it runs, with the size that it has there."""
    moving.record(ctx.session, op, op.notes['volumes'])
    swap(ctx.session, Server, op.params['server']['id'], {'deleted_at': None}, {
        'host': op.notes['host'], 'node': op.notes['node'], 'launched_at': utcnow(), 'progress': 0,
        **moves.size(op.params['new_flavor'], bool(op.params['image_id'])), **_pulled(op)})


def settle(ctx, op):
    """Its user may look at it, and confirm or revert."""
    servers.settle(ctx.session, op.params['server']['id'], states.FINISHING, vm_state=states.RESIZED, fault=None,
                   power_state=states.RUNNING if _ran(op) else states.SHUTDOWN)
    moves.change(ctx.session, op.params['migration'], moves.FINISHED, updated_at=utcnow())
    actions.finish(ctx.session, op.subject)
    ctx.notify('finish_resize.end', op)


OPERATION = Operation('resize-server', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(schedule, at=places.CONDUCTOR, atomic=True),
    Step(check_destination, at=places.found_agent),
    Step(schedule_second, at=places.CONDUCTOR, atomic=True),
    Step(check_second, at=destination.checking),
    Step(schedule_third, at=places.CONDUCTOR, atomic=True),
    Step(check_third, at=destination.checking),
    Step(begin, at=places.CONDUCTOR, atomic=True),
    Step(moving.make_connections, at=places.CONDUCTOR, undo=moving.undo_make_connections),
    Step(moving.shut_down, at=places.source, undo=undo_shut_down),
    Step(moving.disconnect_source, at=places.source, undo=moving.undo_disconnect_source),
    Step(export_disks, at=places.source, undo=undo_export_disks),
    Step(pull_disks, at=_disks_at(places.found_agent), undo=undo_pull_disks),
    Step(end_export, at=places.source),
    Step(migrated, at=places.CONDUCTOR, atomic=True),
    Step(moving.connect_devices, at=places.found_agent, undo=moving.undo_connect_devices),
    Step(finish, at=places.CONDUCTOR, atomic=True),
    Step(spawn, at=places.found_agent, undo=undo_spawn),
    Step(moving.complete_volumes, at=places.CONDUCTOR),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
    Step(moving.release_source, at=places.CONDUCTOR, forever=True),
    Step(settle, at=places.CONDUCTOR, atomic=True, forever=True),
])
