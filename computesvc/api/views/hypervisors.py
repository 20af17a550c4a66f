"""Hypervisors as answers show them."""
import json

from computesvc.api import versions


def basic(row, service, up: bool, version) -> dict:
    return {'id': row.uuid if version >= versions.UUIDS else row.id, 'hypervisor_hostname': row.hostname,
            'state': 'up' if up else 'down', 'status': 'disabled' if service.disabled else 'enabled'}


def full(row, service, up: bool, used, version) -> dict:
    """`used`: (servers, vcpus, MiB, GiB) that its servers take."""
    view = basic(row, service, up, version) | {
        'hypervisor_type': row.type, 'hypervisor_version': row.version, 'host_ip': row.host_ip,
        'service': {'id': service.uuid if version >= versions.UUIDS else service.id, 'host': row.host,
                    'disabled_reason': service.disabled_reason}}
    if version >= versions.NO_HYPERVISOR_NUMBERS:
        return view | {'uptime': None}
    info = row.capabilities.get('cpu_info') or {}
    return view | numbers(row, used) | {
        'cpu_info': info if version >= versions.CPU_INFO_OBJECT else json.dumps(info),
        'disk_available_least': row.local_gb - used[3]}


def numbers(row, used) -> dict:
    count, vcpus, memory_mb, disk_gb = used
    return {'vcpus': row.vcpus, 'vcpus_used': vcpus, 'memory_mb': row.memory_mb, 'memory_mb_used': memory_mb,
            'free_ram_mb': row.memory_mb - memory_mb, 'local_gb': row.local_gb, 'local_gb_used': disk_gb,
            'free_disk_gb': row.local_gb - disk_gb, 'running_vms': count, 'current_workload': 0}
