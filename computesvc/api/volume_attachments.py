"""Volumes on servers: list, show, attach, change, detach."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import volume_attachments as schemas
from computesvc.api.schemas.types import true
from computesvc.api.views import volume_attachments as views
from computesvc.db import attachments, servers, states
from computesvc.operations import attach_volume, detach_volume, server_state
from computesvc.policies import volume_attachments as policies
from svckit.web.handler import handler
from svckit.web.paging import Page


@handler(query=schemas.QUERY)
def index(req, server_id):
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.INDEX, server)
    page = Page.from_query(req.query, req.context.service.conf.api.max_limit, ())
    with req.context.db.reader() as session:
        found = [a for a in attachments.of_server(session, server_id) if _visible(a, req.version)]
    return {'volumeAttachments': [views.shown(a, req.version) for a in found[page.offset:][:page.limit]]}


@handler()
def show(req, server_id, volume_id):
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.SHOW, server)
    return {'volumeAttachment': views.shown(_attachment(req, server, volume_id), req.version)}


@handler(body=schemas.CREATE)
def create(req, server_id):
    """Attach a volume that the user may use; answered once it is reserved."""
    context, wish = req.context, req.data['volumeAttachment']
    server = servers.get(context, server_id)
    context.authorize(policies.CREATE, server)
    _check_server(req, server, 'attach_volume')
    volume = context.service.volumes.show(context, wish['volumeId'])
    _check_volume(volume, server, req.version)
    attachment = attach_volume.request(
        context, server, volume, device=wish.get('device'), tag=wish.get('tag'),
        delete_on_termination=true(wish.get('delete_on_termination', False)))
    return {'volumeAttachment': views.created(attachment, req.version)}


@handler(status=202, body=schemas.UPDATE)
def update(req, server_id, volume_id):
    """Say whether the volume goes with the server; nothing else of an attachment can change.

    Putting another volume in its place, which up to 2.84 is all that there is, is for
    a volume service that moves the volume; volsvc moves none.
    """
    server, wish = servers.get(req.context, server_id), req.data['volumeAttachment']
    swap = req.version < versions.ATTACHMENT_UPDATE or wish['volumeId'] != volume_id
    req.context.authorize(policies.SWAP if swap else policies.UPDATE, server)
    if req.version >= versions.ATTACHMENT_UPDATE:
        _change(req, server, volume_id, wish)
    if swap:
        req.context.service.volumes.show(req.context, volume_id)
        raise errors.Conflict(f'volume {volume_id} is not migrating; this API should only be called by Cinder')


def _change(req, server, volume_id, wish):
    attachment = _attachment(req, server, volume_id)
    fixed = {'id': volume_id, 'serverId': server.id, 'device': attachment.device, 'tag': attachment.tag}
    for name, value in fixed.items():
        if name in wish and wish[name] != value:
            raise errors.BadRequest(f'The {name} property is not mutable')
    if 'delete_on_termination' in wish:
        req.context.db.run(lambda session: attachments.change(
            session, attachment.id, delete_on_termination=true(wish['delete_on_termination'])))


@handler(status=202)
def delete(req, server_id, volume_id):
    """Detach a volume; the root disk stays."""
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.DELETE, server)
    attachment = attachments.get(req.context, server, volume_id)
    _check_server(req, server, 'detach_volume')
    if attachment.boot_index == 0:
        raise errors.BadRequest('Cannot detach a root device volume')
    detach_volume.request(req.context, server, attachment)


def _attachment(req, server, volume_id):
    attachment = attachments.get(req.context, server, volume_id)
    if not _visible(attachment, req.version):
        raise errors.AttachmentNotFound(server.id, volume_id)
    return attachment


def _visible(attachment, version) -> bool:
    """From 2.89 on an attachment is shown by the volume service's id for it, so not before it has one."""
    return attachment.state != 'failed' and (version < versions.ATTACHMENT_IDS or attachment.attachment_id is not None)


def _check_server(req, server, verb):
    """What the request's transaction is going to look at again.  Shelved servers came with 2.20."""
    server_state.check(req.context, server, verb, server_state.PLUGGABLE)
    shelved = server.vm_state in (states.SHELVED, states.OFFLOADED)
    if not server.host and server.vm_state != states.OFFLOADED or shelved and req.version < versions.SHELVED_VOLUMES:
        raise errors.InvalidState(server, verb)


def _check_volume(volume, server, version):
    if volume.get('multiattach') and version < versions.MULTIATTACH:
        raise errors.BadRequest('Multiattach volumes are only supported starting with compute API version 2.60.')
    if volume.get('multiattach') and server.vm_state == states.OFFLOADED:
        raise errors.BadRequest('Attaching multiattach volumes is not supported for shelved-offloaded instances.')
    shareable = volume['status'] == 'in-use' and volume.get('multiattach')
    if volume['status'] != 'available' and not shareable:
        raise errors.InvalidVolume(f"Invalid volume: volume {volume['id']} status must be available or downloading. "
                                   f"Currently in {volume['status']}")
