"""Resizes and migrations of servers: all of them, and those of one server that are under way."""
import re

from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import migrations as schemas
from computesvc.api.server_filters import moment
from computesvc.api.views import migrations as views
from computesvc.db import lists, moves, servers
from computesvc.db.models import Migration
from computesvc.policies import migrations as policies
from svckit.web.handler import handler
from svckit.web.paging import Page, links

_EQUAL = {'instance_uuid': Migration.server_id, 'status': Migration.status, 'migration_type': Migration.type,
          'source_compute': Migration.source_host, 'user_id': Migration.user_id, 'project_id': Migration.project_id}


@handler(query=schemas.INDEX)
def index(req):
    """Newest first, in pages from 2.59 on."""
    context, query = req.context, req.query
    context.authorize(policies.INDEX)
    if query.get('project_id') != context.project_id:
        context.authorize(policies.INDEX_ALL)
    paged = req.version >= versions.MIGRATION_PAGES
    page = Page.from_query(query if paged else {}, context.service.conf.api.max_limit, ())
    with context.db.reader() as session:
        found = moves.page(session, _where(req), page.limit, page.marker)
    if found is None:
        raise errors.BadRequest(f'Marker {page.marker[:64]} could not be found.')
    hosts = context.can(policies.INDEX_HOST)
    shown = [views.listed(row, req.version, hosts) for row in found]
    return {'migrations': shown, **(links(req, 'migrations', shown, page, id='uuid') if paged else {})}


def _where(req) -> list:
    query, where = req.query, []
    known = {name: column for name, column in _EQUAL.items()
             if name not in ('user_id', 'project_id') or req.version >= versions.MIGRATION_OWNERS}
    for name, column in known.items():
        if query.get(name):
            where.append(column == query[name])
    if query.get('host'):
        where.append(moves.on_host(query['host']))
    changed = lists.either(Migration.updated_at, Migration.created_at)
    since, before = (moment(name, query[name]) if name in query and req.version >= least else None for name, least in (
        ('changes-since', versions.MIGRATION_PAGES), ('changes-before', versions.CHANGES_BEFORE)))
    if since and before and before < since:
        raise errors.BadRequest('The value of changes-since must be less than or equal to changes-before.')
    return where + ([changed >= since] if since else []) + ([changed <= before] if before else [])


@handler(min='2.23')
def of_server(req, server_id):
    """Those that are under way."""
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.OF_SERVER, server)
    hosts = req.context.can(policies.OF_SERVER_HOST, server)
    with req.context.db.reader() as session:
        found = moves.page(session, [Migration.server_id == server.id, Migration.status.in_(moves.UNDER_WAY)], 100)
    return {'migrations': [views.of_server(row, req.version, hosts) for row in found]}


@handler(min='2.23')
def show(req, server_id, migration_id):
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.SHOW, server)
    with req.context.db.reader() as session:
        number = int(migration_id) if re.fullmatch('[0-9]{1,9}', migration_id) else 0
        found = moves.page(session, [Migration.server_id == server.id, Migration.id == number], 1)
    if not found:
        raise errors.NotFound(f'Migration {migration_id[:64]} could not be found for server {server.id}.')
    if found[0].status not in moves.UNDER_WAY:
        raise errors.NotFound(f'Migration {migration_id} for server {server.id} is not in progress.')
    return {'migration': views.of_server(found[0], req.version, hosts=True)}
