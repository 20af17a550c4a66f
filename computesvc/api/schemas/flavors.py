"""Bodies and queries of flavors."""
from computesvc.api.schemas.types import BOOLEAN, NAME, NUMBER, POSITIVE, obj, wrapped

_ID = {'type': ['string', 'integer', 'null'], 'minLength': 1, 'maxLength': 255,
       'pattern': r'^(?! )[a-zA-Z0-9. _-]+(?<! )$', 'minimum': 0, 'maximum': 2147483647}
_TEXT = {'type': ['string', 'null'], 'maxLength': 255}
_CREATE = {
    'name': NAME, 'id': _ID, 'ram': POSITIVE, 'vcpus': POSITIVE, 'disk': NUMBER, 'OS-FLV-EXT-DATA:ephemeral': NUMBER,
    'swap': NUMBER, 'rxtx_factor': {'type': ['number', 'string'], 'pattern': r'^[0-9]+(\.[0-9]+)?$', 'minimum': 0,
                                    'maximum': 3.40282e+38},
    'os-flavor-access:is_public': BOOLEAN,
}
_REQUIRED = ['name', 'ram', 'vcpus', 'disk']
CREATE = [((2, 1), wrapped('flavor', obj(_CREATE, _REQUIRED))),
          ((2, 55), wrapped('flavor', obj({**_CREATE, 'description': _TEXT}, _REQUIRED)))]
UPDATE = wrapped('flavor', obj({'description': _TEXT}, ['description']))
_SPEC = {'type': ['string', 'number'], 'maxLength': 255}
SPECS = wrapped('extra_specs', {'type': 'object', 'patternProperties': {'^[a-zA-Z0-9-_:. ]{1,255}$': _SPEC},
                                'additionalProperties': False})
SPEC = {'type': 'object', 'minProperties': 1, 'maxProperties': 1, 'additionalProperties': False,
        'patternProperties': {'^[a-zA-Z0-9-_:. ]{1,255}$': _SPEC}}
_ANY = {'type': 'string', 'maxLength': 255}
_QUERY = dict.fromkeys(('limit', 'marker', 'sort_key', 'sort_dir', 'is_public', 'minRam', 'minDisk'), _ANY)
QUERY = [((2, 1), obj(_QUERY, extra=True)), ((2, 75), obj(_QUERY))]
