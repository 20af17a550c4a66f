"""Bodies of requests about snapshots."""
from volsvc.api.schemas.types import BOOLEAN, PAIRS_OR_NULL, TEXT, UUID, only, record

CREATE = only('snapshot', record(
    {'volume_id': UUID, 'name': TEXT, 'display_name': TEXT, 'description': TEXT, 'display_description': TEXT,
     'force': {'anyOf': [BOOLEAN, {'type': 'null'}]}, 'metadata': PAIRS_OR_NULL}, ['volume_id']))
UPDATE = only('snapshot', record(
    {'name': TEXT, 'display_name': TEXT, 'description': TEXT, 'display_description': TEXT}, minProperties=1))
RESET_STATUS = only('os-reset_status', record({'status': {'type': 'string', 'maxLength': 32}}, ['status']))
UPDATE_STATUS = only('os-update_snapshot_status', record(
    {'status': {'type': 'string', 'maxLength': 32}, 'progress': {'type': 'string', 'pattern': '^(100|[0-9]{1,2})%$'}},
    ['status']))
FORCE_DELETE: dict = only('os-force_delete', {})
