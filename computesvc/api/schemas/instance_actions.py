"""Queries of instance actions."""
from computesvc.api.schemas.types import LIMIT, obj

_MOMENT = {'type': 'string', 'maxLength': 64}
_QUERY = {'limit': LIMIT, 'marker': {'type': 'string', 'maxLength': 255}, 'changes-since': _MOMENT}
QUERY = [((2, 1), obj({}, extra=True)), ((2, 58), obj(_QUERY)),
         ((2, 66), obj({**_QUERY, 'changes-before': _MOMENT}))]
