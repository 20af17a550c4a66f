"""Bodies of requests about how volumes of a type are encrypted."""
from volsvc.api.schemas.types import BIGGEST, TEXT, only

_KEY_SIZE = {'anyOf': [{'type': ['integer', 'null'], 'minimum': 0, 'maximum': BIGGEST},
                       {'type': 'string', 'pattern': '^[0-9]{1,9}$'}]}
# What else it holds is passed over, as clients send what they were shown.
_SPECS = {'type': 'object', 'properties': {'provider': {**TEXT, 'type': 'string'}, 'cipher': TEXT,
                                           'key_size': _KEY_SIZE,
                                           'control_location': {'enum': ['front-end', 'back-end']}}}

CREATE = only('encryption', {**_SPECS, 'required': ['provider', 'control_location']})
UPDATE = only('encryption', _SPECS)
