"""Bodies of requests about quotas."""
from volsvc.api.schemas.types import BIGGEST, only

# What clients send of whose limits they are.
NO_QUOTA = ('tenant_id', 'project_id', 'id', 'class_name')
_LIMIT = {'anyOf': [{'type': 'integer', 'minimum': -1, 'maximum': BIGGEST},
                    {'type': 'string', 'pattern': '^(-1|[0-9]{1,9})$'}]}
_LIMITS = {'type': 'object', 'minProperties': 1,
           'properties': {name: {} for name in NO_QUOTA},
           'additionalProperties': _LIMIT}

UPDATE = only('quota_set', _LIMITS)
CLASS_UPDATE = only('quota_class_set', _LIMITS)
