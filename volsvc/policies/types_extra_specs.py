"""Policies of volume types' extra specs."""
from volsvc.policies.base import ADMIN, READER_OF_CLOUD, SYSTEM_READER, cloud_rule

INDEX = 'volume_extension:types_extra_specs:index'
CREATE = 'volume_extension:types_extra_specs:create'
SHOW = 'volume_extension:types_extra_specs:show'
UPDATE = 'volume_extension:types_extra_specs:update'
DELETE = 'volume_extension:types_extra_specs:delete'
READ_SENSITIVE = 'volume_extension:types_extra_specs:read_sensitive'

USER_VISIBLE = ('RESKEY:availability_zones', 'multiattach', 'replication_enabled')
"""Extra specs that tell a user what a type can do and nothing of how the cloud is built."""

_PATH = '/types/{type_id}/extra_specs'

RULES = [
    cloud_rule(INDEX, READER_OF_CLOUD, 'List the extra specs of a type.', f'GET {_PATH}'),
    cloud_rule(CREATE, ADMIN, 'Add extra specs to a type.', f'POST {_PATH}'),
    cloud_rule(SHOW, READER_OF_CLOUD, 'Show an extra spec of a type.', f'GET {_PATH}/{{key}}'),
    cloud_rule(UPDATE, ADMIN, 'Change an extra spec of a type.', f'PUT {_PATH}/{{key}}'),
    cloud_rule(DELETE, ADMIN, 'Remove an extra spec from a type.', f'DELETE {_PATH}/{{key}}'),
    cloud_rule(READ_SENSITIVE, SYSTEM_READER, f'See extra specs other than {", ".join(USER_VISIBLE)}.',
               'GET /types', 'GET /types/{type_id}', f'GET {_PATH}', f'GET {_PATH}/{{key}}'),
]
