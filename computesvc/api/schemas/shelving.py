"""Bodies of shelving servers and of making images of them."""
from computesvc.api.schemas.types import HOST, METADATA, NAME, obj, wrapped

SHELVE, OFFLOAD = wrapped('shelve', {}), wrapped('shelveOffload', {})
_NULL = {'type': 'null'}
UNSHELVE = [
    ((2, 1), wrapped('unshelve', {})),
    ((2, 77), wrapped('unshelve', {'anyOf': [_NULL, obj({'availability_zone': NAME}, ['availability_zone'])]})),
    ((2, 91), wrapped('unshelve', {'anyOf': [_NULL, obj({
        'availability_zone': {**NAME, 'type': ['string', 'null']}, 'host': HOST})]})),
]
CREATE_IMAGE = wrapped('createImage', obj({'name': NAME, 'metadata': METADATA}, ['name']))
