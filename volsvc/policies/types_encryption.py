"""Policies of how volumes of a type are encrypted."""
from volsvc.policies.base import ADMIN, SYSTEM_READER, cloud_rule

CREATE = 'volume_extension:volume_type_encryption:create'
GET = 'volume_extension:volume_type_encryption:get'
UPDATE = 'volume_extension:volume_type_encryption:update'
DELETE = 'volume_extension:volume_type_encryption:delete'

_PATH = '/types/{type_id}/encryption'

RULES = [
    cloud_rule(CREATE, ADMIN, 'Say how volumes of a type are encrypted.', f'POST {_PATH}'),
    cloud_rule(GET, SYSTEM_READER, 'See how volumes of a type are encrypted.', f'GET {_PATH}', f'GET {_PATH}/{{key}}'),
    cloud_rule(UPDATE, ADMIN, 'Change how volumes of a type are encrypted.', f'PUT {_PATH}/{{key}}'),
    cloud_rule(DELETE, ADMIN, 'Say that volumes of a type are not encrypted after all.', f'DELETE {_PATH}/{{key}}'),
]
