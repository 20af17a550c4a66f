"""Policies of snapshots."""
from volsvc.policies.base import ADMIN, MEMBER, MEMBER_OR_SERVICE, READER, rule

CREATE = 'volume:create_snapshot'
GET = 'volume:get_snapshot'
GET_ALL = 'volume:get_all_snapshots'
UPDATE = 'volume:update_snapshot'
DELETE = 'volume:delete_snapshot'
EXTENDED_ATTRIBUTES = 'volume_extension:extended_snapshot_attributes'
RESET_STATUS = 'volume_extension:snapshot_admin_actions:reset_status'
FORCE_DELETE = 'volume_extension:snapshot_admin_actions:force_delete'
UPDATE_STATUS = 'snapshot_extension:snapshot_actions:update_snapshot_status'
GET_METADATA = 'volume:get_snapshot_metadata'
UPDATE_METADATA = 'volume:update_snapshot_metadata'
DELETE_METADATA = 'volume:delete_snapshot_metadata'

_PATH = '/snapshots/{snapshot_id}'
_METADATA = f'{_PATH}/metadata'

RULES = [
    rule(CREATE, MEMBER, 'Create a snapshot.', 'POST /snapshots'),
    rule(GET, READER, 'Show a snapshot.', f'GET {_PATH}'),
    rule(GET_ALL, READER, 'List snapshots.', 'GET /snapshots', 'GET /snapshots/detail'),
    rule(UPDATE, MEMBER, 'Change a snapshot\'s name and description.', f'PUT {_PATH}'),
    rule(DELETE, MEMBER, 'Delete a snapshot.', f'DELETE {_PATH}'),
    rule(EXTENDED_ATTRIBUTES, READER, 'See which project owns a snapshot, and how far its making has come.',
         f'GET {_PATH}', 'GET /snapshots/detail'),
    rule(RESET_STATUS, ADMIN, 'Set a snapshot\'s status.', f'POST {_PATH}/action (os-reset_status)'),
    rule(FORCE_DELETE, ADMIN, 'Delete a snapshot in any status.', f'POST {_PATH}/action (os-force_delete)'),
    rule(UPDATE_STATUS, MEMBER_OR_SERVICE, 'Say how far a compute service is with a snapshot that it makes or deletes.',
         f'POST {_PATH}/action (os-update_snapshot_status)'),
    rule(GET_METADATA, READER, 'Show a snapshot\'s metadata.', f'GET {_METADATA}', f'GET {_METADATA}/{{key}}'),
    rule(UPDATE_METADATA, MEMBER, 'Add to a snapshot\'s metadata, or replace them.', f'POST {_METADATA}',
         f'PUT {_METADATA}', f'PUT {_METADATA}/{{key}}'),
    rule(DELETE_METADATA, MEMBER, 'Remove from a snapshot\'s metadata.', f'DELETE {_METADATA}/{{key}}'),
]
