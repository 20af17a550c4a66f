"""Availability zones: those of the agents."""
from computesvc.api.views.servers import moment
from computesvc.db import services
from computesvc.policies import availability_zones as policies
from svckit.web.handler import handler


@handler()
def index(req):
    req.context.authorize(policies.LIST)
    zones = {}
    for service, up in _services(req):
        if service.binary == services.AGENT:
            zones[service.zone] = zones.get(service.zone, False) or (up and not service.disabled)
    return {'availabilityZoneInfo': [_zone(name, available, None) for name, available in sorted(zones.items())]}


@handler()
def detail(req):
    """With the hosts and services of each zone."""
    req.context.authorize(policies.DETAIL)
    zones = {}
    for service, up in _services(req):
        hosts = zones.setdefault(service.zone, {})
        hosts.setdefault(service.host, {})[service.binary] = {
            'available': up, 'active': not service.disabled,
            'updated_at': moment(service.updated_at or service.created_at)}
    return {'availabilityZoneInfo': [_zone(name, True, hosts) for name, hosts in sorted(zones.items())]}


def _zone(name, available, hosts):
    return {'zoneName': name, 'zoneState': {'available': available}, 'hosts': hosts}


def _services(req):
    limit = req.context.service.conf.service.down_time
    with req.context.db.reader() as session:
        return [(service, services.up(service, age, limit)) for service, age in services.find(session)]
