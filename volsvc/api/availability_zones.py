"""Availability zones: where the backends are."""
from svckit.web import handler
from volsvc.db import services
from volsvc.policies import availability_zones as policies


@handler()
def index(req):
    """A zone is available if one of its backends takes volumes."""
    req.context.authorize(policies.LIST)
    conf = req.context.service.conf
    zones = {conf.default_availability_zone or conf.storage_availability_zone: False}
    with req.context.db.reader() as session:
        for service, age in services.every(session):
            zone = service.availability_zone
            open_now = not service.disabled and age <= conf.service.down_time
            zones[zone] = zones.get(zone, False) or open_now
    return {'availabilityZoneInfo': [{'zoneName': zone, 'zoneState': {'available': available}}
                                     for zone, available in sorted(zones.items())]}
