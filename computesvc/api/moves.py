"""POST /servers/{id}/action: resize, migrate, and what their user says of the outcome."""
from computesvc import errors
from computesvc.api import subject, versions
from computesvc.api.schemas import moves as schemas
from computesvc.db import flavors
from computesvc.operations import confirm_resize, resize_server, revert_resize
from computesvc.policies import moves as policies
from svckit.web.handler import handler


@handler(status=202, body=schemas.RESIZE)
def resize(req, server_id):
    """The server gets another flavor, perhaps on another host; see confirm() and revert()."""
    server = subject.server(req, server_id, policies.RESIZE)
    flavor = _flavor(req.context, req.data['resize']['flavorRef'])
    _check_image(req.context, server, flavor)
    resize_server.request(req.context, server, flavor)


@handler(status=202, body=schemas.MIGRATE)
def migrate(req, server_id):
    """The server moves to another host: `host`, from 2.56 on, or whichever is best."""
    wish = req.data['migrate'] if req.version >= versions.MIGRATE_HOST else None
    host = (wish or {}).get('host')
    server = subject.server(req, server_id, policies.MIGRATE_TO if host else policies.MIGRATE)
    resize_server.request(req.context, server, None, host=host)


@handler(status=204, body=schemas.CONFIRM)
def confirm(req, server_id):
    confirm_resize.request(req.context, subject.server(req, server_id, policies.CONFIRM))


@handler(status=202, body=schemas.REVERT)
def revert(req, server_id):
    revert_resize.request(req.context, subject.server(req, server_id, policies.REVERT))


def _flavor(context, ref) -> dict:
    try:
        flavor = flavors.get(context, str(ref))
    except errors.NotFound as e:
        raise errors.BadRequest(str(e)) from None
    if flavor.disabled:
        raise errors.BadRequest(f'Flavor {flavor.id} could not be found.')
    return flavors.facts(flavor)


def _check_image(context, server, flavor):
    """What its image asks for holds for its new size too; an image that cannot be looked at asks for nothing."""
    if not server.image_id:
        return
    try:
        image = context.service.images.show(context, server.image_id)
    except errors.Error:
        return
    if (image.get('min_ram') or 0) > flavor['ram']:
        raise errors.BadRequest("Flavor's memory is too small for requested image.")
    if flavor['disk'] and (image.get('min_disk') or 0) > flavor['disk']:
        raise errors.BadRequest("Flavor's disk is too small for requested image.")
