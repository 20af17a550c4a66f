"""Queries of the lists of migrations."""
from computesvc.api.schemas.types import LIMIT

_ANY = {'type': 'string', 'maxLength': 255}
_FILTERS = dict.fromkeys(('hidden', 'host', 'instance_uuid', 'source_compute', 'status', 'migration_type'), _ANY)
_PAGES = {**_FILTERS, 'limit': LIMIT, 'marker': _ANY, 'changes-since': _ANY}
_BEFORE = {**_PAGES, 'changes-before': _ANY}
_OWNERS = {**_BEFORE, 'user_id': _ANY, 'project_id': _ANY}


def _query(properties):
    return {'type': 'object', 'properties': properties, 'additionalProperties': False}


INDEX = [((2, 1), {'type': 'object', 'properties': _FILTERS, 'additionalProperties': True}),
         ((2, 59), _query(_PAGES)), ((2, 66), _query(_BEFORE)), ((2, 80), _query(_OWNERS))]
