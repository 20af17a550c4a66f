"""Bodies of external events: which names there are, by microversion."""
from computesvc.api.schemas.types import UUID, obj

_NETWORK = ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted']


def _events(*names):
    event = obj({'name': {'enum': [*_NETWORK, *names]}, 'server_uuid': UUID,
                 'status': {'enum': ['failed', 'completed', 'in-progress']},
                 'tag': {'type': 'string', 'maxLength': 255}}, ['name', 'server_uuid'])
    return obj({'events': {'type': 'array', 'minItems': 1, 'items': event}}, ['events'])


CREATE = [
    ((2, 1), _events()),
    ((2, 51), _events('volume-extended')),
    ((2, 76), _events('volume-extended', 'power-update')),
    ((2, 82), _events('volume-extended', 'power-update', 'accelerator-request-bound')),
    ((2, 93), _events('volume-extended', 'power-update', 'accelerator-request-bound', 'volume-reimaged')),
]
