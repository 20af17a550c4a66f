"""Volumes on servers."""
import string

from sqlalchemy import delete, or_, select, update

from computesvc import errors
from computesvc.db import states
from computesvc.db.models import Attachment, Server
from svckit.db import swap


def of_server(session, server_id: str) -> list[Attachment]:
    """In the order in which the guest finds them."""
    rows = session.scalars(select(Attachment).where(Attachment.server_id == server_id))
    return sorted(rows, key=lambda a: (len(a.device), a.device))


def of_servers(session, server_ids) -> dict[str, list[Attachment]]:
    found = {id: [] for id in server_ids}
    rows = session.scalars(select(Attachment).where(Attachment.server_id.in_(found)).order_by(Attachment.created_at))
    for attachment in rows:
        found[attachment.server_id].append(attachment)
    return found


def on_host(session, host: str) -> list[Attachment]:
    """Attached volumes of a host's live servers, but of those on their way from it or to it."""
    return list(session.scalars(
        select(Attachment).join(Server, Server.id == Attachment.server_id)
        .where(Server.host == host, Server.deleted_at.is_(None), Attachment.state == 'attached',
               or_(Server.task_state.is_(None), Server.task_state.not_in(states.ON_THE_WAY)))))


def find(session, server_id: str, volume_id: str) -> Attachment | None:
    return session.scalar(select(Attachment).where(Attachment.server_id == server_id,
                                                   Attachment.volume_id == volume_id))


def get(context, server, volume_id: str) -> Attachment:
    """Raises AttachmentNotFound."""
    with context.db.reader() as session:
        attachment = find(session, server.id, volume_id)
    if attachment is None:
        raise errors.AttachmentNotFound(server.id, volume_id)
    return attachment


def change(session, id: str, **values) -> None:
    """Record what became known of an attachment."""
    session.execute(update(Attachment).where(Attachment.id == id).values(**values))


def mark(session, id: str, expect: str, state: str) -> bool:
    return swap(session, Attachment, id, {'state': expect}, {'state': state})


def remove(session, *ids: str) -> None:
    session.execute(delete(Attachment).where(Attachment.id.in_(ids)))


def forget(session, server_id: str) -> None:
    """The volumes of a server that could not be made are its no more; those made for it go when it is deleted."""
    session.execute(update(Attachment).where(Attachment.server_id == server_id).values(
        state='failed', attachment_id=None, connection_info=None, path=None, path_type=None))


def leave(session, server_id: str) -> None:
    """The server is gone, but what its dead host had connected is known until the server is forgotten."""
    session.execute(delete(Attachment).where(Attachment.server_id == server_id, Attachment.connection_info.is_(None)))
    session.execute(update(Attachment).where(Attachment.server_id == server_id).values(state='left'))


def free_device(taken) -> str:
    """The first of /dev/vda … /dev/vdz, /dev/vdaa … that is not in `taken`; raises Forbidden when all are."""
    names = [*string.ascii_lowercase, *(a + b for a in 'ab' for b in string.ascii_lowercase)]
    for name in names:
        if f'/dev/vd{name}' not in taken:
            return f'/dev/vd{name}'
    raise errors.Forbidden(f'The maximum allowed number of disk devices ({len(names)}) to attach to a single '
                           'instance has been exceeded.')


def disk(attachment: dict, device: dict, connection: dict) -> dict:
    """What a hypervisor has to know of an attachment (see host/base.py)."""
    return {**device, 'volume_id': attachment['volume_id'], 'format': 'raw',
            'target': attachment['device'].removeprefix('/dev/'), 'boot_index': attachment['boot_index'],
            'read_only': False, 'shareable': bool(connection.get('multiattach')), 'size': attachment['size']}


def device(attachment: dict) -> dict | None:
    """The host's device, as far as it was recorded."""
    return {'path': attachment['path'], 'type': attachment['path_type']} if attachment['path'] else None


def view(attachment: Attachment) -> dict:
    """What the steps of an operation have to know of an attachment, as plain data for its parameters."""
    names = ('id', 'server_id', 'volume_id', 'attachment_id', 'device', 'boot_index', 'delete_on_termination',
             'connection_info', 'path', 'path_type', 'size')
    return {name: getattr(attachment, name) for name in names}
