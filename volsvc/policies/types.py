"""Policies of volume types and of who may use them."""
from volsvc.policies.base import ADMIN, MEMBER, READER_OF_CLOUD, READER_OF_CLOUD_OR_SERVICE, SYSTEM_READER, cloud_rule

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
    cloud_rule(CREATE, ADMIN, 'Create a volume type.', 'POST /types'),
    cloud_rule(UPDATE, ADMIN, 'Change a volume type.', 'PUT /types/{type_id}'),
    cloud_rule(DELETE, ADMIN, 'Delete a volume type.', 'DELETE /types/{type_id}'),
    cloud_rule(GET, READER_OF_CLOUD_OR_SERVICE, 'Show a volume type.', 'GET /types/{type_id}'),
    cloud_rule(GET_ALL, READER_OF_CLOUD, 'List volume types.', 'GET /types'),
    cloud_rule(EXTRA_SPECS, READER_OF_CLOUD, 'See the extra specs of volume types.', *_SHOWN),
    cloud_rule(QOS, SYSTEM_READER, 'See the QoS specs of volume types.', *_SHOWN),
    cloud_rule(ACCESS, MEMBER, 'See whether volume types are public.', *_SHOWN, 'POST /types'),
    cloud_rule(ACCESS_ADD, ADMIN, 'Let a project use a private type.',
               'POST /types/{type_id}/action (addProjectAccess)'),
    cloud_rule(ACCESS_REMOVE, ADMIN, 'No longer let a project use a private type.',
               'POST /types/{type_id}/action (removeProjectAccess)'),
    cloud_rule(ACCESS_LIST, ADMIN, 'List the projects that may use a private type.',
               'GET /types/{type_id}/os-volume-type-access'),
]
