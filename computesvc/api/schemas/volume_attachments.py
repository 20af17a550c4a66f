"""Bodies and queries of volumes on servers."""
from computesvc.api.schemas.types import BOOLEAN, DEVICE, LIMIT, TAG, UUID, obj, wrapped

_CREATE = {'volumeId': UUID, 'device': DEVICE}
CREATE = [
    ((2, 1), wrapped('volumeAttachment', obj(_CREATE, ['volumeId']))),
    ((2, 49), wrapped('volumeAttachment', obj({**_CREATE, 'tag': TAG}, ['volumeId']))),
    ((2, 79), wrapped('volumeAttachment', obj({**_CREATE, 'tag': TAG, 'delete_on_termination': BOOLEAN}, ['volumeId']))),
]
UPDATE = wrapped('volumeAttachment', obj(
    {'volumeId': UUID, 'device': DEVICE, 'tag': {'type': ['string', 'null'], 'maxLength': 60},
     'delete_on_termination': BOOLEAN, 'serverId': UUID, 'id': {'type': 'string', 'maxLength': 255}}, ['volumeId']))
_QUERY = {'limit': LIMIT, 'offset': LIMIT}
QUERY = [((2, 1), obj(_QUERY, extra=True)), ((2, 75), obj(_QUERY))]
