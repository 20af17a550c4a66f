"""Bodies of requests about quotas."""
from volsvc.api.schemas.types import BIGGEST, only

_LIMIT = {'anyOf': [{'type': 'integer', 'minimum': -1, 'maximum': BIGGEST},
                    {'type': 'string', 'pattern': '^(-1|[0-9]{1,9})$'}]}
_LIMITS = {'type': 'object', 'patternProperties': {'^(?!tenant_id$|id$|project_id$)[a-zA-Z0-9_\\-:. ]{1,255}$': _LIMIT},
           'properties': {'tenant_id': {}, 'project_id': {}, 'id': {}}, 'additionalProperties': False}

UPDATE = only('quota_set', _LIMITS)
CLASS_UPDATE = only('quota_class_set', {**_LIMITS, 'properties': {**_LIMITS['properties'], 'class_name': {}}})
