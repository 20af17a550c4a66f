"""Bodies of requests about services."""
from volsvc.api.schemas.types import NAME, record

_NAMED = {'host': NAME, 'binary': NAME, 'service': NAME}
_EITHER = {'anyOf': [{'required': ['binary']}, {'required': ['service']}]}
SWITCH = record(_NAMED, ['host'], **_EITHER)
DISABLE_WITH_REASON = record(_NAMED | {'disabled_reason': {**NAME, 'maxLength': 255}}, ['host', 'disabled_reason'],
                             **_EITHER)
