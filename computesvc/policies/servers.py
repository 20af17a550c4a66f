"""Policies of servers and of what is done to them."""
from computesvc.policies.base import ADMIN, ADMIN_OR_SERVICE, MEMBER, READER, rule

INDEX = 'os_compute_api:servers:index'
DETAIL = 'os_compute_api:servers:detail'
INDEX_ALL = 'os_compute_api:servers:index:get_all_tenants'
DETAIL_ALL = 'os_compute_api:servers:detail:get_all_tenants'
ALL_FILTERS = 'os_compute_api:servers:allow_all_filters'
SHOW = 'os_compute_api:servers:show'
HOST_STATUS = 'os_compute_api:servers:show:host_status'
EXTRA_SPECS = 'os_compute_api:servers:show:flavor-extra-specs'
CREATE = 'os_compute_api:servers:create'
FORCED_HOST = 'os_compute_api:servers:create:forced_host'
ON_HOST = 'compute:servers:create:requested_destination'
ZERO_DISK = 'os_compute_api:servers:create:zero_disk_flavor'
ATTACH_NETWORK = 'os_compute_api:servers:create:attach_network'
ATTACH_VOLUME = 'os_compute_api:servers:create:attach_volume'
UPDATE = 'os_compute_api:servers:update'
DELETE = 'os_compute_api:servers:delete'
START = 'os_compute_api:servers:start'
STOP = 'os_compute_api:servers:stop'
REBOOT = 'os_compute_api:servers:reboot'
PAUSE = 'os_compute_api:os-pause-server:pause'
UNPAUSE = 'os_compute_api:os-pause-server:unpause'
CONSOLE = 'os_compute_api:os-console-output'
LOCK = 'os_compute_api:os-lock-server:lock'
UNLOCK = 'os_compute_api:os-lock-server:unlock'
UNLOCK_OVERRIDE = 'os_compute_api:os-lock-server:unlock:unlock_override'
RESET_STATE = 'os_compute_api:os-admin-actions:reset_state'
FORCE_DELETE = 'os_compute_api:os-deferred-delete:force'
ATTRIBUTES = 'os_compute_api:os-extended-server-attributes'
ADDRESSES = 'os_compute_api:ips:index'
METADATA_INDEX = 'os_compute_api:server-metadata:index'
METADATA_SHOW = 'os_compute_api:server-metadata:show'
METADATA_CREATE = 'os_compute_api:server-metadata:create'
METADATA_UPDATE_ALL = 'os_compute_api:server-metadata:update_all'
METADATA_UPDATE = 'os_compute_api:server-metadata:update'
METADATA_DELETE = 'os_compute_api:server-metadata:delete'

_ACTION = 'POST /servers/{server_id}/action'

RULES = [
    rule(INDEX, READER, 'List servers.', 'GET /servers'),
    rule(DETAIL, READER, 'List servers with details.', 'GET /servers/detail'),
    rule(INDEX_ALL, ADMIN, 'List servers of all projects.', 'GET /servers?all_tenants=1'),
    rule(DETAIL_ALL, ADMIN, 'List servers of all projects with details.', 'GET /servers/detail?all_tenants=1'),
    rule(ALL_FILTERS, ADMIN, 'Filter servers by anything.', 'GET /servers', 'GET /servers/detail'),
    rule(SHOW, f'{READER} or rule:service_api', 'Show a server.', 'GET /servers/{server_id}'),
    rule(HOST_STATUS, ADMIN, 'See the state of a server\'s host.', 'GET /servers/{server_id}', 'GET /servers/detail'),
    rule(EXTRA_SPECS, READER, 'See the extra specs of a server\'s flavor.', 'GET /servers/{server_id}'),
    rule(CREATE, MEMBER, 'Create a server.', 'POST /servers'),
    rule(FORCED_HOST, ADMIN, 'Create a server on a named host by its availability zone.', 'POST /servers'),
    rule(ON_HOST, ADMIN, 'Create a server on a named host.', 'POST /servers'),
    rule(ZERO_DISK, ADMIN, 'Create a server from an image with a flavor without a disk.', 'POST /servers'),
    rule(ATTACH_NETWORK, MEMBER, 'Create a server with a network.', 'POST /servers'),
    rule(ATTACH_VOLUME, MEMBER, 'Create a server with volumes.', 'POST /servers'),
    rule(UPDATE, MEMBER, 'Change a server.', 'PUT /servers/{server_id}'),
    rule(DELETE, MEMBER, 'Delete a server.', 'DELETE /servers/{server_id}'),
    rule(START, MEMBER, 'Start a server.', f'{_ACTION} (os-start)'),
    rule(STOP, MEMBER, 'Stop a server.', f'{_ACTION} (os-stop)'),
    rule(REBOOT, MEMBER, 'Reboot a server.', f'{_ACTION} (reboot)'),
    rule(PAUSE, MEMBER, 'Pause a server.', f'{_ACTION} (pause)'),
    rule(UNPAUSE, MEMBER, 'Let a paused server run on.', f'{_ACTION} (unpause)'),
    rule(CONSOLE, MEMBER, 'Read what a server wrote to its console.', f'{_ACTION} (os-getConsoleOutput)'),
    rule(LOCK, MEMBER, 'Lock a server.', f'{_ACTION} (lock)'),
    rule(UNLOCK, MEMBER, 'Unlock a server.', f'{_ACTION} (unlock)'),
    rule(UNLOCK_OVERRIDE, ADMIN, 'Unlock a server that an administrator locked.', f'{_ACTION} (unlock)'),
    rule(RESET_STATE, ADMIN, 'Reset the state of a server.', f'{_ACTION} (os-resetState)'),
    rule(FORCE_DELETE, MEMBER, 'Delete a server at once.', f'{_ACTION} (forceDelete)'),
    rule(ATTRIBUTES, ADMIN_OR_SERVICE, 'See where a server runs.', 'GET /servers/{server_id}', 'GET /servers/detail'),
    rule(ADDRESSES, READER, 'List the addresses of a server.', 'GET /servers/{server_id}/ips'),
    rule(METADATA_INDEX, READER, 'List the metadata of a server.', 'GET /servers/{server_id}/metadata'),
    rule(METADATA_SHOW, READER, 'Show one piece of metadata.', 'GET /servers/{server_id}/metadata/{key}'),
    rule(METADATA_CREATE, MEMBER, 'Add metadata.', 'POST /servers/{server_id}/metadata'),
    rule(METADATA_UPDATE_ALL, MEMBER, 'Replace all metadata.', 'PUT /servers/{server_id}/metadata'),
    rule(METADATA_UPDATE, MEMBER, 'Set one piece of metadata.', 'PUT /servers/{server_id}/metadata/{key}'),
    rule(METADATA_DELETE, MEMBER, 'Remove one piece of metadata.', 'DELETE /servers/{server_id}/metadata/{key}'),
]
