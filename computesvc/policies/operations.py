"""Policies of operations: what goes on behind a request."""
from computesvc.policies.base import READER, rule

LIST = 'os_compute_api:operations:index'
SHOW = 'os_compute_api:operations:show'

RULES = [
    rule(LIST, READER, 'List the operations on a server.', 'GET /servers/{server_id}/operations'),
    rule(SHOW, READER, 'Show an operation.', 'GET /servers/{server_id}/operations/{operation_id}'),
]
