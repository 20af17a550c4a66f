"""Services as answers show them."""
from computesvc.api import versions
from computesvc.api.views.servers import moment
from computesvc.db import services


def shown(service, age: float, down_time: float, version) -> dict:
    view = {'binary': service.binary, 'host': service.host, 'zone': service.zone,
            'id': service.uuid if version >= versions.UUIDS else service.id,
            'status': 'disabled' if service.disabled else 'enabled',
            'state': 'up' if services.up(service, age, down_time) else 'down',
            'updated_at': moment(service.updated_at or service.created_at),
            'disabled_reason': service.disabled_reason}
    if version >= versions.FORCED_DOWN:
        view['forced_down'] = service.forced_down
    return view
