"""Policies of what other services tell of servers."""
from computesvc.policies.base import ADMIN_OR_SERVICE, rule

CREATE = 'os_compute_api:os-server-external-events:create'

RULES = [rule(CREATE, ADMIN_OR_SERVICE, 'Tell of events outside that concern servers.',
              'POST /os-server-external-events')]
