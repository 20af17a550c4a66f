"""Tags of servers, since 2.26."""
import re

from computesvc import errors
from computesvc.api import subject, versions
from computesvc.api.schemas import server_tags as schemas
from computesvc.db import states
from computesvc.db.models import Server
from computesvc.policies import server_tags as policies
from svckit.web.handler import handler
from svckit.web.response import Response

CHANGEABLE = (states.ACTIVE, states.PAUSED, states.STOPPED)


@handler(min=versions.TAGS)
def index(req, server_id):
    return {'tags': _server(req, server_id, policies.INDEX).tags or []}


@handler(status=204, min=versions.TAGS)
def show(req, server_id, tag):
    """Answers whether the server has the tag."""
    _has(_server(req, server_id, policies.SHOW), tag)


@handler(body=schemas.REPLACE, min=versions.TAGS)
def replace(req, server_id):
    server = _server(req, server_id, policies.UPDATE_ALL, 'update tags')
    return {'tags': _change(req, server, lambda tags: req.data['tags'])}


@handler(status=201, min=versions.TAGS, also=(204,))
def update(req, server_id, tag):
    """201 for one the server did not have, 204 for one it has."""
    server = _server(req, server_id, policies.UPDATE, 'update tag')
    if not re.fullmatch(schemas.TAG['pattern'], tag) or not 0 < len(tag) <= schemas.TAG['maxLength']:
        raise errors.BadRequest(f"Tag '{tag[:80]}' is invalid. It must be a non empty string of at most 60 characters "
                                "without '/' and ','.")
    if tag in (server.tags or []):
        return Response(None, 204)
    _change(req, server, lambda tags: [*tags, tag])
    return Response(None, 201, headers={'Location': req.path_url})


@handler(status=204, min=versions.TAGS)
def delete(req, server_id, tag):
    server = _server(req, server_id, policies.DELETE, 'delete tag')
    _has(server, tag)
    _change(req, server, lambda tags: [other for other in tags if other != tag])


@handler(status=204, min=versions.TAGS)
def clear(req, server_id):
    _change(req, _server(req, server_id, policies.DELETE_ALL, 'delete tags'), lambda tags: [])


def _server(req, server_id, policy, verb=None):
    """With `verb`, one whose tags can be changed as it is."""
    server = subject.server(req, server_id, policy)
    if verb and server.vm_state not in CHANGEABLE:
        raise errors.InvalidState(server, verb)
    return server


def _has(server, tag):
    if tag not in (server.tags or []):
        raise errors.NotFound(f"Server {server.id} has no tag '{tag[:80]}'")


def _change(req, server, change) -> list[str]:
    """The tags as they became; raises BadRequest when those are too many."""
    def work(session):
        row = session.get(Server, server.id)
        row.tags = sorted(set(change(row.tags or [])))
        if len(row.tags) > schemas.MOST:
            raise errors.BadRequest(f'The number of tags exceeded the per-server limit {schemas.MOST}')
        return row.tags
    return req.context.db.run(work)
