"""Policies of availability zones."""
from volsvc.policies.base import ANYONE, cloud_rule

LIST = 'volume:availability_zone_list'

RULES = [cloud_rule(LIST, ANYONE, 'List the availability zones.', 'GET /os-availability-zone')]
