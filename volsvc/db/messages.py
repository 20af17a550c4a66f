"""Messages to users: why a request that was accepted ended otherwise."""
import datetime

from sqlalchemy import delete, select

from svckit.db import new_id, utcnow
from volsvc import errors
from volsvc.db import keyset
from volsvc.db.models import Message

SORT_KEYS = ('id', 'event_id', 'resource_uuid', 'resource_type', 'request_id', 'message_level', 'created_at')
FILTERS = ('resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level')

# What was being done, and how it ended: Cinder's numbers of both where it has them, ours from 101 on.
SCHEDULE = '001_003'                # no backend is left
ATTACH = '002_021'                  # by the older sequence
UPLOAD, UPLOAD_LIMIT, UPLOAD_TORN = '003_004', '003_006', '003_101'
CONNECT = '004_021'                 # by an attachment
IMAGE, IMAGE_ROOM = '005_001', '005_007'
EXTEND, EXTEND_TELL = '007_010', '007_009'      # its backend, its server
CREATE, CREATE_TORN = '008_012', '008_101'      # torn: a copy that is not of one moment
SNAPSHOT_CREATE, SNAPSHOT_TORN = '009_013', '009_101'
SNAPSHOT_DELETE, SNAPSHOT_BUSY = '010_016', '010_015'
DELETE, DETACH, LOST, GREW, REVERT = '101_001', '102_022', '103_001', '104_001', '105_001'
# What operations work on, by the prefix of their `resource`.
KINDS = {'volume': 'VOLUME', 'snapshot': 'VOLUME_SNAPSHOT'}


def add(session, op, event: str, text: str, ttl: float, level='ERROR', resource: str | None = None) -> None:
    """Tell the owner of what the operation works on, or of `resource`; the same thing is said once per operation."""
    tell(session, resource or op.resource, op.project_id, op.request_id, event, text, ttl, level)


def tell(session, resource: str, project_id: str, request_id: str | None, event: str, text: str, ttl: float,
         level='ERROR') -> None:
    """As add(), where no operation has to do with it; `resource` is 'volume:<id>' or 'snapshot:<id>'."""
    kind, _, id = resource.partition(':')
    event_id = f'VOLUME_{KINDS[kind]}_{event}'
    there = session.execute(select(Message.id).where(
        Message.resource_uuid == id, Message.event_id == event_id, Message.user_message == text,
        Message.request_id == request_id)).first()
    if there:
        return
    now = utcnow()
    session.add(Message(id=new_id(), project_id=project_id, request_id=request_id, resource_type=KINDS[kind],
                        resource_uuid=id, event_id=event_id, message_level=level, user_message=text,
                        created_at=now, expires_at=now + datetime.timedelta(seconds=ttl)))


def get(session, id: str, project_id: str | None) -> Message:
    message = session.get(Message, id)
    if message is None or project_id is not None and message.project_id != project_id:
        raise errors.NotFound('Message', id)
    return message


def page(session, page, filters: dict, project_id: str | None) -> list[Message]:
    """One page of a project's messages (None: of all)."""
    where = [getattr(Message, name) == wanted for name, wanted in filters.items()]
    return keyset.rows(session, Message, page, project_id, where, lambda id: errors.NotFound('Message', id))


def forget(session, id: str) -> None:
    session.execute(delete(Message).where(Message.id == id))


def prune(session) -> int:
    """Forget those whose time is over; returns how many."""
    return session.execute(delete(Message).where(Message.expires_at < utcnow())).rowcount
