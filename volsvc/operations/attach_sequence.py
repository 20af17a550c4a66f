"""The attach sequence that preceded attachments: requests, of which those that ask a backend wait for an operation.

Whatever a client has of a volume by it is kept as an attachment, too, marked `legacy`:
'attaching' from its reservation or its connection on, 'attached' once it says so.  Its
mark tells it from what clients of attachments have reserved: neither gets the other's.
"""
from svckit import operations
from svckit.db import new_id, utcnow
from volsvc import errors, notify
from volsvc.db import attachments, volumes
from volsvc.db.models import Attachment, Volume
from volsvc.operations import connect_attachment, delete_attachment, end_connection
from volsvc.operations.connect_attachment import same_host

# A forced end of its last attachment makes such a volume available, too.
FORCED = ('error', 'maintenance')
# What backends know a host by, besides its name.
KNOWN_BY = ('initiator', 'nqn', 'wwpns')


# ------------------------------------------------------------------ to a server

def reserve(context, volume) -> None:
    """Nobody else can get the volume; a volume that several may have can be reserved while it is used."""
    def work(session):
        locked = volumes.for_update(session, volume.id)
        _check(locked, 'reserved', _free_statuses(locked))
        if not any(_is_on_its_way(one) and not _connector(session, one) for one in locked.attachments):
            session.add(_new(context, locked))
        locked.status = 'attaching'
    context.db.run(work)


def unreserve(context, volume) -> None:
    """What was reserved, and not attached since, is free again; nothing changes if nothing was."""
    with context.db.reader() as session:
        if volumes.get(session, volume.id).status != 'attaching':
            return
        reserved = [one for one in attachments.of_volume(session, volume.id) if _is_on_its_way(one)]
    for one in reserved:
        delete_attachment.request(context, one, unless=('attached',))
    settle(context, volume.id)


def connect(context, volume, connector: dict) -> Attachment:
    """The attachment by which the host that sent `connector` reaches the volume: the reserved one if there is one."""
    attachment, made = context.db.run(lambda session: _to_connect(session, context, volume.id, connector))
    return connect_attachment.connect(context, attachment, connector, made)


def _to_connect(session, context, volume_id, connector):
    locked = volumes.for_update(session, volume_id)
    found = [one for one in attachments.of_volume(session, volume_id)
             if one.legacy and one.attach_status != 'detaching']
    same = [one for one in found if same_host(_connector(session, one) or {'host': one.attached_host}, connector)]
    bare = [one for one in found if not _connector(session, one)]
    for one in [*filter(_is_on_its_way, same), *filter(_is_on_its_way, bare), *same, *bare]:
        delete_attachment.check_owner(context, one)
        if one.instance_uuid and one.connection_info and not context.is_service:
            raise errors.AttachmentInUse(one.instance_uuid)
        one.legacy = _who(context)
        return one, False
    _check(locked, 'connected', ('available', 'in-use'))
    if locked.status == 'in-use' and not locked.multiattach and not context.is_service:
        raise errors.BadRequest(f'Invalid volume: volume {volume_id} is in use; only a compute service can connect it '
                                'to another host then.')
    made = _new(context, locked)
    session.add(made)
    if locked.status == 'available':
        locked.status = 'attaching'
    session.flush()
    return made, True


def attach(context, volume, instance_uuid=None, host_name=None, mountpoint=None, mode='rw') -> None:
    """A server, or else a host, has the volume: it is in use.  Said again, nothing changes."""
    def work(session):
        locked = volumes.for_update(session, volume.id)
        if locked.readonly and mode != 'ro':
            raise errors.BadRequest(f'Volume {volume.id} is read only and cannot be attached in mode {mode}.')
        found = attachments.of_volume(session, volume.id)
        attached = [one for one in found if one.attach_status == 'attached']
        if any(_is_of(one, instance_uuid, host_name) for one in attached):
            if locked.status in delete_attachment.BY_ATTACHMENTS:
                locked.status = 'in-use'
            return
        attachment = _to_attach(session, context, locked, found, host_name)
        attachment.instance_uuid, attachment.attach_status, attachment.attach_mode = instance_uuid, 'attached', mode
        attachment.attached_host = host_name or attachment.attached_host
        attachment.mountpoint, attachment.attach_time = mountpoint, utcnow()
        locked.status = 'in-use'
        for what in ('attach.end',) if attachment.connection_info else ('attach.start', 'attach.end'):
            notify.volume(session, context.service.messaging, what, locked, context)
    context.db.run(work)


def _to_attach(session, context, locked, found, host_name):
    """The reservation that is to be the attachment, best the host's own, or a new one if the volume is free."""
    alone = locked.multiattach or not any(one.attach_status in ('attached', 'detaching') for one in found)
    reserved = [one for one in found if _is_on_its_way(one)] if alone else []
    reserved.sort(key=lambda one: (one.attached_host != host_name, one.connector is None))
    if reserved:
        _check(locked, 'attached', delete_attachment.BY_ATTACHMENTS)
        return reserved[0]
    _check(locked, 'attached', _free_statuses(locked))
    made = _new(context, locked)
    session.add(made)
    return made


# ------------------------------------------------------------------ and back

def begin_detaching(context, volume) -> None:
    """The volume is 'detaching': a compute service is about to take it from a server."""
    with context.db.transaction() as session:
        volumes.mark(session, volume, 'detached', ('in-use',), status='detaching', previous_status='in-use')


def roll_detaching(context, volume) -> None:
    """It is in use as before; one that nobody detaches stays as it is."""
    def work(session):
        locked = volumes.for_update(session, volume.id)
        if locked.status == 'detaching':
            locked.status, locked.previous_status = 'in-use', None
    context.db.run(work)


def disconnect(context, volume, connector: dict | None) -> None:
    """The host that sent `connector` (None: every host) reaches the volume no more.

    What it had reserved is free again; what a server has stays its attachment until
    that is detached.  Nothing of this may be taken from a server behind its back.
    """
    with context.db.reader() as session:
        found = attachments.of_volume(session, volume.id)
    reached = _reached(found, connector)
    for one in reached:
        delete_attachment.check_allowed(context, one)
    for one in reached if connector is None else _one_of(reached):
        if one.legacy and one.attach_time is None:
            delete_attachment.request(context, one, unless=('attached',))
        else:
            end_connection.request(context, one)
    if not reached and not any(one.attach_status == 'attached' for one in found):
        unreserve(context, volume)


def _reached(found, connector):
    """The attachments by which that host reaches the volume; by its name, or else by what a backend may know it by."""
    connected = [one for one in found if one.connection_info]
    if connector is None:
        return connected
    return ([one for one in connected if same_host(one.connector, connector)]
            or [one for one in connected if same_host(one.connector, connector, KNOWN_BY)])


def _one_of(reached):
    """The one to be ended of those by which a host reaches the volume: one that is not attached yet, if there is one.

    Which of several attachments is meant cannot be told; each ends when it is detached.
    """
    begun = [one for one in reached if one.legacy and one.attach_time is None]
    return begun[:1] or (reached if len(reached) == 1 else [])


def detach(context, volume, attachment_id=None, force=False) -> None:
    """The attachment is gone: the one with that id, or else the only one.  Fine if there is none any more."""
    with context.db.reader() as session:
        found = attachments.of_volume(session, volume.id)
    if volume.status == 'maintenance' and not force:
        raise errors.InvalidStatus(volume.id, 'detached', delete_attachment.BY_ATTACHMENTS, volume.status)
    chosen = _to_detach(context, volume.id, found, attachment_id)
    if chosen:
        delete_attachment.request(context, chosen)
    settle(context, volume.id, FORCED if chosen and force else ())


def _to_detach(context, volume_id, found, attachment_id):
    if attachment_id:
        return next((one for one in found if one.id == attachment_id), None)
    chosen = [one for one in found if one.attach_status == 'attached'] or found
    if len(chosen) > 1:
        raise errors.BadRequest(f'Invalid volume: volume {volume_id} has {len(chosen)} attachments; which one is meant '
                                'must be said by its attachment_id.')
    return chosen[0] if chosen else None


def settle(context, volume_id: str, more: tuple = ()) -> None:
    """The volume's status is what its attachments make of it, unless somebody else is at work on the volume.

    `more`: statuses besides those that attachments make which end thereby.
    """
    def work(session):
        locked = volumes.for_update(session, volume_id)
        if locked.status in (*delete_attachment.BY_ATTACHMENTS, *more) and not operations.live(
                session, f'volume:{volume_id}'):
            locked.status = volumes.at_rest(attachments.of_volume(session, volume_id))
    context.db.run(work)


# ------------------------------------------------------------------ what is whose

def _check(volume, asked, wanted):
    if volume.status not in wanted:
        raise errors.InvalidStatus(volume.id, asked, wanted, volume.status)


def _free_statuses(volume) -> tuple:
    return ('available', 'in-use') if volume.multiattach else ('available',)


def _new(context, volume: Volume) -> Attachment:
    return Attachment(id=new_id(), volume_id=volume.id, attach_status='attaching', legacy=_who(context),
                      created_at=utcnow())


def _who(context) -> str:
    return 'service' if context.is_service else 'user'


def _is_on_its_way(attachment) -> bool:
    return attachment.legacy is not None and attachment.attach_status == 'attaching'


def _connector(session, attachment) -> dict | None:
    """Of the host that reaches the volume by it, or is about to."""
    op = operations.live(session, f'connection:{attachment.id}')
    if op and op.name == connect_attachment.OPERATION.name and op.state == 'running':
        return op.params['connector']
    return attachment.connector


def _is_of(attachment, instance_uuid, host_name) -> bool:
    if instance_uuid:
        return attachment.instance_uuid == instance_uuid
    return attachment.instance_uuid is None and attachment.attached_host == host_name
