"""Kinds of values that several nouns share."""

UUID = {'type': 'string', 'pattern': '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'}
NAME = {'type': 'string', 'minLength': 1, 'maxLength': 255, 'pattern': r'\S'}
TEXT = {'type': ['string', 'null'], 'maxLength': 255}
HOST = {'type': 'string', 'minLength': 1, 'maxLength': 255, 'pattern': r'^[a-zA-Z0-9._-]+$'}
BOOLEAN = {'enum': [True, False, 'True', 'False', 'true', 'false', 'TRUE', 'FALSE', 'on', 'off', 'yes', 'no', '1', '0',
                    'ON', 'OFF', 'YES', 'NO', 't', 'f', 'y', 'n', 'T', 'F', 'Y', 'N', 'On', 'Off', 'Yes', 'No']}
POSITIVE = {'type': ['integer', 'string'], 'pattern': '^[0-9]{1,9}$', 'minimum': 1, 'maximum': 2147483647,
            'minLength': 1}
NUMBER = {**POSITIVE, 'minimum': 0}
SIZE_GB = {**POSITIVE, 'maximum': 1048576}
LIMIT = {'type': 'string', 'pattern': '^[0-9]{1,9}$'}
TAG = {'type': 'string', 'minLength': 1, 'maxLength': 60, 'pattern': '^[^,/]*$'}
METADATA = {'type': 'object', 'maxProperties': 128, 'additionalProperties': False,
            'patternProperties': {'^[a-zA-Z0-9-_:. ]{1,255}$': {'type': 'string', 'maxLength': 255}}}
DEVICE = {'type': ['string', 'null'], 'pattern': '^/dev/x{0,1}[a-z]{0,1}d{0,1}[a-z]+[0-9]*$', 'maxLength': 32}


def obj(properties: dict, required=(), extra=False) -> dict:
    """An object with these properties, and no others unless `extra`."""
    return {'type': 'object', 'properties': properties, 'required': list(required), 'additionalProperties': extra}


def wrapped(name: str, inner: dict) -> dict:
    """{"name": {…}} and nothing beside it."""
    return obj({name: inner}, [name])


def true(value) -> bool:
    """A BOOLEAN, or a query's word for one."""
    return str(value).lower() in ('true', 'on', 'yes', '1', 't', 'y')
