"""Which filters each list takes."""
from svckit.web import handler
from volsvc.api import versions

_KNOWN = {
    'attachment': ['volume_id', 'status', 'instance_id', 'attach_status'],
    'message': ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'],
    'pool': ['name', 'volume_type'],
    'snapshot': ['name', 'status', 'volume_id', 'metadata', 'availability_zone', 'consumes_quota', 'name~', 'status~'],
    'volume': ['name', 'status', 'metadata', 'bootable', 'migration_status', 'availability_zone', 'group_id', 'size',
               'created_at', 'updated_at', 'consumes_quota', 'glance_metadata', 'name~', 'status~', 'description~'],
    'volume_type': ['is_public', 'extra_specs'],
}


@handler(min=versions.RESOURCE_FILTERS, reads={'resource': None})
def index(req):
    """Of every list, or of the one that `resource` names."""
    wanted = req.query.get('resource')
    return {'resource_filters': [{'resource': resource, 'filters': names} for resource, names in _KNOWN.items()
                                 if wanted in (None, resource)]}
