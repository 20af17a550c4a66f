"""Policies of the attach sequence that preceded attachments.

Whatever they say, only a service takes a volume from a server that uses it.
"""
from volsvc.policies.base import ADMIN, MEMBER_OR_SERVICE, rule

RESERVE = 'volume_extension:volume_actions:reserve'
UNRESERVE = 'volume_extension:volume_actions:unreserve'
INITIALIZE_CONNECTION = 'volume_extension:volume_actions:initialize_connection'
ATTACH = 'volume_extension:volume_actions:attach'
BEGIN_DETACHING = 'volume_extension:volume_actions:begin_detaching'
ROLL_DETACHING = 'volume_extension:volume_actions:roll_detaching'
TERMINATE_CONNECTION = 'volume_extension:volume_actions:terminate_connection'
DETACH = 'volume_extension:volume_actions:detach'
FORCE_DETACH = 'volume_extension:volume_admin_actions:force_detach'

_PATH = 'POST /volumes/{volume_id}/action'

RULES = [
    rule(RESERVE, MEMBER_OR_SERVICE, 'Reserve a volume that is about to be attached.', f'{_PATH} (os-reserve)'),
    rule(UNRESERVE, MEMBER_OR_SERVICE, 'Give up a reservation.', f'{_PATH} (os-unreserve)'),
    rule(INITIALIZE_CONNECTION, MEMBER_OR_SERVICE, 'Have a volume exported to a host, and see how that reaches it, '
         'with credentials.', f'{_PATH} (os-initialize_connection)'),
    rule(ATTACH, MEMBER_OR_SERVICE, 'Say that a server or a host has a volume.', f'{_PATH} (os-attach)'),
    rule(BEGIN_DETACHING, MEMBER_OR_SERVICE, 'Say that a volume is about to be detached.',
         f'{_PATH} (os-begin_detaching)'),
    rule(ROLL_DETACHING, MEMBER_OR_SERVICE, 'Say that a volume is not detached after all.',
         f'{_PATH} (os-roll_detaching)'),
    rule(TERMINATE_CONNECTION, MEMBER_OR_SERVICE, 'End the export of a volume to a host. One by which a server uses '
         'the volume can only be ended by a service, whatever this rule says.', f'{_PATH} (os-terminate_connection)'),
    rule(DETACH, MEMBER_OR_SERVICE, 'Say that a server or a host has a volume no more. One of a server that uses the '
         'volume can only be detached by a service, whatever this rule says.', f'{_PATH} (os-detach)'),
    rule(FORCE_DETACH, ADMIN, 'End what is left of a detach that went wrong. A server that uses the volume keeps it, '
         'unless a service asks.', f'{_PATH} (os-force_detach)'),
]
