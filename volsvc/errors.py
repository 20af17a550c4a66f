"""What can be wrong with a request about volumes, besides what is wrong with any request."""
from svckit.errors import *  # noqa: F403
from svckit.errors import BadRequest, Conflict, NotFound, TooLarge, Unavailable


class VolumeNotFound(NotFound):

    def __init__(self, id):
        super().__init__('Volume', id)


class InvalidStatus(BadRequest):
    """InvalidStatus(id, what was asked, the statuses that would do, the one it has)."""
    message = 'Invalid volume: volume {} cannot be {}, its status must be {}, but it is {}.'

    def __init__(self, id, asked, wanted, found):
        super().__init__(id, asked, ' or '.join(wanted), found)


class SnapshotNotFound(NotFound):

    def __init__(self, id):
        super().__init__('Snapshot', id)


class InvalidSnapshot(InvalidStatus):
    message = 'Invalid snapshot: snapshot {} cannot be {}, its status must be {}, but it is {}.'


class HasSnapshots(BadRequest):
    message = ('Invalid volume: volume {} has snapshots. Delete them first, or the volume with all of them (cascade).')


class ExtendInUse(BadRequest):
    message = 'Invalid volume: volume {} is in use; growing it then needs microversion 3.42 or later.'


class NoKeys(BadRequest):
    message = ('Volumes of type {} are to be encrypted, for which this service has no keys: it makes no volume rather '
               'than one that is not encrypted.')


class NotGreater(BadRequest):
    message = 'New size for extend must be greater than current size. (current: {} GiB, extended: {} GiB)'


class NoOnlineExtend(BadRequest):
    message = ('Volume {} is in use, and the driver {} of its storage backend cannot grow a volume in use. '
               'Detach it first.')


class BackendFull(BadRequest):
    message = 'The storage backend of volume {} has no room for {} GiB more.'


class NoRoomForSnapshot(BadRequest):
    message = 'The storage backend of volume {} has no room for a snapshot of {} GiB.'


class VolumeTooLarge(TooLarge):
    message = 'A volume of {} GiB is larger than the limit of {} GiB for one volume.'


class AttachmentInUse(Conflict):
    message = 'The attachment is in use by server {}: detach the volume from it through the compute service.'


class AttachmentOfService(Conflict):
    message = 'Attachment {} is another service\'s, whose host reaches the volume by it.'


class AttachmentChanged(Conflict):
    message = 'Attachment {} was connected or given to a server meanwhile. Ask again.'


class BackendSilent(Unavailable):
    message = ('The storage backend of volume {} has not finished within {:g} s; the work goes on, '
               'please ask again.')
