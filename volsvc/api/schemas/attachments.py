"""Bodies of requests about attachments."""
from volsvc.api import versions
from volsvc.api.schemas.types import UUID, UUID_OR_NULL, only, record

_NEW = {'volume_uuid': UUID, 'instance_uuid': UUID_OR_NULL, 'connector': {'type': ['object', 'null']}}

CREATE = [
    (versions.ATTACHMENTS, only('attachment', record(_NEW, ['volume_uuid']))),
    (versions.ATTACHMENT_MODE, only('attachment', record(_NEW | {'mode': {'enum': ['rw', 'ro', None]}},
                                                         ['volume_uuid']))),
]
UPDATE = only('attachment', record({'connector': {'type': 'object', 'minProperties': 1}}, ['connector']))
COMPLETE = only('os-complete', {})
