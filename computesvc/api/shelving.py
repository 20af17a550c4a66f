"""POST /servers/{id}/action: shelve, shelveOffload, unshelve, createImage."""
from computesvc import errors
from computesvc.api import subject, versions, volume_images
from computesvc.api.schemas import shelving as schemas
from computesvc.db import services, states
from computesvc.operations import create_image, offload_server, shelve_server, start_shelved, unshelve_server
from computesvc.policies import shelving as policies
from svckit.web.handler import handler
from svckit.web.response import Response


@handler(status=202, body=schemas.SHELVE)
def shelve(req, server_id):
    """Its user needs the server again one day, but not its processors and memory until then."""
    shelve_server.request(req.context, subject.server(req, server_id, policies.SHELVE))


@handler(status=202, body=schemas.OFFLOAD)
def offload(req, server_id):
    offload_server.request(req.context, subject.server(req, server_id, policies.OFFLOAD))


@handler(status=202, body=schemas.UNSHELVE)
def unshelve(req, server_id):
    """It starts where it is; one that is on no host gets one, perhaps in another zone or on a named host."""
    context, server = req.context, subject.server(req, server_id, policies.UNSHELVE)
    wish = _where(req)
    if server.vm_state != states.OFFLOADED:
        if wish:
            raise errors.InvalidState(server, 'unshelve')
        start_shelved.request(context, server)
        return
    zone, host = wish.get('availability_zone', server.availability_zone), wish.get('host')
    if host:
        context.authorize(policies.UNSHELVE_TO_HOST, server)
    _check_place(context, zone if 'availability_zone' in wish else None, host, zone)
    unshelve_server.request(context, server, zone=zone, host=host)


def _where(req) -> dict:
    """Before 2.77 whatever the body says means nothing."""
    return (req.data['unshelve'] or {}) if req.version >= versions.UNSHELVE_ZONE else {}


def _check_place(context, new_zone, host, zone):
    """A zone that is asked for has a host that is up, and a host that is asked for is in its zone."""
    with context.db.reader() as session:
        agents = services.find(session, binary=services.AGENT)
    down_time = context.service.conf.service.down_time
    if new_zone and not any(service.zone == new_zone and not service.disabled and services.up(service, age, down_time)
                            for service, age in agents):
        raise errors.BadRequest('The requested availability zone is not available')
    if not host:
        return
    there = next((service for service, _ in agents if service.host == host), None)
    if there is None:
        raise errors.BadRequest(f'Compute host {host} could not be found.')
    if zone and there.zone != zone:
        raise errors.Conflict(f'Host "{host}" is not in the availability zone "{zone}".')


@handler(status=202, body=schemas.CREATE_IMAGE)
def create(req, server_id):
    """An image of the server's local root disk, or of its volumes if its root is one."""
    context, server = req.context, subject.server(req, server_id, policies.CREATE_IMAGE)
    if server.vm_state not in create_image.ALLOWED or server.task_state is not None:
        raise errors.InvalidState(server, 'createImage')
    name, metadata = req.data['createImage']['name'].strip(), req.data['createImage'].get('metadata') or {}
    if server.root_disk:
        image_id = create_image.request(context, server, name, metadata)
    else:
        context.authorize(policies.CREATE_IMAGE_OF_VOLUMES, server)
        image_id = volume_images.make(context, server, name, metadata)
    if req.version >= versions.IMAGE_ID:
        return {'image_id': image_id}
    return Response(None, headers={'Location': context.service.images.url(image_id)})
