"""The attach sequence that preceded attachments, as actions of a volume: POST /volumes/{volume_id}/action.

There and back: os-reserve, os-initialize_connection, os-attach; os-begin_detaching,
os-terminate_connection, os-detach.  Undone by: os-unreserve, os-terminate_connection;
os-roll_detaching.  None of them takes a volume from a server that uses it, unless the
compute service itself asks (CVE-2023-2088).
"""
from svckit.web import handler
from volsvc.api.schemas import volume_connections as schemas
from volsvc.api.views import attachments as views
from volsvc.api.volumes import find
from volsvc.operations import attach_sequence, delete_attachment
from volsvc.policies import volume_connections as policies


@handler(status=202, body=schemas.RESERVE)
def reserve(req, volume_id):
    """A client is about to attach the volume."""
    attach_sequence.reserve(req.context, _allowed(req, volume_id, policies.RESERVE))


@handler(status=202, body=schemas.UNRESERVE)
def unreserve(req, volume_id):
    """It is not, after all."""
    attach_sequence.unreserve(req.context, _allowed(req, volume_id, policies.UNRESERVE))


@handler(body=schemas.INITIALIZE_CONNECTION)
def initialize_connection(req, volume_id):
    """Have the volume exported to the host that the connector describes; answers how that reaches it."""
    volume = _allowed(req, volume_id, policies.INITIALIZE_CONNECTION)
    connector = req.data['os-initialize_connection']['connector']
    return {'connection_info': views.nested(attach_sequence.connect(req.context, volume, connector))}


@handler(status=202, body=schemas.ATTACH)
def attach(req, volume_id):
    """A server, or a host, has the volume."""
    attach_sequence.attach(req.context, _allowed(req, volume_id, policies.ATTACH), **req.data['os-attach'])


@handler(status=202, body=schemas.BEGIN_DETACHING)
def begin_detaching(req, volume_id):
    """A compute service is about to take the volume from a server."""
    attach_sequence.begin_detaching(req.context, _allowed(req, volume_id, policies.BEGIN_DETACHING))


@handler(status=202, body=schemas.ROLL_DETACHING)
def roll_detaching(req, volume_id):
    """It is not, after all; a volume that nobody detaches stays as it is."""
    attach_sequence.roll_detaching(req.context, _allowed(req, volume_id, policies.ROLL_DETACHING))


@handler(status=202, body=schemas.TERMINATE_CONNECTION)
def terminate_connection(req, volume_id):
    """The host that the connector describes (null: every host) reaches the volume no more."""
    volume = _allowed(req, volume_id, policies.TERMINATE_CONNECTION)
    attach_sequence.disconnect(req.context, volume, req.data['os-terminate_connection']['connector'])


@handler(status=202, body=schemas.DETACH)
def detach(req, volume_id):
    """The server, or host, has the volume no more."""
    volume = _allowed(req, volume_id, policies.DETACH)
    attachment_id = (req.data['os-detach'] or {}).get('attachment_id')
    attach_sequence.detach(req.context, volume, attachment_id)


@handler(status=202, body=schemas.FORCE_DETACH)
def force_detach(req, volume_id):
    """End what is left of a detach that went wrong."""
    volume = _allowed(req, volume_id, policies.FORCE_DETACH)
    wanted = req.data['os-force_detach']
    for attachment in volume.attachments:
        if wanted.get('attachment_id') in (None, attachment.id):
            delete_attachment.check_allowed(req.context, attachment)
    if wanted.get('connector'):
        attach_sequence.disconnect(req.context, volume, wanted['connector'])
    attach_sequence.detach(req.context, volume, wanted.get('attachment_id'), force=True)


ACTIONS = {
    'os-reserve': reserve,
    'os-unreserve': unreserve,
    'os-initialize_connection': initialize_connection,
    'os-attach': attach,
    'os-begin_detaching': begin_detaching,
    'os-roll_detaching': roll_detaching,
    'os-terminate_connection': terminate_connection,
    'os-detach': detach,
    'os-force_detach': force_detach,
}


def _allowed(req, volume_id, policy):
    volume = find(req, volume_id)
    req.context.authorize(policy, volume)
    return volume
