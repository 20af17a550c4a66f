"""Policies of volumes."""
from volsvc.policies.base import ADMIN, MEMBER, READER, READER_OR_SERVICE, rule

CREATE = 'volume:create'
CREATE_FROM_IMAGE = 'volume:create_from_image'
GET = 'volume:get'
GET_ALL = 'volume:get_all'
UPDATE = 'volume:update'
DELETE = 'volume:delete'
FORCE_DELETE = 'volume:force_delete'
MULTIATTACH = 'volume:multiattach'
HOST_ATTRIBUTE = 'volume_extension:volume_host_attribute'
TENANT_ATTRIBUTE = 'volume_extension:volume_tenant_attribute'
MIGRATION_ATTRIBUTE = 'volume_extension:volume_mig_status_attribute'
ENCRYPTION_METADATA = 'volume_extension:volume_encryption_metadata'

_SHOWN = ('GET /volumes/{volume_id}', 'GET /volumes/detail')

RULES = [
    rule(CREATE, MEMBER, 'Create a volume.', 'POST /volumes'),
    rule(CREATE_FROM_IMAGE, MEMBER, 'Create a volume from an image.', 'POST /volumes'),
    rule(GET, READER_OR_SERVICE, 'Show a volume.', 'GET /volumes/{volume_id}'),
    rule(GET_ALL, READER, 'List volumes.', 'GET /volumes', 'GET /volumes/detail', 'GET /volumes/summary'),
    rule(UPDATE, MEMBER, 'Change a volume\'s name and description, or whether it can be booted from.',
         'PUT /volumes/{volume_id}', 'POST /volumes/{volume_id}/action (os-set_bootable)'),
    rule(DELETE, MEMBER, 'Delete a volume.', 'DELETE /volumes/{volume_id}'),
    rule(FORCE_DELETE, ADMIN, 'Delete a volume in any status.', 'DELETE /volumes/{volume_id}'),
    rule(MULTIATTACH, MEMBER, 'Create a volume that several servers may have at once.', 'POST /volumes'),
    rule(HOST_ATTRIBUTE, ADMIN, 'See which backend holds a volume.', *_SHOWN),
    rule(TENANT_ATTRIBUTE, READER, 'See which project owns a volume.', *_SHOWN),
    rule(MIGRATION_ATTRIBUTE, ADMIN, 'See how a volume\'s migration stands.', *_SHOWN),
    rule(ENCRYPTION_METADATA, READER_OR_SERVICE, 'Show how a volume is encrypted.',
         'GET /volumes/{volume_id}/encryption'),
]
