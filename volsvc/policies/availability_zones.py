"""Policies of availability zones."""
from volsvc.policies.base import ANYONE, rule

LIST = 'volume:availability_zone_list'

RULES = [rule(LIST, ANYONE, 'List the availability zones.', 'GET /os-availability-zone')]
