"""Policies of services."""
from computesvc.policies.base import ADMIN, rule

LIST = 'os_compute_api:os-services:list'
UPDATE = 'os_compute_api:os-services:update'
DELETE = 'os_compute_api:os-services:delete'

RULES = [
    rule(LIST, ADMIN, 'List services.', 'GET /os-services'),
    rule(UPDATE, ADMIN, 'Enable, disable or force down a service.', 'PUT /os-services/{service_id}'),
    rule(DELETE, ADMIN, 'Delete a service.', 'DELETE /os-services/{service_id}'),
]
