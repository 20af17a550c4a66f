"""Bodies of requests about volumes."""
from volsvc.api import versions
from volsvc.api.schemas.types import BIGGEST, BOOLEAN, PAIRS, PAIRS_OR_NULL, TEXT, UUID_OR_NULL, only, record

_SIZE = {'anyOf': [{'type': 'integer', 'minimum': 1, 'maximum': BIGGEST},
                   # cinderclient's older shells sent digits.
                   {'type': 'string', 'pattern': '^[1-9][0-9]{0,8}$'}, {'type': 'null'}]}

_NEW = {
    'size': _SIZE,
    'name': TEXT, 'display_name': TEXT,
    'description': TEXT, 'display_description': TEXT,
    'availability_zone': TEXT,
    'volume_type': TEXT,
    'metadata': PAIRS_OR_NULL,
    'imageRef': TEXT, 'image_id': TEXT,
    'source_volid': UUID_OR_NULL,
    'snapshot_id': UUID_OR_NULL,
    'consistencygroup_id': UUID_OR_NULL,
    'multiattach': {'anyOf': [BOOLEAN, {'type': 'null'}]},
    'scheduler_hints': {'type': ['object', 'null']},
}
_GROUP = {'group_id': UUID_OR_NULL}
_BACKUP = {'backup_id': UUID_OR_NULL}


def _create(properties, strict=False):
    volume = {'type': 'object', 'properties': properties, 'additionalProperties': not strict}
    return record({'volume': volume, 'OS-SCH-HNT:scheduler_hints': {'type': ['object', 'null']}}, ['volume'])


CREATE = [
    ('3.0', _create(_NEW)),
    (versions.GROUPS, _create(_NEW | _GROUP)),
    (versions.FROM_BACKUP, _create(_NEW | _GROUP | _BACKUP)),
    (versions.STRICT_BODIES, _create(_NEW | _GROUP | _BACKUP, strict=True)),
]

_CHANGED = {'name': TEXT, 'description': TEXT, 'display_name': TEXT, 'display_description': TEXT, 'metadata': PAIRS}

UPDATE = [
    ('3.0', only('volume', record(_CHANGED))),
    (versions.STRICT_BODIES, only('volume', record(_CHANGED, minProperties=1))),
]
