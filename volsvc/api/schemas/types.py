"""Kinds of values that several nouns share."""

BIGGEST = 2 ** 31 - 1
"""The largest size, in GiB, and the largest of other counts."""

UUID = {'type': 'string', 'pattern': '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'}
UUID_OR_NULL = {'anyOf': [UUID, {'type': 'null'}]}
NAME = {'type': 'string', 'minLength': 1, 'maxLength': 255, 'pattern': r'\S'}
TEXT = {'type': ['string', 'null'], 'maxLength': 255}
TRUTHS = ('true', 't', 'on', 'yes', 'y', '1')
BOOLEAN = {'enum': [True, False, *(form for word in (*TRUTHS, 'false', 'f', 'off', 'no', 'n', '0')
                                   for form in dict.fromkeys((word, word.capitalize(), word.upper())))]}
PAIRS = {'type': 'object', 'maxProperties': 128, 'additionalProperties': False,
         'patternProperties': {r'^[a-zA-Z0-9\-_:. /]{1,255}$': {'type': 'string', 'maxLength': 255}}}
PAIRS_OR_NULL = {**PAIRS, 'type': ['object', 'null']}
SIZE = {'type': 'integer', 'minimum': 1, 'maximum': BIGGEST}


def only(name: str, value: dict) -> dict:
    """A body that holds `name` and nothing else."""
    return {'type': 'object', 'properties': {name: value}, 'required': [name], 'additionalProperties': False}


def record(properties: dict, required=(), **more) -> dict:
    """An object of these properties and no others."""
    return {'type': 'object', 'properties': properties, 'required': list(required), 'additionalProperties': False,
            **more}


def truth(value) -> bool:
    """What a BOOLEAN means."""
    return str(value).strip().lower() in TRUTHS
