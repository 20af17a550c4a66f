"""Bodies of the attach sequence that preceded attachments: POST /volumes/{id}/action."""
from volsvc.api.schemas.types import UUID, UUID_OR_NULL, only, record

ANYTHING: dict = {}
_CONNECTOR = {'type': 'object', 'minProperties': 1}
_CONNECTOR_OR_NULL = {**_CONNECTOR, 'type': ['object', 'null']}

RESERVE = only('os-reserve', ANYTHING)
UNRESERVE = only('os-unreserve', ANYTHING)
INITIALIZE_CONNECTION = only('os-initialize_connection', record({'connector': _CONNECTOR}, ['connector']))
ATTACH = only('os-attach', record(
    {'instance_uuid': UUID, 'host_name': {'type': 'string', 'maxLength': 255},
     'mountpoint': {'type': 'string', 'minLength': 1, 'maxLength': 255}, 'mode': {'enum': ['rw', 'ro']}},
    ['mountpoint'], anyOf=[{'required': ['instance_uuid']}, {'required': ['host_name']}]))
BEGIN_DETACHING = only('os-begin_detaching', ANYTHING)
ROLL_DETACHING = only('os-roll_detaching', ANYTHING)
TERMINATE_CONNECTION = only('os-terminate_connection', record({'connector': _CONNECTOR_OR_NULL}, ['connector']))
DETACH = only('os-detach', record({'attachment_id': UUID_OR_NULL}) | {'type': ['object', 'null']})
FORCE_DETACH = only('os-force_detach', record(
    {'attachment_id': UUID_OR_NULL, 'connector': _CONNECTOR_OR_NULL}))
