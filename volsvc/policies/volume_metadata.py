"""Policies of volumes' metadata."""
from volsvc.policies.base import MEMBER, READER_OR_SERVICE, rule

GET = 'volume:get_volume_metadata'
CREATE = 'volume:create_volume_metadata'
UPDATE = 'volume:update_volume_metadata'
DELETE = 'volume:delete_volume_metadata'
IMAGE_SHOW = 'volume_extension:volume_image_metadata:show'
IMAGE_SET = 'volume_extension:volume_image_metadata:set'
IMAGE_REMOVE = 'volume_extension:volume_image_metadata:remove'

_PATH = '/volumes/{volume_id}/metadata'
_ACTION = 'POST /volumes/{volume_id}/action'

RULES = [
    rule(GET, READER_OR_SERVICE, 'Show a volume\'s metadata.', f'GET {_PATH}', f'GET {_PATH}/{{key}}'),
    rule(CREATE, MEMBER, 'Add to a volume\'s metadata.', f'POST {_PATH}'),
    rule(UPDATE, MEMBER, 'Replace a volume\'s metadata.', f'PUT {_PATH}', f'PUT {_PATH}/{{key}}'),
    rule(DELETE, MEMBER, 'Remove from a volume\'s metadata.', f'DELETE {_PATH}/{{key}}'),
    rule(IMAGE_SHOW, READER_OR_SERVICE, 'See the metadata of the image that a volume was made from.',
         'GET /volumes/{volume_id}', 'GET /volumes/detail', f'{_ACTION} (os-show_image_metadata)'),
    rule(IMAGE_SET, MEMBER, 'Add to a volume\'s image metadata.', f'{_ACTION} (os-set_image_metadata)'),
    rule(IMAGE_REMOVE, MEMBER, 'Remove from a volume\'s image metadata.', f'{_ACTION} (os-unset_image_metadata)'),
]
