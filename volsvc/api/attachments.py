"""Attachments: what a volume has to do with a server.

A compute service reserves a volume (POST), gives the connector of the server's host
and gets what the host needs to reach it (PUT), and says that the server has it
(os-complete); DELETE ends it.
"""
from svckit.web import actions, handler
from volsvc.api import filters, lists, scope, versions
from volsvc.api.schemas import attachments as schemas
from volsvc.api.views import attachments as views
from volsvc.api.volumes import find as find_volume
from volsvc.db import attachments
from volsvc.operations import connect_attachment, delete_attachment
from volsvc.policies import attachments as policies

_FILTERS = ('volume_id', 'status', 'instance_id', 'attach_status')


def find(req, attachment_id):
    """The attachment with its volume, if this request may know of it."""
    with req.context.db.reader() as session:
        return attachments.get(session, attachment_id, scope.project(req.context))


@handler(min=versions.ATTACHMENTS)
def show(req, attachment_id):
    """One attachment, with its connection for whom that is meant."""
    attachment = find(req, attachment_id)
    req.context.authorize(policies.GET, attachment.volume)
    return {'attachment': _shown(req, attachment)}


@handler(min=versions.ATTACHMENTS, reads=filters.read(_FILTERS))
def index(req):
    """Attachments of the project, in short."""
    return _list(req, views.summary)


@handler(min=versions.ATTACHMENTS, reads=filters.read(_FILTERS))
def detail(req):
    """Attachments of the project, with their connections for whom those are meant."""
    return _list(req, lambda attachment: _shown(req, attachment))


@handler(body=schemas.CREATE, min=versions.ATTACHMENTS)
def create(req):
    """Reserve a volume for a server, and connect it at once if the connector is known already."""
    wanted = req.data['attachment']
    volume = find_volume(req, wanted['volume_uuid'])
    req.context.authorize(policies.CREATE, volume)
    if volume.bootable and volume.multiattach and volume.attachments:
        req.context.authorize(policies.MULTIATTACH_BOOTABLE, volume)
    attachment = connect_attachment.reserve(req.context, volume, wanted.get('instance_uuid'), wanted.get('mode'))
    if wanted.get('connector'):
        attachment = connect_attachment.connect(req.context, attachment, wanted['connector'])
    return {'attachment': views.detail(attachment)}


@handler(body=schemas.UPDATE, min=versions.ATTACHMENTS)
def update(req, attachment_id):
    """Have the volume exported to the host that the connector describes."""
    attachment = find(req, attachment_id)
    req.context.authorize(policies.UPDATE, attachment.volume)
    attachment = connect_attachment.connect(req.context, attachment, req.data['attachment']['connector'])
    return {'attachment': views.detail(attachment)}


@handler(min=versions.ATTACHMENTS)
def delete(req, attachment_id):
    """End an attachment; a server's that uses the volume only for the compute service itself.

    Source: CVE-2023-2088, a host whose volume was taken from behind reads the next
    one's data.
    """
    attachment = find(req, attachment_id)
    req.context.authorize(policies.DELETE, attachment.volume)
    return {'attachments': [views.summary(left) for left in delete_attachment.request(req.context, attachment)]}


@handler(status=204, body=schemas.COMPLETE, min=versions.ATTACHMENT_COMPLETE)
def complete(req, attachment_id):
    """The server has the volume."""
    attachment = find(req, attachment_id)
    req.context.authorize(policies.COMPLETE, attachment.volume)
    connect_attachment.complete(req.context, attachment)


ACTION = actions({'os-complete': complete})


def _shown(req, attachment) -> dict:
    """A server's connection has credentials that are its host's, not its owner's."""
    shown = views.detail(attachment)
    if attachment.instance_uuid and not req.context.can(policies.GET_CONNECTION):
        shown['connection_info'] = {}
    return shown


def _list(req, view):
    req.context.authorize(policies.GET_ALL)
    return lists.answer(req, 'attachments', attachments, view, lambda req: filters.chosen(req, _FILTERS))
