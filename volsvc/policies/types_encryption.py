"""Policies of how volumes of a type are encrypted."""
from volsvc.policies.base import ADMIN, rule

CREATE = 'volume_extension:volume_type_encryption:create'
GET = 'volume_extension:volume_type_encryption:get'
UPDATE = 'volume_extension:volume_type_encryption:update'
DELETE = 'volume_extension:volume_type_encryption:delete'

_PATH = '/types/{type_id}/encryption'

RULES = [
    rule(CREATE, ADMIN, 'Say how volumes of a type are encrypted.', f'POST {_PATH}'),
    rule(GET, ADMIN, 'See how volumes of a type are encrypted.', f'GET {_PATH}', f'GET {_PATH}/{{key}}'),
    rule(UPDATE, ADMIN, 'Change how volumes of a type are encrypted.', f'PUT {_PATH}/{{key}}'),
    rule(DELETE, ADMIN, 'Say that volumes of a type are not encrypted after all.', f'DELETE {_PATH}/{{key}}'),
]
