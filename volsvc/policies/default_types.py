"""Policies of the types of volumes that are made without one."""
from volsvc.policies.base import MANAGER, MANAGER_OR_SYSTEM_READER, SYSTEM_READER, cloud_rule

SET = 'volume_extension:default_set_or_update'
GET = 'volume_extension:default_get'
GET_ALL = 'volume_extension:default_get_all'
UNSET = 'volume_extension:default_unset'

_PATH = '/default-types/{project_id}'

RULES = [
    cloud_rule(SET, MANAGER, 'Choose the type of a project\'s volumes that are made without one.', f'PUT {_PATH}'),
    cloud_rule(GET, MANAGER_OR_SYSTEM_READER, 'Show the type that was chosen for a project.', f'GET {_PATH}'),
    cloud_rule(GET_ALL, SYSTEM_READER, 'List the types that were chosen, with their projects.', 'GET /default-types'),
    cloud_rule(UNSET, MANAGER, 'Take a project back to the type that all others have.', f'DELETE {_PATH}'),
]
