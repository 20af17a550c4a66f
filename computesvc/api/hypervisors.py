"""Hypervisors: what hosts there are, and what they can do."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas.types import true
from computesvc.api.views import hypervisors as views
from computesvc.db import claims, hypervisors, servers, services
from computesvc.policies import hypervisors as policies
from svckit.web.handler import handler


@handler()
def index(req):
    req.context.authorize(policies.LIST)
    return {'hypervisors': [views.basic(row, service, up, req.version) | more
                            for row, service, up, count, more in _found(req)]}


@handler()
def detail(req):
    req.context.authorize(policies.DETAIL)
    return {'hypervisors': [views.full(row, service, up, count, req.version) | more
                            for row, service, up, count, more in _found(req)]}


@handler()
def show(req, hypervisor_id):
    req.context.authorize(policies.SHOW)
    row, service, up, count, more = _one(req, hypervisor_id)
    return {'hypervisor': views.full(row, service, up, count, req.version) | more}


@handler()
def uptime(req, hypervisor_id):
    req.context.authorize(policies.UPTIME)
    row, service, up, _, _ = _one(req, hypervisor_id)
    return {'hypervisor': views.basic(row, service, up, req.version) | {'uptime': None}}


@handler(max='2.52')
def search(req, hypervisor_id):
    """By a part of the name."""
    req.context.authorize(policies.SEARCH)
    found = [views.basic(row, service, up, req.version)
             for row, service, up, _, _ in _found(req, hypervisor_id)]
    if not found:
        raise errors.NotFound(f"No hypervisor matching '{hypervisor_id}' could be found.")
    return {'hypervisors': found}


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
        if hypervisor_id == (found[0].uuid if req.version >= versions.UUIDS else str(found[0].id)):
            return found
    raise errors.NotFound(f"Hypervisor with ID '{hypervisor_id}' could not be found.")


def _found(req, pattern=None):
    """Those the query asks for, with their servers where it does."""
    query = req.query if req.version >= versions.UUIDS else {}
    pattern = pattern or query.get('hypervisor_hostname_pattern')
    found = _all(req, pattern)
    if pattern and not found and 'hypervisor_hostname_pattern' in query:
        raise errors.NotFound(f"No hypervisor matching '{pattern[:64]}' could be found.")
    if true(query.get('with_servers', '')):
        return [(row, service, up, count, {'servers': _servers(req, row.host)}) for row, service, up, count, _ in found]
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


def _servers(req, host):
    with req.context.db.reader() as session:
        return [{'uuid': server.id, 'name': f'instance-{server.id[:8]}'} for server in servers.on_host(session, host)]
