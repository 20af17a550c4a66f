"""Metadata of servers."""
from computesvc import errors
from computesvc.api import subject
from computesvc.api.schemas import servers as schemas
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.policies import servers as policies
from svckit import quota
from svckit.web.handler import handler

CHANGEABLE = (states.ACTIVE, states.PAUSED, states.STOPPED)


@handler()
def index(req, server_id):
    return {'metadata': subject.server(req, server_id, policies.METADATA_INDEX).meta}


@handler()
def show(req, server_id, key):
    meta = subject.server(req, server_id, policies.METADATA_SHOW).meta
    if key not in meta:
        raise errors.NotFound('Metadata item was not found')
    return {'meta': {key: meta[key]}}


@handler(body=schemas.METADATA_ALL)
def create(req, server_id):
    """Add to what there is."""
    server = subject.server(req, server_id, policies.METADATA_CREATE)
    return {'metadata': _set(req, server, lambda meta: {**meta, **req.data['metadata']})}


@handler(body=schemas.METADATA_ALL)
def replace(req, server_id):
    server = subject.server(req, server_id, policies.METADATA_UPDATE_ALL)
    return {'metadata': _set(req, server, lambda meta: req.data['metadata'])}


@handler(body=schemas.METADATA_ONE)
def update(req, server_id, key):
    server = subject.server(req, server_id, policies.METADATA_UPDATE)
    if key not in req.data['meta']:
        raise errors.BadRequest('Request body and URI mismatch')
    _set(req, server, lambda meta: {**meta, **req.data['meta']})
    return {'meta': req.data['meta']}


@handler(status=204)
def delete(req, server_id, key):
    server = subject.server(req, server_id, policies.METADATA_DELETE)
    if key not in server.meta:
        raise errors.NotFound('Metadata item was not found')
    _set(req, server, lambda meta: {k: v for k, v in meta.items() if k != key})


def _set(req, server, change) -> dict:
    """What the metadata became; raises Forbidden when that is too much, ServerLocked, or InvalidState."""
    if server.locked and not req.context.is_admin:
        raise errors.ServerLocked(server.id)
    if server.vm_state not in CHANGEABLE:
        raise errors.InvalidState(server, 'update metadata of')

    def work(session):
        row = session.get(Server, server.id)
        row.meta = change(row.meta)
        most = quota.limits(session, server.project_id, req.context.service.quota_defaults)['metadata_items']
        if 0 <= most < len(row.meta):
            raise errors.Forbidden('Maximum number of metadata items exceeds quota')
        return row.meta
    return req.context.db.run(work)
