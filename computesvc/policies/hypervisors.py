"""Policies of hypervisors."""
from computesvc.policies.base import ADMIN, ADMIN_OR_SERVICE, rule

LIST = 'os_compute_api:os-hypervisors:list'
DETAIL = 'os_compute_api:os-hypervisors:list-detail'
SHOW = 'os_compute_api:os-hypervisors:show'
STATISTICS = 'os_compute_api:os-hypervisors:statistics'
UPTIME = 'os_compute_api:os-hypervisors:uptime'
SEARCH = 'os_compute_api:os-hypervisors:search'
SERVERS = 'os_compute_api:os-hypervisors:servers'
CAPABILITIES = 'os_compute_api:os-hypervisors:capabilities'

RULES = [
    rule(LIST, ADMIN, 'List hypervisors.', 'GET /os-hypervisors'),
    rule(DETAIL, ADMIN, 'List hypervisors with details.', 'GET /os-hypervisors/detail'),
    rule(SHOW, ADMIN, 'Show a hypervisor.', 'GET /os-hypervisors/{hypervisor_id}'),
    rule(STATISTICS, ADMIN, 'Sum up all hypervisors.', 'GET /os-hypervisors/statistics'),
    rule(UPTIME, ADMIN, 'Show how long a hypervisor is up.', 'GET /os-hypervisors/{hypervisor_id}/uptime'),
    rule(SEARCH, ADMIN, 'Search hypervisors by name.', 'GET /os-hypervisors/{hypervisor_hostname_pattern}/search'),
    rule(SERVERS, ADMIN, 'List the servers of hypervisors by their name.',
         'GET /os-hypervisors/{hypervisor_hostname_pattern}/servers'),
    rule(CAPABILITIES, ADMIN_OR_SERVICE, 'Ask whether a host can show its guests grown volumes.',
         'GET /os-hypervisors/{hypervisor_id}/capabilities'),
]
