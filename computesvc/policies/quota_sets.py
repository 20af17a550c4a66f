"""Policies of quotas and limits."""
from computesvc.policies.base import ADMIN, ANYONE, READER, rule

SHOW = 'os_compute_api:os-quota-sets:show'
DEFAULTS = 'os_compute_api:os-quota-sets:defaults'
DETAIL = 'os_compute_api:os-quota-sets:detail'
UPDATE = 'os_compute_api:os-quota-sets:update'
DELETE = 'os_compute_api:os-quota-sets:delete'
CLASS_SHOW = 'os_compute_api:os-quota-class-sets:show'
CLASS_UPDATE = 'os_compute_api:os-quota-class-sets:update'
LIMITS = 'os_compute_api:limits'
OTHER_LIMITS = 'os_compute_api:limits:other_project'

RULES = [
    rule(SHOW, READER, 'Show the quota of a project.', 'GET /os-quota-sets/{project_id}'),
    rule(DEFAULTS, ANYONE, 'Show the default quota.', 'GET /os-quota-sets/{project_id}/defaults'),
    rule(DETAIL, READER, 'Show the quota of a project and what is used.', 'GET /os-quota-sets/{project_id}/detail'),
    rule(UPDATE, ADMIN, 'Change the quota of a project.', 'PUT /os-quota-sets/{project_id}'),
    rule(DELETE, ADMIN, 'Take a project back to the default quota.', 'DELETE /os-quota-sets/{project_id}'),
    rule(CLASS_SHOW, ADMIN, 'Show the limits of a quota class.', 'GET /os-quota-class-sets/{name}'),
    rule(CLASS_UPDATE, ADMIN, 'Change the limits of a quota class.', 'PUT /os-quota-class-sets/{name}'),
    rule(LIMITS, ANYONE, 'Show the limits of one\'s own project.', 'GET /limits'),
    rule(OTHER_LIMITS, ADMIN, 'Show the limits of another project.', 'GET /limits?tenant_id={project_id}'),
]
