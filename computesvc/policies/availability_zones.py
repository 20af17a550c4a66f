"""Policies of availability zones."""
from computesvc.policies.base import ADMIN, ANYONE, rule

LIST = 'os_compute_api:os-availability-zone:list'
DETAIL = 'os_compute_api:os-availability-zone:detail'

RULES = [
    rule(LIST, ANYONE, 'List availability zones.', 'GET /os-availability-zone'),
    rule(DETAIL, ADMIN, 'List availability zones with their hosts.', 'GET /os-availability-zone/detail'),
]
