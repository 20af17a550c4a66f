"""Queries of hypervisors."""
from computesvc.api.schemas.types import LIMIT, obj

_ANY = {'type': 'string', 'maxLength': 255}
_PAGED = {'limit': LIMIT, 'marker': _ANY}
_NAMED = {**_PAGED, 'hypervisor_hostname_pattern': _ANY, 'with_servers': _ANY}
LIST = [((2, 1), obj({}, extra=True)), ((2, 33), obj(_PAGED, extra=True)), ((2, 53), obj(_NAMED, extra=True)),
        ((2, 75), obj(_NAMED))]
SHOW = [((2, 1), obj({}, extra=True)), ((2, 75), obj({'with_servers': _ANY}))]
