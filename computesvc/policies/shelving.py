"""Policies of shelving servers and of making images of them."""
from computesvc.policies.base import ADMIN, MEMBER, rule

SHELVE = 'os_compute_api:os-shelve:shelve'
OFFLOAD = 'os_compute_api:os-shelve:shelve_offload'
UNSHELVE = 'os_compute_api:os-shelve:unshelve'
UNSHELVE_TO_HOST = 'os_compute_api:os-shelve:unshelve_to_host'
CREATE_IMAGE = 'os_compute_api:servers:create_image'
CREATE_IMAGE_OF_VOLUMES = 'os_compute_api:servers:create_image:allow_volume_backed'

_ACTION = 'POST /servers/{server_id}/action'

RULES = [
    rule(SHELVE, MEMBER, 'Shelve a server.', f'{_ACTION} (shelve)'),
    rule(OFFLOAD, ADMIN, 'Take a shelved server off its host.', f'{_ACTION} (shelveOffload)'),
    rule(UNSHELVE, MEMBER, 'Unshelve a server.', f'{_ACTION} (unshelve)'),
    rule(UNSHELVE_TO_HOST, ADMIN, 'Unshelve a server on a named host.', f'{_ACTION} (unshelve)'),
    rule(CREATE_IMAGE, MEMBER, 'Make an image of a server.', f'{_ACTION} (createImage)'),
    rule(CREATE_IMAGE_OF_VOLUMES, MEMBER, 'Make an image of a server whose root is a volume, by snapshots of its '
         'volumes.', f'{_ACTION} (createImage)'),
]
