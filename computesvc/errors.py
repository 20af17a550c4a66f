"""What can go wrong with servers, each with its status and its sentence."""
from svckit import errors
from svckit.errors import (
    BadRequest,
    Conflict,
    Error,
    Forbidden,
    NotFound,
    OverQuota,
    Unavailable,
)

__all__ = ['AttachmentNotFound', 'BadRequest', 'CannotResizeDisk', 'Conflict', 'DeviceInUse', 'Error', 'Forbidden',
           'InvalidState', 'InvalidVolume', 'NotFound', 'OverQuota', 'ServerLocked', 'ServerNotFound', 'Unavailable']


class InvalidState(Conflict):
    """The server is not in a state in which this can be done."""

    def __init__(self, server, verb):
        attr = 'task_state' if server.task_state else 'vm_state'
        super().__init__(f"Cannot '{verb}' instance {server.id} while it is in {attr} {getattr(server, attr)}")


class ServerLocked(Conflict):
    def __init__(self, server_id):
        super().__init__(f'Instance {server_id} is locked')


class ServerNotFound(errors.NotFound):
    def __init__(self, server_id):
        super().__init__('Instance', server_id)


class AttachmentNotFound(errors.NotFound):
    def __init__(self, server_id, volume_id):
        super().__init__(f'Instance {server_id} is not attached to volume {volume_id}')


class InvalidVolume(BadRequest):
    """The volume service will not give this volume to this server."""


class DeviceInUse(Conflict):
    def __init__(self, device):
        super().__init__(f'The supplied device path ({device}) is in use.')


class CannotResizeDisk(BadRequest):
    def __init__(self, reason):
        super().__init__(f'Server disk was unable to be resized because: {reason}')
