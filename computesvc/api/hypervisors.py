"""Hypervisors: what hosts there are, and what they can do."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import hypervisors as schemas
from computesvc.api.schemas.types import true
from computesvc.api.views import hypervisors as views
from computesvc.db import claims, hypervisors, servers, services
from computesvc.policies import hypervisors as policies
from svckit.web.handler import handler
from svckit.web.paging import Page, links


@handler(query=schemas.LIST)
def index(req):
    req.context.authorize(policies.LIST)
    return _listed(req, lambda row, service, up, count: views.basic(row, service, up, req.version))


@handler(query=schemas.LIST)
def detail(req):
    req.context.authorize(policies.DETAIL)
    return _listed(req, lambda row, service, up, count: views.full(row, service, up, count, req.version))


def _listed(req, view):
    """Since 2.33 in pages, but for those found by a name."""
    found = _found(req)
    paged = req.version >= versions.HYPERVISOR_PAGES and 'hypervisor_hostname_pattern' not in req.query
    page = Page.from_query(req.query if paged else {}, req.context.service.conf.api.max_limit, ())
    if page.marker:
        place = next((place for place, one in enumerate(found) if page.marker == _id(req, one[0])), None)
        if place is None:
            raise errors.BadRequest(f'marker [{page.marker[:64]}] not found')
        found = found[place + 1:]
    shown = [view(*one) | more for *one, more in (found[:page.limit] if paged else found)]
    return {'hypervisors': shown, **(links(req, 'hypervisors', shown, page) if paged else {})}


@handler(query=schemas.SHOW)
def show(req, hypervisor_id):
    req.context.authorize(policies.SHOW)
    row, service, up, count, more = _one(req, hypervisor_id)
    return {'hypervisor': views.full(row, service, up, count, req.version) | more}


@handler(max='2.87')
def uptime(req, hypervisor_id):
    req.context.authorize(policies.UPTIME)
    row, service, up, _, _ = _one(req, hypervisor_id)
    return {'hypervisor': views.basic(row, service, up, req.version) | {'uptime': None}}


@handler(max='2.52')
def search(req, hypervisor_id):
    """By a part of the name."""
    req.context.authorize(policies.SEARCH)
    return {'hypervisors': [views.basic(row, service, up, req.version)
                            for row, service, up, _, _ in _named(req, hypervisor_id)]}


@handler(max='2.52')
def of_servers(req, hypervisor_id):
    """By a part of the name, with their servers."""
    req.context.authorize(policies.SERVERS)
    return {'hypervisors': [views.basic(row, service, up, req.version) | _with_servers(req, row)
                            for row, service, up, _, _ in _named(req, hypervisor_id)]}


@handler(max='2.87')
def statistics(req):
    """The sums over all that are enabled."""
    req.context.authorize(policies.STATISTICS)
    rows = [views.numbers(row, count) | {'disk_available_least': row.local_gb - row.disk_gb_used}
            for row, service, up, count, _ in _found(req) if not service.disabled]
    names = ('vcpus', 'vcpus_used', 'memory_mb', 'memory_mb_used', 'free_ram_mb', 'local_gb', 'local_gb_used',
             'free_disk_gb', 'running_vms', 'current_workload', 'disk_available_least')
    return {'hypervisor_statistics': {'count': len(rows), **{name: sum(row[name] for row in rows) for name in names}}}


@handler()
def capabilities(req, hypervisor_id):
    """Whether the host can show running guests a grown volume; by id or by host name.  Not in Nova."""
    req.context.authorize(policies.CAPABILITIES)
    found = [f for f in _all(req) if hypervisor_id in (f[0].uuid, f[0].hostname, str(f[0].id))]
    if not found:
        raise errors.NotFound('Hypervisor', hypervisor_id)
    row, _, up, _, _ = found[0]
    return {'capabilities': {
        'extend_attached': bool(row.capabilities.get('extend_attached')), 'hypervisor_type': row.type,
        'protocols': row.capabilities.get('protocols') or [], 'state': 'up' if up else 'down'}}


def _one(req, hypervisor_id):
    """By UUID from 2.53 on, by number before.  A name is not found, so that clients go on to look for names."""
    for found in _found(req):
        if hypervisor_id == _id(req, found[0]):
            return found
    raise errors.NotFound(f"Hypervisor with ID '{hypervisor_id}' could not be found.")


def _id(req, row) -> str:
    return row.uuid if req.version >= versions.UUIDS else str(row.id)


def _named(req, pattern):
    found = _all(req, pattern)
    if not found:
        raise errors.NotFound(f"No hypervisor matching '{pattern[:64]}' could be found.")
    return found


def _found(req):
    """Those the query asks for, with their servers where it does."""
    query = req.query if req.version >= versions.UUIDS else {}
    pattern = query.get('hypervisor_hostname_pattern')
    found = _named(req, pattern) if pattern else _all(req)
    if true(query.get('with_servers', '')):
        return [(row, service, up, count, _with_servers(req, row)) for row, service, up, count, _ in found]
    return found


def _all(req, pattern=None) -> list[tuple]:
    """(hypervisor, its agent's service, up?, how many servers hold room there, {}) of each."""
    limit = req.context.service.conf.service.down_time
    with req.context.db.reader() as session:
        agents = {service.host: (service, age) for service, age in services.find(session, binary=services.AGENT)}
        running = claims.counts(session)
        rows = hypervisors.find(session, pattern)
    return [(row, agents[row.host][0], services.up(*agents[row.host], limit), running.get(row.host, 0), {})
            for row in rows if row.host in agents]


def _with_servers(req, row) -> dict:
    """Before 2.75 a host without any has no such field."""
    with req.context.db.reader() as session:
        found = [{'uuid': server.id, 'name': f'instance-{server.id[:8]}'}
                 for server in servers.on_host(session, row.host)]
    return {'servers': found} if found or req.version >= versions.STRICT_QUERIES else {}
