"""Pools as answers show them: what a backend reported, under the names that clients know."""
import datetime

from svckit.db import utcnow

GIB = 1024 ** 3


def name(service) -> str:
    """'host@backend#pool', as volumes carry it."""
    return f'{service.host}#{service.capabilities.get("pool_name", "")}'


def summary(service, age) -> dict:
    """The name alone."""
    return {'name': name(service)}


def detail(service, age) -> dict:
    """`age`: seconds since the backend reported."""
    found = service.capabilities
    thin, promised = bool(found.get('thin')), found.get('provisioned_bytes', 0) / GIB
    return {'name': name(service), 'capabilities': {
        'volume_backend_name': found.get('volume_backend_name'), 'pool_name': found.get('pool_name'),
        'driver': found.get('driver'), 'driver_version': found.get('driver_version'),
        'vendor_name': found.get('vendor_name'), 'storage_protocol': found.get('storage_protocol'),
        'total_capacity_gb': round(found.get('total_bytes', 0) / GIB, 2),
        'free_capacity_gb': round(found.get('free_bytes', 0) / GIB, 2),
        'allocated_capacity_gb': promised, 'provisioned_capacity_gb': promised, 'reserved_percentage': 0,
        'thin_provisioning_support': thin, 'thick_provisioning_support': not thin,
        'max_over_subscription_ratio': str(found.get('max_over_subscription_ratio', 1)),
        'multiattach': bool(found.get('multiattach')), 'QoS_support': False,
        'online_extend_support': bool(found.get('online_extend', True)),
        'backend_state': 'up', 'location_info': None,
        'timestamp': utcnow() - datetime.timedelta(seconds=age)}}
