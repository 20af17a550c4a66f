"""Policies of volumes and snapshots as the compute service shows them; the volume service's own hold besides."""
from computesvc.policies.base import MEMBER, READER, rule

_NAME = 'os_compute_api:os-volumes'

INDEX = f'{_NAME}:list'
DETAIL = f'{_NAME}:detail'
SHOW = f'{_NAME}:show'
CREATE = f'{_NAME}:create'
DELETE = f'{_NAME}:delete'
EXTEND = f'{_NAME}:extend'
SNAPSHOT_INDEX = f'{_NAME}:snapshots:list'
SNAPSHOT_DETAIL = f'{_NAME}:snapshots:detail'
SNAPSHOT_SHOW = f'{_NAME}:snapshots:show'
SNAPSHOT_CREATE = f'{_NAME}:snapshots:create'
SNAPSHOT_DELETE = f'{_NAME}:snapshots:delete'

RULES = [
    rule(INDEX, READER, 'List volumes, up to 2.35.', 'GET /os-volumes'),
    rule(DETAIL, READER, 'List volumes, up to 2.35.', 'GET /os-volumes/detail'),
    rule(SHOW, READER, 'Show a volume, up to 2.35.', 'GET /os-volumes/{volume_id}'),
    rule(CREATE, MEMBER, 'Create a volume, up to 2.35.', 'POST /os-volumes'),
    rule(DELETE, MEMBER, 'Delete a volume, up to 2.35.', 'DELETE /os-volumes/{volume_id}'),
    rule(EXTEND, MEMBER, 'Extend a volume.', 'POST /os-volumes/{volume_id}/action (os-extend)'),
    rule(SNAPSHOT_INDEX, READER, 'List snapshots, up to 2.35.', 'GET /os-snapshots'),
    rule(SNAPSHOT_DETAIL, READER, 'List snapshots, up to 2.35.', 'GET /os-snapshots/detail'),
    rule(SNAPSHOT_SHOW, READER, 'Show a snapshot, up to 2.35.', 'GET /os-snapshots/{snapshot_id}'),
    rule(SNAPSHOT_CREATE, MEMBER, 'Create a snapshot, up to 2.35.', 'POST /os-snapshots'),
    rule(SNAPSHOT_DELETE, MEMBER, 'Delete a snapshot, up to 2.35.', 'DELETE /os-snapshots/{snapshot_id}'),
]
