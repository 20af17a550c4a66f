"""Policies of what can be done with a volume."""
from volsvc.policies.base import ADMIN, ADMIN_OR_SERVICE, MEMBER, rule

EXTEND = 'volume:extend'
EXTEND_ATTACHED = 'volume:extend_attached_volume'
EXTEND_ERRORED = 'volume:extend_errored'
EXTEND_COMPLETION = 'volume_extension:volume_admin_actions:extend_volume_completion'
REVERT = 'volume:revert_to_snapshot'
UPLOAD_IMAGE = 'volume_extension:volume_actions:upload_image'
UPLOAD_PUBLIC = 'volume_extension:volume_actions:upload_public'
UPDATE_READONLY = 'volume:update_readonly_flag'
RESET_STATUS = 'volume_extension:volume_admin_actions:reset_status'
FORCE_DELETE = 'volume_extension:volume_admin_actions:force_delete'

_PATH = 'POST /volumes/{volume_id}/action'

RULES = [
    rule(EXTEND, MEMBER, 'Extend a volume.', f'{_PATH} (os-extend)'),
    rule(EXTEND_ATTACHED, MEMBER, 'Extend a volume that is in use.', f'{_PATH} (os-extend)'),
    rule(EXTEND_ERRORED, MEMBER, 'Extend a volume again whose last extend failed.', f'{_PATH} (os-extend)'),
    rule(EXTEND_COMPLETION, ADMIN_OR_SERVICE, 'Say that a compute service has grown a volume.',
         f'{_PATH} (os-extend_volume_completion)'),
    rule(REVERT, MEMBER, 'Take a volume back to its latest snapshot.', f'{_PATH} (revert)'),
    rule(UPLOAD_IMAGE, MEMBER, 'Make an image of a volume.', f'{_PATH} (os-volume_upload_image)'),
    rule(UPLOAD_PUBLIC, ADMIN, 'Make an image of a volume that everybody sees.',
         f'{_PATH} (os-volume_upload_image)'),
    rule(UPDATE_READONLY, MEMBER, 'Make a volume read-only, or writable again.',
         f'{_PATH} (os-update_readonly_flag)'),
    rule(RESET_STATUS, ADMIN, 'Set a volume\'s status.', f'{_PATH} (os-reset_status)'),
    rule(FORCE_DELETE, ADMIN, 'Delete a volume in any status.', f'{_PATH} (os-force_delete)'),
]
