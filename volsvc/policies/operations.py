"""Policies of operations: what goes on behind a request."""
from volsvc.policies.base import READER, rule

LIST = 'volume:operations:get_all'
SHOW = 'volume:operations:get'

RULES = [
    rule(LIST, READER, 'List the operations on a volume.', 'GET /operations?volume_id={volume_id}'),
    rule(SHOW, READER, 'Show an operation with its steps.', 'GET /operations/{operation_id}'),
]
