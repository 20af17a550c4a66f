"""Policies of the record of what was asked of a server."""
from computesvc.policies.base import ADMIN, READER_OR_SERVICE, rule

LIST = 'os_compute_api:os-instance-actions:list'
SHOW = 'os_compute_api:os-instance-actions:show'
EVENTS = 'os_compute_api:os-instance-actions:events'
DETAILS = 'os_compute_api:os-instance-actions:events:details'

_PATH = '/servers/{server_id}/os-instance-actions'

RULES = [
    rule(LIST, READER_OR_SERVICE, 'List the actions on a server.', f'GET {_PATH}'),
    rule(SHOW, READER_OR_SERVICE, 'Show an action on a server.', f'GET {_PATH}/{{request_id}}'),
    rule(EVENTS, ADMIN, 'See all of the events of an action, host and traceback too.', f'GET {_PATH}/{{request_id}}'),
    rule(DETAILS, READER_OR_SERVICE, 'See why the events of an action failed.', f'GET {_PATH}/{{request_id}}'),
]
