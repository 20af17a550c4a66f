"""Policies of attachments: what a volume has to do with a server."""
from volsvc.policies.base import ADMIN_OR_SERVICE, MEMBER_OR_SERVICE, READER_OR_SERVICE, rule

GET = 'volume:attachment_get'
GET_ALL = 'volume:attachment_get_all'
GET_CONNECTION = 'volume:attachment_get_connection'
CREATE = 'volume:attachment_create'
UPDATE = 'volume:attachment_update'
DELETE = 'volume:attachment_delete'
COMPLETE = 'volume:attachment_complete'
MULTIATTACH_BOOTABLE = 'volume:multiattach_bootable_volume'

RULES = [
    rule(GET, READER_OR_SERVICE, 'Show an attachment.', 'GET /attachments/{attachment_id}'),
    rule(GET_ALL, READER_OR_SERVICE, 'List attachments.', 'GET /attachments', 'GET /attachments/detail'),
    rule(GET_CONNECTION, ADMIN_OR_SERVICE, 'See in an attachment of a server how its host reaches the volume, with '
         'credentials. Whoever gives a connector is answered in any case.', 'GET /attachments/{attachment_id}',
         'GET /attachments/detail'),
    rule(CREATE, MEMBER_OR_SERVICE, 'Create an attachment: reserve a volume for a server.', 'POST /attachments'),
    rule(UPDATE, MEMBER_OR_SERVICE, 'Give an attachment the connector of a host.',
         'PUT /attachments/{attachment_id}'),
    rule(DELETE, MEMBER_OR_SERVICE, 'Delete an attachment. One of a server that uses the volume can only be '
         'deleted by a service, whatever this rule says.', 'DELETE /attachments/{attachment_id}'),
    rule(COMPLETE, MEMBER_OR_SERVICE, 'Say that a server has the volume.',
         'POST /attachments/{attachment_id}/action (os-complete)'),
    rule(MULTIATTACH_BOOTABLE, MEMBER_OR_SERVICE, 'Attach a bootable volume to several servers.',
         'POST /attachments'),
]
