"""Bodies of key pairs."""
from computesvc.api.schemas.types import NAME, obj, wrapped

_KEY = {'name': {**NAME, 'pattern': r'^[a-zA-Z0-9@._ -]+$'}, 'public_key': {'type': 'string', 'maxLength': 16384},
        'type': {'enum': ['ssh', 'x509']}, 'user_id': {'type': 'string', 'maxLength': 255}}
CREATE = wrapped('keypair', obj(_KEY, ['name']))
