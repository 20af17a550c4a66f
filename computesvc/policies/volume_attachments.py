"""Policies of volumes on servers."""
from computesvc.policies.base import MEMBER, READER_OR_SERVICE, SERVICE, rule

INDEX = 'os_compute_api:os-volumes-attachments:index'
SHOW = 'os_compute_api:os-volumes-attachments:show'
CREATE = 'os_compute_api:os-volumes-attachments:create'
SWAP = 'os_compute_api:os-volumes-attachments:swap'
UPDATE = 'os_compute_api:os-volumes-attachments:update'
DELETE = 'os_compute_api:os-volumes-attachments:delete'

_PATH = '/servers/{server_id}/os-volume_attachments'

RULES = [
    rule(INDEX, READER_OR_SERVICE, 'List the volumes on a server.', f'GET {_PATH}'),
    rule(SHOW, READER_OR_SERVICE, 'Show a volume on a server.', f'GET {_PATH}/{{volume_id}}'),
    rule(CREATE, MEMBER, 'Attach a volume to a server.', f'POST {_PATH}'),
    rule(UPDATE, MEMBER, 'Change how a volume is attached.', f'PUT {_PATH}/{{volume_id}}'),
    rule(SWAP, SERVICE, 'Put another volume in the place of one that the volume service moves.',
         f'PUT {_PATH}/{{volume_id}}'),
    rule(DELETE, MEMBER, 'Detach a volume from a server.', f'DELETE {_PATH}/{{volume_id}}'),
]
