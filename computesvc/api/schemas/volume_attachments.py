"""Bodies and queries of volumes on servers."""
from computesvc.api.schemas.types import BOOLEAN, DEVICE, LIMIT, TAG, UUID, obj, wrapped


def _create(**more):
    return wrapped('volumeAttachment', obj({'volumeId': UUID, 'device': DEVICE, **more}, ['volumeId']))


CREATE = [((2, 1), _create()), ((2, 49), _create(tag=TAG)), ((2, 79), _create(tag=TAG, delete_on_termination=BOOLEAN))]
_SWAP = wrapped('volumeAttachment', obj({'volumeId': UUID}, ['volumeId']))
_UPDATE = wrapped('volumeAttachment', obj(
    {'volumeId': UUID, 'device': DEVICE, 'tag': {'type': ['string', 'null'], 'maxLength': 60},
     'delete_on_termination': BOOLEAN, 'serverId': UUID, 'id': {'type': 'string', 'maxLength': 255}}, ['volumeId']))
UPDATE = [((2, 1), _SWAP), ((2, 85), _UPDATE)]
_QUERY = {'limit': LIMIT, 'offset': LIMIT}
QUERY = [((2, 1), obj(_QUERY, extra=True)), ((2, 75), obj(_QUERY))]
