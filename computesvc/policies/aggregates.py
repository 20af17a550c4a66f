"""Policies of groups of hosts and of servers."""
from computesvc.policies.base import ADMIN, READER, rule

INDEX = 'os_compute_api:os-aggregates:index'
SERVER_GROUPS = 'os_compute_api:os-server-groups:index'

RULES = [
    rule(INDEX, ADMIN, 'List host aggregates.', 'GET /os-aggregates'),
    rule(SERVER_GROUPS, READER, 'List server groups.', 'GET /os-server-groups'),
]
