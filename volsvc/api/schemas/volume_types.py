"""Bodies of requests about volume types, their extra specs and who may use them."""
from volsvc.api.schemas.types import BOOLEAN, NAME, TEXT, only, record

_GIB = {'type': 'string', 'pattern': '^[0-9]{0,9}$'}
_SPECS = {'type': 'object', 'additionalProperties': False,
          'properties': {'provisioning:min_vol_size': _GIB, 'provisioning:max_vol_size': _GIB},
          'patternProperties': {r'^[a-zA-Z0-9\-_:.]{1,255}$': {'type': 'string', 'maxLength': 255}}}
_PROJECT = {'type': 'string', 'minLength': 1, 'maxLength': 255}

CREATE = only('volume_type', record(
    {'name': NAME, 'description': TEXT, 'extra_specs': {**_SPECS, 'type': ['object', 'null']},
     'os-volume-type-access:is_public': BOOLEAN}, ['name']))
# openstacksdk sends the name that answers have.
UPDATE = only('volume_type', record({'name': {**NAME, 'type': ['string', 'null']}, 'description': TEXT,
                                     'is_public': BOOLEAN, 'os-volume-type-access:is_public': BOOLEAN},
                                    minProperties=1))
EXTRA_SPECS = only('extra_specs', _SPECS)
EXTRA_SPEC = {**_SPECS, 'minProperties': 1, 'maxProperties': 1}
ACCESS_ADD = only('addProjectAccess', record({'project': _PROJECT}, ['project']))
ACCESS_REMOVE = only('removeProjectAccess', record({'project': _PROJECT}, ['project']))
