"""Servers: list, show, create, change, delete."""
import secrets

from computesvc import errors
from computesvc.api import new_servers, server_filters, versions
from computesvc.api.schemas import servers as schemas
from computesvc.api.schemas.types import BOOLEAN, true
from computesvc.api.views import servers as views
from computesvc.db import attachments, lists, servers, services
from computesvc.db.models import Server
from computesvc.operations import boot_server, delete_server
from computesvc.policies import servers as policies
from svckit.db import swap
from svckit.web.handler import handler
from svckit.web.paging import Page, links
from svckit.web.response import Response

SORTS = {name: getattr(Server, name) for name in (
    'created_at', 'updated_at', 'name', 'id', 'host', 'node', 'vm_state', 'task_state', 'power_state', 'project_id',
    'user_id', 'launched_at', 'terminated_at', 'availability_zone', 'key_name', 'hostname', 'launch_index', 'locked')}
SORTS |= {'display_name': Server.name, 'uuid': Server.id, 'image_ref': Server.image_id,
          'display_description': Server.description, 'root_device_name': Server.root_device}


@handler(query=schemas.QUERY)
def index(req):
    """Servers by name and id only."""
    found, page = _find(req, policies.INDEX, policies.INDEX_ALL)
    shown = [views.basic(req, server) for server in found]
    return {'servers': shown, **links(req, 'servers', shown, page)}


@handler(query=schemas.QUERY)
def detail(req):
    found, page = _find(req, policies.DETAIL, policies.DETAIL_ALL)
    shown = _full(req, found, single=False)
    return {'servers': shown, **links(req, 'servers', shown, page)}


@handler()
def show(req, server_id):
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.SHOW, server)
    return {'server': _full(req, [server])[0]}


@handler(status=202, body=schemas.CREATE)
def create(req):
    """Start as many servers as asked for; each is an operation of its own."""
    context, wish = req.context, req.data['server']
    context.authorize(policies.CREATE)
    if wish.get('key_name'):
        new_servers.check_key(context, wish['key_name'])
    new_servers.check_hints(req.data.get('os:scheduler_hints') or req.data.get('OS-SCH-HNT:scheduler_hints') or {})
    plan = new_servers.plan(context, wish, req.version)
    with new_servers.volumes_made(context, plan):
        boot_server.request(context, plan.servers, wanted_host=plan.host, wanted_node=plan.node)
    first = plan.servers[0][0]
    if true(wish.get('return_reservation_id', False)):
        return {'reservation_id': first.reservation_id}
    body = views.created(req, first, wish.get('security_groups'), wish.get('adminPass') or secrets.token_urlsafe(9))
    return Response({'server': body}, headers={'Location': body['links'][0]['href']})


@handler(body=schemas.UPDATE)
def update(req, server_id):
    context, wish = req.context, req.data['server']
    server = servers.get(context, server_id)
    context.authorize(policies.UPDATE, server)
    columns = {'name': 'name', 'description': 'description', 'hostname': 'hostname', 'accessIPv4': 'access_ip_v4',
               'accessIPv6': 'access_ip_v6'}
    values = {column: new_servers.clean(name, wish[name]) for name, column in columns.items() if name in wish}
    if values:
        context.db.run(lambda session: swap(session, Server, server.id, {'deleted_at': None}, values))
    shown = _full(req, [servers.get(context, server_id)])[0]
    return {'server': shown if req.version >= versions.STRICT_QUERIES else views.of_update(shown)}


@handler(status=204)
def delete(req, server_id):
    """Whatever the server is doing."""
    server = servers.get(req.context, server_id)
    req.context.authorize(policies.DELETE, server)
    if server.locked and not req.context.is_admin:
        raise errors.ServerLocked(server_id)
    delete_server.request(req.context, server)


@handler()
def addresses(req, server_id):
    """A user-mode network has none that anybody outside could use."""
    req.context.authorize(policies.ADDRESSES, servers.get(req.context, server_id))
    return {'addresses': {}}


def _full(req, found, single=True) -> list[dict]:
    """Full views, with as many queries as for one."""
    with req.context.db.reader() as session:
        volumes = attachments.of_servers(session, [server.id for server in found]) if found else {}
        hosts = {service.host: (service, age) for service, age in services.find(session, binary=services.AGENT)}
    return [views.full(req, server, volumes[server.id], *_place(req, hosts, server), single) for server in found]


def _place(req, hosts, server):
    """(zone, status) of a server's host."""
    if not server.host or server.host not in hosts:
        return None, 'UNKNOWN' if server.host else ''
    service, age = hosts[server.host]
    if service.forced_down:
        return service.zone, 'DOWN'
    if not services.up(service, age, req.context.service.conf.service.down_time):
        return service.zone, 'UNKNOWN'
    return service.zone, 'MAINTENANCE' if service.disabled else 'UP'


# ------------------------------------------------------------------ lists

def _find(req, policy, policy_all):
    context, query = req.context, req.query
    context.authorize(policy)
    project_id = context.project_id
    if _all_projects(query):
        context.authorize(policy_all)
        project_id = query.get('project_id') or query.get('tenant_id')
    page = _page(req)
    where = server_filters.conditions(req)
    with context.db.reader() as session:
        where += [] if project_id is None else [Server.project_id == project_id]
        return lists.page(session, Server, where, page, SORTS), page


def _all_projects(query) -> bool:
    word = query.get('all_tenants')
    if word is not None and word not in ('', *BOOLEAN['enum']):
        raise errors.BadRequest(f'Invalid all_tenants {word[:40]!r}.')
    return word == '' or true(word)


def _page(req) -> Page:
    query = {name: value for name, value in req.query.items() if (name, value) != ('limit', '0')}   # as many as may be
    page = Page.from_query(query, req.context.service.conf.api.max_limit, SORTS, lists=req.query_lists)
    if {'host', 'node'} & {key for key, _ in page.sort} and not req.context.is_admin:
        raise errors.Forbidden('Only administrators can sort servers by host or node')
    return page
