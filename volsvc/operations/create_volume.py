"""Make a volume: empty, or from an image, a snapshot or another volume."""
import contextlib
import functools
import logging

from oslo_db import exception as db_exc
from sqlalchemy.orm.attributes import set_committed_value

from svckit import operations, quota
from svckit.db import new_id, swap, utcnow
from svckit.operations import Operation, Refused, Step
from svckit.scheduling import CLAIMED_MEANWHILE
from volsvc import errors, notify
from volsvc.db import claims, limits, messages, snapshots, types, usage, volumes
from volsvc.db.models import Volume
from volsvc.drivers import base as drivers
from volsvc.operations import places
from volsvc.policies import volumes as policies
from volsvc.scheduling import backends
from volsvc.scheduling.filters import zones_of

LOG = logging.getLogger(__name__)
GIB = volumes.GIB
MOST_ALTERNATES = 2
# Properties of an image that are no business of a volume made from it.
NOT_KEPT = ('self', 'file', 'schema', 'locations', 'direct_url', 'tags', 'owner', 'visibility', 'protected', 'status',
            'created_at', 'updated_at', 'virtual_size', 'os_hidden', 'owner_specified', 'os_hash_algo', 'os_hash_value',
            'stores')
MAKING = ('creating', 'downloading')        # the latter while it is filled from an image
NO_ROOM = 'The image needs more room than the volume or its storage backend has.'


# ------------------------------------------------------------------ the request

def request(context, *, size=None, name='', description=None, volume_type=None, availability_zone=None, image=None,
            source_volid=None, snapshot_id=None, metadata=None) -> Volume:
    """A volume in status 'creating', its room and quota taken and its making started: one transaction.

    One that no backend can take is in status 'error', and its owner is told why.  `size` is GiB,
    taken from the source where there is none; `volume_type` an id or a name, `image` an address, too.
    """
    if sum(map(bool, (image, source_volid, snapshot_id))) > 1:
        raise errors.BadRequest('A volume is made from an image, a snapshot or a volume, not from several of them.')
    image = context.service.images.find(context, image) if image else None
    with context.db.reader() as session:
        snapshot = _snapshot(session, context, snapshot_id) if snapshot_id else None
        source = snapshot.volume if snapshot else _source(session, context, source_volid) if source_volid else None
        size = _size(size, snapshot or source, image)
        kind = _type(session, context, volume_type, source, image)
        if kind and kind.encryption:
            raise errors.NoKeys(kind.name)
        allowed = quota.limits(session, context.project_id, limits.defaults(context.service.conf))
        _check_size(size, kind, allowed)
        known = backends.candidates(session, context.service.conf)
    _check_zone(availability_zone, known, kind)
    zone = availability_zone or (None if source else _default_zone(context.service.conf, kind))
    volume = Volume(
        id=new_id(), project_id=context.project_id, user_id=context.user_id, name=name or '', description=description,
        size=size, status='creating', availability_zone=zone or context.service.conf.storage_availability_zone,
        volume_type_id=kind and kind.id, source_volid=source_volid, snapshot_id=snapshot_id, meta=metadata or {},
        multiattach=bool(kind) and kind.extra_specs.get('multiattach') == '<is> True',
        image_meta=_image_meta(image) if image else source.image_meta if source else None,
        created_at=utcnow(), bootable=False, readonly=False, attachments=[])
    if volume.multiattach:
        context.authorize(policies.MULTIATTACH)
    params = {'volume_id': volume.id, 'size': size, 'zone': zone, 'from_host': source and source.host, 'tried': [],
              'bootable': bool(image or source and source.bootable),
              'source': [source.id, source.size] if source_volid else None,
              'snapshot': snapshot and [snapshot.id, snapshot.size],
              'image': image and [image['id'], image['disk_format'], image['size']]}
    _place(context, volume, kind, params, allowed, known)
    set_committed_value(volume, 'type', kind)
    return volume


def _place(context, volume, kind, params, allowed, known):
    """At the best backend that has room, room that is held from then on; or nowhere."""
    fitting, refused = backends.sift(known, _wish(kind, params))
    for chosen in fitting:
        volume.host, volume.availability_zone = chosen.pool, chosen.zone
        try:
            context.db.run(functools.partial(_begin, context=context, volume=volume, kind=kind, params=params,
                                             allowed=allowed, chosen=chosen))
            return
        except _TakenMeanwhile:
            refused[CLAIMED_MEANWHILE] += 1
    volume.host, volume.status = None, 'error'
    why = backends.why_none(len(known), refused)
    context.db.run(lambda session: _begin_nowhere(session, context, volume, kind, allowed, why))


class _TakenMeanwhile(Exception):
    """Others have got the room."""


def _wish(kind, params) -> backends.Wish:
    host = params.get('from_host')
    return backends.Wish(size=params['size'], zone=params.get('zone'), host=host and host.partition('#')[0],
                         exclude=frozenset(params.get('tried', ())), extra_specs=kind.extra_specs if kind else {})


def _begin(session, context, volume, kind, params, allowed, chosen):
    _add(session, volume, kind)
    operations.start(session, OPERATION, subject=f'volume:{volume.id}', project_id=volume.project_id,
                     user_id=context.user_id, request_id=context.request_id, params={**params, 'host': chosen.host})
    # Last, because everybody waits for these rows.
    if not claims.take(session, chosen.pool, volume.size, chosen.limit):
        raise _TakenMeanwhile
    usage.take(session, volume.project_id, kind, usage.of_volumes(volume.volume_type_id, volume.size), allowed)
    notify.volume(session, context.service.messaging, 'create.start', volume, context)


def _begin_nowhere(session, context, volume, kind, allowed, why):
    """The volume is there for its owner to see and to delete, and counts."""
    _add(session, volume, kind)
    usage.take(session, volume.project_id, kind, usage.of_volumes(volume.volume_type_id, volume.size), allowed)
    messages.tell(session, f'volume:{volume.id}', volume.project_id, context.request_id, messages.SCHEDULE,
                  f'The volume could not be created: {why}', context.service.conf.message_ttl)
    notify.volume(session, context.service.messaging, 'create.start', volume, context, status='creating')
    notify.volume(session, context.service.messaging, 'create.error', volume, context, error=why)


def _add(session, volume, kind):
    session.add(volume)
    try:
        session.flush()
    except db_exc.DBReferenceError:
        raise errors.NotFound('Volume type', kind.id) from None         # deleted since it was looked up


def _check_zone(zone, known, kind):
    """There is this zone, unless nothing is known of any backend; and volumes of the type may be in it."""
    if zone and known and zone not in {candidate.zone for candidate in known}:
        raise errors.BadRequest(f'There is no availability zone {zone}.')
    zones = zones_of(kind.extra_specs) if kind else []
    if zone and zones and zone not in zones:
        raise errors.BadRequest(f'Volumes of type {kind.name} are in the availability zones {", ".join(zones)}, '
                                f'not in {zone}.')


def _default_zone(conf, kind) -> str | None:
    """The configured one, if volumes of the type may be in it; None: any."""
    zones = zones_of(kind.extra_specs) if kind else []
    return None if zones and conf.default_availability_zone not in zones else conf.default_availability_zone


def _source(session, context, id):
    source = volumes.get(session, id, None if context.is_admin else context.project_id)
    if source.status not in volumes.AT_REST:
        raise errors.InvalidStatus(id, 'copied', volumes.AT_REST, source.status)
    return source


def _snapshot(session, context, id):
    snapshot = snapshots.get(session, id, None if context.is_admin else context.project_id)
    if snapshot.status != 'available':
        raise errors.InvalidSnapshot(id, 'copied', ('available',), snapshot.status)
    return snapshot


def _size(size, source, image) -> int:
    """Bytes; of what is copied where none are asked for."""
    if size is None:
        if source is None:
            raise errors.BadRequest('Invalid input received: the size of the volume is missing.')
        return source.size
    if source is not None and size * GIB < source.size:
        raise errors.BadRequest(f'Invalid input received: {size} GiB are less than the {source.size // GIB} GiB of '
                                f'the source {type(source).__name__.lower()}.')
    if image is not None:
        _check_image(image, size)
    return size * GIB


def _check_image(image, size):
    if image['status'] != 'active':
        raise errors.BadRequest(f'Image {image["id"]} is {image["status"]}, not active.')
    if (image.get('min_disk') or 0) > size:
        raise errors.BadRequest(f'Image {image["id"]} needs a volume of {image["min_disk"]} GiB, '
                                f'larger than {size} GiB.')
    if max(image.get('size') or 0, image.get('virtual_size') or 0) > size * GIB:
        raise errors.BadRequest(f'Image {image["id"]} is larger than a volume of {size} GiB.')


def _type(session, context, wanted, source, image):
    visible_to = None if context.is_admin else context.project_id
    if not wanted and source is not None:
        return source.type
    wanted = wanted or image and image.get('cinder_img_volume_type')
    if wanted:
        return types.get(session, wanted, visible_to, by_name=True)
    return types.default(session, context.project_id, context.service.conf.default_volume_type)


def _check_size(size, kind, allowed):
    gib = size // GIB
    smallest, largest = backends.size_limits(kind.extra_specs) if kind else (None, None)
    if smallest is not None and gib < smallest or largest is not None and gib > largest:
        raise errors.BadRequest(f'Volume type {kind.name} allows {smallest or 1} to {largest or "any number of"} GiB, '
                                f'not {gib}.')
    if 0 <= allowed['per_volume_gigabytes'] < gib:
        raise errors.VolumeTooLarge(gib, allowed['per_volume_gigabytes'])


def _image_meta(image) -> dict:
    kept = {key: value for key, value in image.items() if key not in NOT_KEPT and value is not None}
    kept['image_id'], kept['image_name'] = kept.pop('id'), kept.pop('name', None)
    return {key: value if isinstance(value, str) else str(value) for key, value in kept.items() if value is not None}


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """Another backend makes the volume, or nobody does.

    Then it is there in status 'error', and counts, until its owner deletes it; but it is nowhere.
    """
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    claims.release(ctx.session, volume.host, volume.size)
    volume.status = 'creating' if volume.status == 'downloading' else volume.status
    if volume.status == 'creating' and _elsewhere(ctx, op, volume):
        return
    volume.host = None
    if volume.status == 'creating':
        volume.status = 'error'
    _failed(ctx, op, volume, f'The volume could not be created: {op.error}')


def stuck(ctx, op):
    """What was made of it is still there: deleting the volume ends that, as does an operator."""
    volume = volumes.for_update(ctx.session, op.params['volume_id'])
    if volume.status in MAKING:
        volume.status = 'error'
    _failed(ctx, op, volume, 'The volume could not be created, and part of it may still be there. Delete it. '
                             f'What failed: {op.error}')


def _failed(ctx, op, volume, text):
    event = messages.CREATE if not op.params['image'] else (
        messages.IMAGE_ROOM if op.error == NO_ROOM else messages.IMAGE)
    messages.add(ctx.session, op, event, text, ctx.conf.message_ttl)
    notify.volume(ctx.session, ctx.messaging, 'create.error', volume, op)


def _elsewhere(ctx, op, volume) -> bool:
    """Whether the next best backend is at work on it now."""
    tried = [*op.params.get('tried', ()), op.params['host']]
    if len(tried) > MOST_ALTERNATES or 'tried' not in op.params:
        return False
    params = {**op.params, 'tried': tried}
    try:
        chosen = backends.place(ctx.session, ctx.conf, _wish(volume.type, params))
    except Refused as refused:
        LOG.info('Volume %s cannot be made elsewhere than at %s: %s', volume.id, ', '.join(tried), refused)
        return False
    LOG.warning('Volume %s is made at %s now, as %s could not: %s', volume.id, chosen.host, op.params['host'], op.error)
    volume.host, volume.availability_zone = chosen.pool, chosen.zone
    operations.succeed(ctx.session, op, OPERATION, params={**params, 'host': chosen.host})
    return True


# ------------------------------------------------------------------ steps

def make_volume(ctx, op):
    """The backend has the volume, whole."""
    progress, warning = ctx.progress(op), None
    volume = drivers.Volume(op.params['volume_id'], op.params['size'], progress)
    if op.params['source'] or op.params.get('snapshot'):
        warning = _copy(ctx, op, volume)
    elif op.params['image']:
        id, disk_format, size = op.params['image']
        ctx.db.run(lambda session: swap(session, Volume, volume.id, {'status': 'creating'}, {'status': 'downloading'}))
        image = drivers.Image(id, disk_format, size, lambda: _told(ctx.images.chunks(id), size, progress))
        try:
            ctx.driver.create_from_image(volume, image)
        except drivers.NoSpace as error:
            raise Refused(NO_ROOM) from error
    else:
        ctx.driver.create(volume)
    if ctx.driver.size(volume) < volume.size:
        raise drivers.DriverError('The storage backend made a volume that is too small.')
    return {'warning': warning}


def _told(chunks, size, progress):
    got = 0
    for chunk in chunks:
        yield chunk
        got += len(chunk)
        progress(got * 100 / (size or got))


def _copy(ctx, op, volume) -> str | None:
    """What the volume's owner should know of the copy."""
    try:
        if op.params['source']:
            return ctx.driver.clone(volume, drivers.Volume(*op.params['source']))
        return ctx.driver.create_from_snapshot(volume, drivers.Snapshot(*op.params['snapshot']))
    except drivers.VolumeMissing as error:
        raise Refused(f'the source {"volume" if op.params["source"] else "snapshot"} is gone.') from error


def erase_volume(ctx, op):
    """Undo of make_volume: nothing of it is left."""
    ctx.driver.delete(drivers.Volume(op.params['volume_id'], op.params['size']))


def record_volume(ctx, op):
    """The volume is available; bootable too if its source was, or if its owner has said so meanwhile."""
    id = op.params['volume_id']
    values = {'status': 'available', 'launched_at': utcnow()} | ({'bootable': True} if op.params['bootable'] else {})
    swap(ctx.session, Volume, id, {'status': MAKING}, values)
    if not ctx.messaging.silent:
        with contextlib.suppress(errors.VolumeNotFound):
            notify.volume(ctx.session, ctx.messaging, 'create.end', volumes.show(ctx.session, id), op)
    if op.notes.get('warning'):
        messages.add(ctx.session, op, messages.CREATE_TORN, op.notes['warning'], ctx.conf.message_ttl, 'WARNING')


OPERATION = Operation('create-volume', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(make_volume, at=places.backend, undo=erase_volume, delay=0.5),
    Step(record_volume, at=places.backend, atomic=True),
])
