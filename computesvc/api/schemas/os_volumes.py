"""Bodies and queries of volumes and snapshots as the compute service shows them."""
from computesvc.api.schemas.types import BOOLEAN, LIMIT, METADATA, SIZE_GB, TEXT, obj, wrapped

_TEXT = {'type': 'string', 'maxLength': 255}

QUERY = obj({'limit': LIMIT, 'offset': LIMIT}, extra=True)
CREATE = wrapped('volume', obj(
    {'size': SIZE_GB, 'snapshot_id': _TEXT, 'volume_type': _TEXT, 'availability_zone': _TEXT, 'metadata': METADATA,
     'display_name': TEXT, 'display_description': TEXT}, ['size']))
SNAPSHOT_CREATE = wrapped('snapshot', obj(
    {'volume_id': _TEXT, 'force': BOOLEAN, 'display_name': TEXT, 'display_description': TEXT}, ['volume_id']))
EXTEND = wrapped('os-extend', obj(
    {'new_size': {'type': 'integer', 'minimum': 1, 'maximum': 2147483647}}, ['new_size']))
