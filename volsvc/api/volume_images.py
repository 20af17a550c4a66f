"""Actions on a volume and images: making one of it, and what it keeps of the one that it was made from."""
from svckit.web import handler
from volsvc import errors
from volsvc.api import pairs, versions
from volsvc.api.schemas import volume_images as schemas
from volsvc.api.schemas.types import truth
from volsvc.api.views import volumes as views
from volsvc.api.volumes import find
from volsvc.db import volumes
from volsvc.operations import upload_volume
from volsvc.policies import volume_actions as policies
from volsvc.policies import volume_metadata

CONTAINERS = ('bare', 'ami', 'ari', 'aki', 'ovf', 'ova', 'docker')


@handler(status=202, body=schemas.UPLOAD)
def upload(req, volume_id):
    """Have an image made of a volume."""
    volume = find(req, volume_id)
    req.context.authorize(policies.UPLOAD_IMAGE, volume)
    wanted = req.data['os-volume_upload_image']
    visibility = wanted.get('visibility', 'private' if req.version >= versions.UPLOAD_PARAMETERS else 'shared')
    if visibility == 'public':
        req.context.authorize(policies.UPLOAD_PUBLIC, volume)
    image = upload_volume.request(
        req.context, volume, name=wanted['image_name'], visibility=visibility, container_format=_container(wanted),
        disk_format=wanted.get('disk_format', 'raw'), protected=truth(wanted.get('protected', False)),
        in_use=truth(wanted.get('force', False)))
    return {'os-volume_upload_image': views.upload(volume, image)}


@handler(body=schemas.SHOW)
def show_metadata(req, volume_id):
    """The properties of the image that the volume was made from."""
    volume = find(req, volume_id)
    req.context.authorize(volume_metadata.IMAGE_SHOW, volume)
    return {'metadata': _texts(volume)}


@handler(body=schemas.SET)
def set_metadata(req, volume_id):
    """Add to the properties, or give those that are there another value."""
    volume = find(req, volume_id)
    req.context.authorize(volume_metadata.IMAGE_SET, volume)

    def change(session):
        row = volumes.for_update(session, volume.id)
        row.image_meta = {**_texts(row), **req.data['os-set_image_metadata']['metadata']}
        if len(row.image_meta) > pairs.MOST:
            raise errors.TooLarge(f'A volume keeps at most {pairs.MOST} properties of its image.')
        return row.image_meta
    return {'metadata': req.context.db.run(change)}


@handler(body=schemas.UNSET)
def unset_metadata(req, volume_id):
    """Remove one of the properties."""
    volume = find(req, volume_id)
    req.context.authorize(volume_metadata.IMAGE_REMOVE, volume)
    key = req.data['os-unset_image_metadata']['key']

    def change(session):
        row = volumes.for_update(session, volume.id)
        left = _texts(row)
        if left.pop(key, None) is None:
            raise errors.NotFound(f'Volume {volume_id} has no image metadata with the key {key}.')
        row.image_meta = left or None
    req.context.db.run(change)


ACTIONS = {
    'os-volume_upload_image': upload,
    'os-show_image_metadata': show_metadata,
    'os-set_image_metadata': set_metadata,
    'os-unset_image_metadata': unset_metadata,
}


def _container(wanted) -> str:
    found = wanted.get('container_format', 'bare')
    if found not in CONTAINERS:
        raise errors.BadRequest(f'Images of volumes are not made with the container format {found[:40]!r}; there are '
                                f'{", ".join(CONTAINERS)}.')
    return found


def _texts(volume) -> dict:
    return {name: str(value) for name, value in (volume.image_meta or {}).items()}
