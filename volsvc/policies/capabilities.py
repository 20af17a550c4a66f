"""Policies of what backends can do."""
from volsvc.policies.base import SYSTEM_READER, cloud_rule

GET = 'volume_extension:capabilities'

RULES = [cloud_rule(GET, SYSTEM_READER, 'Show what a backend can do.', 'GET /capabilities/{host}')]
