"""Pools as answers show them: what a backend reported, under the names that clients know."""
import datetime

from svckit.db import utcnow
from volsvc.scheduling import backends


def name(service) -> str:
    """'host@backend#pool', as volumes carry it."""
    return f'{service.host}#{service.capabilities.get("pool_name", "")}'


def summary(service, age, promised) -> dict:
    """The name alone."""
    return {'name': name(service)}


def detail(service, age, promised: dict) -> dict:
    """`age`: seconds since the backend reported; `promised`: pool -> bytes."""
    known = backends.facts(service.capabilities, promised.get(name(service), 0))
    return {'name': name(service), 'capabilities': {
        **known, 'backend_state': 'up', 'location_info': None,
        'timestamp': utcnow() - datetime.timedelta(seconds=age)}}
