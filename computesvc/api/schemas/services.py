"""Bodies of services."""
from computesvc.api.schemas.types import BOOLEAN, HOST, TEXT, obj

_BINARY = {'type': 'string', 'minLength': 1, 'maxLength': 255}
OLD_UPDATE = obj({'host': HOST, 'binary': _BINARY, 'disabled_reason': TEXT, 'forced_down': BOOLEAN}, ['host', 'binary'])
UPDATE = obj({'status': {'enum': ['enabled', 'disabled']}, 'disabled_reason': TEXT, 'forced_down': BOOLEAN})
QUERY = [((2, 1), obj({}, extra=True)), ((2, 75), obj({'host': {'type': 'string'}, 'binary': {'type': 'string'}}))]
