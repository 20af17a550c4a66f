"""Policies of quotas and limits."""
from volsvc.policies.base import ADMIN, READER, READER_OF_CLOUD, SYSTEM_READER, cloud_rule, rule

SHOW = 'volume_extension:quotas:show'
UPDATE = 'volume_extension:quotas:update'
DELETE = 'volume_extension:quotas:delete'
CLASS_GET = 'volume_extension:quota_classes:get'
CLASS_UPDATE = 'volume_extension:quota_classes:update'
USED_LIMITS = 'limits_extension:used_limits'
OTHER_LIMITS = 'limits_extension:other_project'

_PATH = '/os-quota-sets/{project_id}'

RULES = [
    cloud_rule(SHOW, READER_OF_CLOUD, 'Show the quota of a project.', f'GET {_PATH}', f'GET {_PATH}/defaults'),
    cloud_rule(UPDATE, ADMIN, 'Change the quota of a project.', f'PUT {_PATH}'),
    cloud_rule(DELETE, ADMIN, 'Take a project back to the default quota.', f'DELETE {_PATH}'),
    cloud_rule(CLASS_GET, SYSTEM_READER, 'Show the default quota.', 'GET /os-quota-class-sets/{quota_class}'),
    cloud_rule(CLASS_UPDATE, ADMIN, 'Change the default quota.', 'PUT /os-quota-class-sets/{quota_class}'),
    rule(USED_LIMITS, READER, 'See in the limits how much of them is used.', 'GET /limits'),
    rule(OTHER_LIMITS, ADMIN, 'Show the limits of another project.', 'GET /limits?project_id={project_id}'),
]
