"""Migrations as answers show them."""
from computesvc.api import versions
from computesvc.api.views.servers import moment

_PLACES = {'source_compute': 'source_host', 'source_node': 'source_node', 'dest_compute': 'dest_host',
           'dest_node': 'dest_node'}
_SIZES = ('disk_processed_bytes', 'disk_remaining_bytes', 'disk_total_bytes', 'memory_processed_bytes',
          'memory_remaining_bytes', 'memory_total_bytes')


def listed(row, version, hosts: bool) -> dict:
    """One of all migrations; without `hosts`, not between which."""
    shown = _common(row, version, hosts) | {
        'instance_uuid': row.server_id, 'old_instance_type_id': _number(row.old_flavor_id),
        'new_instance_type_id': _number(row.new_flavor_id)}
    if version >= versions.MIGRATION_TYPES:
        shown['migration_type'] = row.type
    if version >= versions.MIGRATION_PAGES:
        shown['uuid'] = row.uuid
    return shown


def of_server(row, version, hosts: bool) -> dict:
    """One of those of a server; how far its disks are is the server's `progress`."""
    shown = _common(row, version, hosts) | {'server_uuid': row.server_id, **dict.fromkeys(_SIZES)}
    if version >= versions.MIGRATION_PAGES:
        shown['uuid'] = row.uuid
    return shown


def _common(row, version, hosts):
    shown = {'id': row.id, 'status': row.status, 'created_at': moment(row.created_at),
             'updated_at': moment(row.updated_at), 'dest_host': None,
             **{name: getattr(row, column) if hosts else None for name, column in _PLACES.items()}}
    if version >= versions.MIGRATION_OWNERS:
        shown |= {'user_id': row.user_id, 'project_id': row.project_id}
    return shown


def _number(flavor_id) -> int | None:
    """Nova shows numbers of its own tables here; the nearest there is are the ids of flavors that are numbers."""
    return int(flavor_id) if flavor_id and flavor_id.isascii() and flavor_id.isdigit() and len(flavor_id) < 10 else None
