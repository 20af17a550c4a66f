"""Hypervisors as answers show them."""
import json

from computesvc.api import versions


def basic(row, service, up: bool, version) -> dict:
    return {'id': row.uuid if version >= versions.UUIDS else row.id, 'hypervisor_hostname': row.hostname,
            'state': 'up' if up else 'down', 'status': 'disabled' if service.disabled else 'enabled'}


def full(row, service, up: bool, count: int, version) -> dict:
    """`count`: how many servers hold room there."""
    view = basic(row, service, up, version) | {
        'hypervisor_type': row.type, 'hypervisor_version': row.version, 'host_ip': row.host_ip,
        'service': {'id': service.uuid if version >= versions.UUIDS else service.id, 'host': row.host,
                    'disabled_reason': service.disabled_reason}}
    if version >= versions.NO_HYPERVISOR_NUMBERS:
        return view | {'uptime': None}
    info = row.capabilities.get('cpu_info') or {}
    return view | numbers(row, count) | {
        'cpu_info': info if version >= versions.CPU_INFO_OBJECT else json.dumps(info),
        'disk_available_least': row.local_gb - row.disk_gb_used}


def numbers(row, count: int) -> dict:
    """Used is what is claimed, by servers on their way here as well."""
    return {'vcpus': row.vcpus, 'vcpus_used': row.vcpus_used, 'memory_mb': row.memory_mb,
            'memory_mb_used': row.memory_mb_used, 'free_ram_mb': row.memory_mb - row.memory_mb_used,
            'local_gb': row.local_gb, 'local_gb_used': row.disk_gb_used,
            'free_disk_gb': row.local_gb - row.disk_gb_used, 'running_vms': count, 'current_workload': 0}
