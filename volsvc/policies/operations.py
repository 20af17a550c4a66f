"""Policies of operations: what goes on behind a request."""
from volsvc.policies.base import ADMIN, READER, rule

LIST = 'volume:operations:get_all'
SHOW = 'volume:operations:get'
MANAGE = 'volume:operations:manage'

RULES = [
    rule(LIST, READER, 'List the operations on a volume.', 'GET /operations?volume_id={volume_id}'),
    rule(SHOW, READER, 'Show an operation with its steps.', 'GET /operations/{operation_id}'),
    rule(MANAGE, ADMIN, 'List operations of every project.', 'GET /operations?all_tenants=1'),
]
