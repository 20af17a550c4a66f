"""Policies of the list of services."""
from volsvc.policies.base import ADMIN, SYSTEM_READER, cloud_rule

INDEX = 'volume_extension:services:index'
UPDATE = 'volume_extension:services:update'

RULES = [
    cloud_rule(INDEX, SYSTEM_READER, 'List the services.', 'GET /os-services'),
    cloud_rule(UPDATE, ADMIN, 'Keep new volumes off a backend, or let them come again.',
               'PUT /os-services/enable', 'PUT /os-services/disable', 'PUT /os-services/disable-log-reason'),
]
