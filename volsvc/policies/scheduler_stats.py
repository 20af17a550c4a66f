"""Policies of the pools that volumes can be made in."""
from volsvc.policies.base import SYSTEM_READER, cloud_rule

GET_POOLS = 'scheduler_extension:scheduler_stats:get_pools'

RULES = [cloud_rule(GET_POOLS, SYSTEM_READER, 'List the pools and what they can do.', 'GET /scheduler-stats/get_pools')]
