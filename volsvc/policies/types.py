"""Policies of volume types and of who may use them."""
from volsvc.policies.base import ADMIN, MEMBER, READER, READER_OR_SERVICE, rule

CREATE = 'volume_extension:type_create'
UPDATE = 'volume_extension:type_update'
DELETE = 'volume_extension:type_delete'
GET = 'volume_extension:type_get'
GET_ALL = 'volume_extension:type_get_all'
EXTRA_SPECS = 'volume_extension:access_types_extra_specs'
QOS = 'volume_extension:access_types_qos_specs_id'
ACCESS = 'volume_extension:volume_type_access'
ACCESS_ADD = 'volume_extension:volume_type_access:addProjectAccess'
ACCESS_REMOVE = 'volume_extension:volume_type_access:removeProjectAccess'
ACCESS_LIST = 'volume_extension:volume_type_access:get_all_for_type'

_SHOWN = ('GET /types/{type_id}', 'GET /types')

RULES = [
    rule(CREATE, ADMIN, 'Create a volume type.', 'POST /types'),
    rule(UPDATE, ADMIN, 'Change a volume type.', 'PUT /types/{type_id}'),
    rule(DELETE, ADMIN, 'Delete a volume type.', 'DELETE /types/{type_id}'),
    rule(GET, READER_OR_SERVICE, 'Show a volume type.', 'GET /types/{type_id}'),
    rule(GET_ALL, READER, 'List volume types.', 'GET /types'),
    rule(EXTRA_SPECS, READER, 'See the extra specs of volume types.', *_SHOWN),
    rule(QOS, ADMIN, 'See the QoS specs of volume types.', *_SHOWN),
    rule(ACCESS, MEMBER, 'See whether volume types are public.', *_SHOWN, 'POST /types'),
    rule(ACCESS_ADD, ADMIN, 'Let a project use a private type.', 'POST /types/{type_id}/action (addProjectAccess)'),
    rule(ACCESS_REMOVE, ADMIN, 'No longer let a project use a private type.',
         'POST /types/{type_id}/action (removeProjectAccess)'),
    rule(ACCESS_LIST, ADMIN, 'List the projects that may use a private type.',
         'GET /types/{type_id}/os-volume-type-access'),
]
