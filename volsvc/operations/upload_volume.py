"""Make an image of a volume, as it is at one moment.

A volume that a server writes to is copied on its backend first, and the image is of that copy.
"""
from svckit import operations
from svckit.db import new_id
from svckit.images import OVER_LIMIT
from svckit.operations import NO_RETURN, Operation, Refused, Step
from volsvc import errors, packing
from volsvc.db import messages, volumes
from volsvc.drivers import base as drivers
from volsvc.operations import places

GIB = volumes.GIB
WAIT = 5.0              # seconds that a request waits for the image service's word on whether there may be the image
# What an image says of itself beside its properties; and properties that would not be true of another image.
ATTRIBUTES = {'image_id', 'image_name', 'checksum', 'container_format', 'disk_format', 'min_disk', 'min_ram', 'size',
              'name', 'id', 'owner', 'status', 'visibility', 'protected', 'tags', 'file', 'schema', 'self', 'locations',
              'direct_url', 'virtual_size', 'created_at', 'updated_at', 'os_hidden', 'os_hash_algo', 'os_hash_value',
              'stores', 'signature_verified'}
ITS_OWN = ('owner_specified.', 'os_glance', 'img_signature', 'cinder_encryption')


# ------------------------------------------------------------------ the request

def request(context, volume, *, name, disk_format, container_format, visibility, protected, in_use) -> dict:
    """The image's attributes; the volume is 'uploading', and that was started: one transaction.

    `in_use`: also of a volume that a server has.  The image service's word on whether there may be such an image comes
    with the first step; it is waited for a moment, so that its refusal is the answer (BadRequest).
    """
    image = {'id': new_id(), 'owner': context.project_id or volume.project_id, 'name': name, 'visibility': visibility,
             'disk_format': disk_format, 'container_format': container_format}
    wanted = volumes.AT_REST if in_use else ('available',)
    op_id = context.db.run(lambda session: _begin(session, context, volume.id, image, protected, wanted))
    _wait_for_image(context, op_id)
    return {**image, 'protected': protected}


def _begin(session, context, volume_id, image, protected, wanted) -> str:
    volume = volumes.for_update(session, volume_id)
    if volume.status not in wanted:
        raise errors.InvalidStatus(volume.id, 'uploaded', wanted, volume.status)
    params = {'volume_id': volume.id, 'host': volume.host, 'size': volume.size, 'in_use': volume.status == 'in-use',
              'image': {**_properties(volume), **image, 'min_disk': volume.size // GIB}, 'protected': protected,
              'copy': new_id()}
    volume.status, volume.previous_status = 'uploading', volume.status
    return operations.start(session, OPERATION, subject=f'volume:{volume.id}', project_id=volume.project_id,
                            user_id=context.user_id, request_id=context.request_id, params=params)


def _properties(volume) -> dict:
    return {name: str(value) for name, value in (volume.image_meta or {}).items()
            if name not in ATTRIBUTES and not name.startswith(ITS_OWN)}


def _wait_for_image(context, op_id) -> None:
    clock, pause = context.service.clock, 0.002
    end = clock.monotonic() + WAIT
    while clock.monotonic() < end:
        with context.db.reader() as session:
            op = operations.get(session, op_id)
        if op.state == 'undone':
            raise errors.BadRequest(op.error)
        if op.state == 'done' or op.state == 'running' and op.position > 0:
            return
        clock.sleep(pause)
        pause = min(pause * 1.5, 0.1)


# ------------------------------------------------------------------ its ends other than success

def withdraw(ctx, op):
    """The volume is as it was, and there is no image."""
    _rest(ctx.session, op)
    event = messages.UPLOAD_LIMIT if op.error.startswith(OVER_LIMIT) else messages.UPLOAD
    messages.add(ctx.session, op, event, f'No image could be made of the volume: {op.error}',
                 ctx.conf.message_ttl)


def stuck(ctx, op):
    """What is left of it is for an operator to end."""
    _rest(ctx.session, op)
    messages.add(ctx.session, op, messages.UPLOAD, 'Making an image of the volume came to a halt. An operator can '
                 f'resume it (operation {op.id}). What failed: {op.error}', ctx.conf.message_ttl)


def _rest(session, op):
    volume = volumes.for_update(session, op.params['volume_id'])
    if volume.status == 'uploading':
        volume.status, volume.previous_status = volumes.at_rest(volume.attachments), None


# ------------------------------------------------------------------ steps

def make_image(ctx, op):
    """There is an image, still without data."""
    ctx.images.make(op.params['image'])


def delete_image(ctx, op):
    """Undo of make_image: there is no such image."""
    ctx.images.delete(op.params['image']['id'])


def hold_still(ctx, op):
    """What servers write from here on does not change what is sent."""
    if not op.params['in_use']:
        return None
    try:
        return {'warning': ctx.driver.create_snapshot(_copy(op, ctx.progress(op)), _volume(op))}
    except drivers.VolumeMissing as error:
        raise Refused('the volume is gone.') from error


def let_go(ctx, op):
    """Nothing is left but the volume; undo of hold_still too."""
    packing.clean(ctx.driver.options.image_folder, op.id)
    if op.params['in_use']:
        ctx.driver.delete_snapshot(_copy(op))


def send(ctx, op):
    """The image holds what the volume held, and is active."""
    image, progress = op.params['image'], ctx.progress(op)
    source = _copy(op) if op.params['in_use'] else _volume(op)

    def read(place, count):
        return ctx.driver.read(source, place, count)
    try:
        with packing.packed(ctx.driver.options.image_folder, op.id, image['disk_format'], source.size,
                            ctx.driver.used(source), read, progress) as (size, data):
            ctx.images.upload(image['id'], size, data, progress)
    except drivers.VolumeMissing as error:
        raise Refused('the volume is gone.') from error


def protect(ctx, op):
    if op.params['protected']:
        ctx.images.protect(op.params['image']['id'])


def record_upload(ctx, op):
    """The volume is at rest; its owner is told if the image is not of one moment."""
    _rest(ctx.session, op)
    if op.notes.get('warning'):
        messages.add(ctx.session, op, messages.UPLOAD_TORN, op.notes['warning'], ctx.conf.message_ttl, 'WARNING')


def _volume(op) -> drivers.Volume:
    return drivers.Volume(op.params['volume_id'], op.params['size'])


def _copy(op, *progress) -> drivers.Snapshot:
    return drivers.Snapshot(op.params['copy'], op.params['size'], *progress)


OPERATION = Operation('upload-volume', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(make_image, at=places.teller, undo=delete_image),
    Step(hold_still, at=places.backend, undo=let_go, delay=0.5),
    Step(send, at=places.backend),
    NO_RETURN,                                       # the image can be used
    Step(let_go, at=places.backend, forever=True),
    Step(protect, at=places.teller, forever=True),
    Step(record_upload, at=places.backend, atomic=True, forever=True),
])
