"""Services as answers show them."""
import datetime

from svckit.db import utcnow
from volsvc.api import versions


def detail(service, age: float, down_time: float, version) -> dict:
    """`age`: seconds since it reported."""
    up = age <= down_time
    shown = {'binary': service.binary, 'host': service.host, 'zone': service.availability_zone,
             'status': 'disabled' if service.disabled else 'enabled', 'state': 'up' if up else 'down',
             'updated_at': utcnow() - datetime.timedelta(seconds=age)}
    if version >= versions.BACKEND_STATE and service.binary == 'cinder-volume':
        shown['backend_state'] = 'up' if up else 'down'
    if version >= versions.CLUSTERS:
        shown['cluster'] = None
    shown['disabled_reason'] = service.disabled_reason
    if service.binary == 'cinder-volume':
        shown |= {'replication_status': 'disabled', 'active_backend_id': None, 'frozen': False}
    return shown
