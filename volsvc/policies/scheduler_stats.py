"""Policies of the pools that volumes can be made in."""
from volsvc.policies.base import ADMIN, rule

GET_POOLS = 'scheduler_extension:scheduler_stats:get_pools'

RULES = [rule(GET_POOLS, ADMIN, 'List the pools and what they can do.', 'GET /scheduler-stats/get_pools')]
