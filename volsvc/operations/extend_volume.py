"""Grow a volume, and every guest disk that shows it."""
import logging

from svckit import operations, quota
from svckit.db import swap
from svckit.operations import NO_RETURN, GoForward, Operation, Refused, Step
from svckit.peer import NoAnswer, Refusal
from volsvc import errors, notify
from volsvc.db import attachments, claims, limits, messages, usage, volumes
from volsvc.db.models import Volume
from volsvc.drivers import base as drivers
from volsvc.operations import places, tell_server
from volsvc.scheduling import backends

LOG = logging.getLogger(__name__)
GIB = volumes.GIB
IN_USE_SINCE = (3, 42)
STATUSES = ('available', 'in-use', 'error_extending')


# ------------------------------------------------------------------ the request

def request(context, volume, new_size: int) -> None:
    """Check, mark 'extending', take room and quota, and start: one transaction.  `new_size` is GiB.

    The volume was looked up, and the caller may do this to it.
    """
    in_use = _check_status(context, volume)
    if new_size * GIB <= volume.size:
        raise errors.NotGreater(volume.size // GIB, new_size)
    backend = context.service.backend_of(volume.host)
    with context.db.reader() as session:
        allowed = quota.limits(session, volume.project_id, limits.defaults(context.service.conf))
    if in_use and backend and not backend.capabilities['online_extend']:
        raise errors.NoOnlineExtend(volume.id, backend.capabilities['driver'])
    _check_type(volume, new_size)
    largest = allowed['per_volume_gigabytes']
    if 0 <= largest < new_size:
        raise errors.VolumeTooLarge(new_size, largest)
    context.db.run(lambda session: _begin(session, context, volume, new_size * GIB, in_use, allowed, backend))


def _check_status(context, volume) -> bool:
    """True if servers use the volume."""
    in_use = any(attachment.attach_status == 'attached' for attachment in volume.attachments)
    if volume.status not in STATUSES:
        raise errors.InvalidStatus(volume.id, 'extended', STATUSES, volume.status)
    in_use = in_use or volume.status == 'in-use'
    if in_use and context.version is not None and context.version < IN_USE_SINCE:
        raise errors.ExtendInUse(volume.id)
    return in_use


def _check_type(volume, new_size):
    if volume.type is None:
        return
    smallest, largest = backends.size_limits(volume.type.extra_specs)
    if largest is not None and new_size > largest:
        raise errors.BadRequest(f'Volume type {volume.type.name} allows at most {largest} GiB, not {new_size}.')
    if smallest is not None and new_size < smallest:
        raise errors.BadRequest(f'Volume type {volume.type.name} asks for at least {smallest} GiB, not {new_size}.')


def _begin(session, context, volume, size, in_use, allowed, backend):
    if volume.status == 'error_extending':
        give_up_stuck(session, volume.id)
    if not swap(session, Volume, volume.id, {'status': volume.status, 'size': volume.size},
                {'status': 'extending', 'previous_status': volume.status}):
        now = volumes.get(session, volume.id)
        raise errors.InvalidStatus(volume.id, 'extended', STATUSES, now.status)
    growth = size - volume.size
    if not backends.claim(session, backend, volume.host, growth):
        raise errors.BackendFull(volume.id, growth // GIB)
    amounts = usage.of_volumes(volume.volume_type_id, growth, 0)
    operations.start(
        session, OPERATION, subject=f'volume:{volume.id}', project_id=volume.project_id, user_id=context.user_id,
        request_id=context.request_id, first=0 if in_use else 1,
        params={'volume_id': volume.id, 'host': volume.host, 'in_use': in_use, 'old_size': volume.size, 'size': size,
                'quota': amounts})
    usage.take(session, volume.project_id, volume.type, amounts, allowed)
    notify.volume(session, context.service.messaging, 'resize.start', volume, context, status='extending')


def give_up_stuck(session, volume_id: str) -> None:
    """A stuck operation makes way for what is asked now; what an extend held of quota and room goes back."""
    op = operations.live(session, f'volume:{volume_id}', for_update=True)
    if op and op.state == 'stuck':
        operations.cancel(session, op.subject, 'Its volume was asked for something else.')
        give_back(session, op)


def give_back(session, op) -> None:
    """For an extend that ends where it stands; once the size is recorded, quota and room are the volume's."""
    if op.name == OPERATION.name and op.position < OPERATION.no_return:
        claims.release(session, op.params['host'], claims.growth(op.params))
        quota.give(session, op.project_id, op.params['quota'])


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """Give back what request() took.

    Refused: the volume is as it was.  Failed: it is error_extending, from where its
    owner can ask again; its data and size are as before.
    """
    claims.release(ctx.session, op.params['host'], claims.growth(op.params))
    quota.give(ctx.session, op.project_id, op.params['quota'])
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    if volume.status in ('extending', 'error_extending'):
        volume.status = _status_before(volume) if op.refused else 'error_extending'
        volume.previous_status = None
    size = op.params['size'] // GIB
    of_server = op.refused and op.params['in_use'] and not op.notes.get('servers_asked')
    messages.add(ctx.session, op, messages.EXTEND_TELL if of_server else messages.EXTEND,
                 f'The volume was not extended to {size} GiB and keeps its size: {op.error}', ctx.conf.message_ttl)
    notify.volume(ctx.session, ctx.messaging, 'resize.error', volume, op)


def _status_before(volume) -> str:
    before = volume.previous_status or 'available'
    return volumes.at_rest(volume.attachments) if before in volumes.AT_REST else before


def stuck(ctx, op):
    """Nobody knows its real size: it is no longer 'extending', and says why."""
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    if volume.status == 'extending':
        volume.status = 'error_extending'
    messages.add(ctx.session, op, messages.EXTEND,
                 f'Extending the volume came to a halt. An operator can resume it (operation {op.id}), or it can be '
                 f'extended again. What failed: {op.error}', ctx.conf.message_ttl)
    notify.volume(ctx.session, ctx.messaging, 'resize.error', volume, op)


# ------------------------------------------------------------------ steps

def check_servers(ctx, op):
    """No server's host has said that it can never take the growth; one that says nothing is no obstacle."""
    if not op.params['in_use']:
        return None
    with ctx.db.reader() as session:
        used = [row for row in attachments.of_volume(session, op.params['volume_id']) if row.instance_uuid]
    for attachment in used:
        host = attachment.attached_host
        protocol = (attachment.connection_info or {}).get('driver_volume_type')
        try:
            reason = ctx.compute.cannot_grow(attachment.instance_uuid, host, protocol, ctx.conf.ask_hosts_timeout)
        except (NoAnswer, Refusal) as error:
            LOG.info('Whether server %s can take a larger disk is not known: %s', attachment.instance_uuid, error)
            continue
        if reason:
            raise Refused(f'Server {attachment.instance_uuid} cannot take a larger disk while it runs: {reason}.')
    return {'servers_asked': True}


def grow_backend(ctx, op):
    """The backend is asked first, so a repeat finds nothing to do; and asked again, so that a size is known."""
    volume, size = _volume(op), op.params['size']
    there = ctx.driver.size(volume)
    if there < size:
        try:
            ctx.driver.extend(volume, size)
        except drivers.NoSpace as error:
            if ctx.driver.size(volume) == there:
                raise Refused(str(error)) from error         # all is as it was, and asking again would not help
            raise
    found = ctx.driver.size(volume)
    if found < size:
        raise drivers.DriverError(f'The storage backend shows {found} bytes after growing to {size}.')


def keep_size(ctx, op):
    """Undo of grow_backend: nothing can be undone, but what grew after all goes on forward."""
    found = ctx.driver.size(_volume(op))
    if found >= op.params['size']:
        raise GoForward(f'the backend shows {found} bytes')


def record_size(ctx, op):
    """The volume has its new size and is at rest; each server that uses it is going to be told."""
    volume = volumes.hold(ctx.session, op.params['volume_id'])
    values = {'size': max(volume.size, op.params['size'])}
    if volume.status in ('extending', 'error_extending'):
        values |= {'status': volumes.at_rest(volume.attachments), 'previous_status': None}
    volumes.write(ctx.session, volume, **values)
    for attachment in tell_server.one_each(volume.attachments):
        tell_server.start(ctx.session, op, attachment)
    notify.volume(ctx.session, ctx.messaging, 'resize.end', volume, op)


def _volume(op) -> drivers.Volume:
    return drivers.Volume(op.params['volume_id'], op.params['old_size'])


OPERATION = Operation('extend-volume', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(check_servers, at=places.backend),
    Step(grow_backend, at=places.backend, undo=keep_size, delay=0.5),
    NO_RETURN,                                       # a volume never shrinks again
    Step(record_size, at=places.backend, atomic=True),
])
