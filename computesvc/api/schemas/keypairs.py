"""Bodies and queries of key pairs."""
from computesvc.api.schemas.types import LIMIT, NAME, obj, wrapped

_ID = {'type': 'string', 'maxLength': 255}
_NAME = {**NAME, 'pattern': r'^[a-zA-Z0-9_ -]*[a-zA-Z0-9_-][a-zA-Z0-9_ -]*$'}
_KEY = {'name': _NAME, 'public_key': {'type': 'string', 'minLength': 1, 'maxLength': 16384}}
_TYPED = {**_KEY, 'type': {'enum': ['ssh', 'x509']}}
_OWNED = {**_TYPED, 'user_id': _ID}
CREATE = [
    ((2, 1), wrapped('keypair', obj(_KEY, ['name']))),
    ((2, 2), wrapped('keypair', obj(_TYPED, ['name']))),
    ((2, 10), wrapped('keypair', obj(_OWNED, ['name']))),
    ((2, 92), wrapped('keypair', obj({**_OWNED, 'name': {**NAME, 'pattern': r'^[a-zA-Z0-9@._ -]+$'}},
                                     ['name', 'public_key']))),
]
ONE = [((2, 1), obj({}, extra=True)), ((2, 75), obj({'user_id': _ID}))]
_PAGED = {'user_id': _ID, 'limit': LIMIT, 'marker': _ID}
LIST = [((2, 1), obj({}, extra=True)), ((2, 35), obj(_PAGED, extra=True)), ((2, 75), obj(_PAGED))]
