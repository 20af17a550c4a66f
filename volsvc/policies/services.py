"""Policies of the list of services."""
from volsvc.policies.base import ADMIN, rule

INDEX = 'volume_extension:services:index'
UPDATE = 'volume_extension:services:update'

RULES = [
    rule(INDEX, ADMIN, 'List the services.', 'GET /os-services'),
    rule(UPDATE, ADMIN, 'Keep new volumes off a backend, or let them come again.',
         'PUT /os-services/enable', 'PUT /os-services/disable', 'PUT /os-services/disable-log-reason'),
]
