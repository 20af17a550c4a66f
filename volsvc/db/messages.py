"""Messages to users: why a request that was accepted ended otherwise."""
import datetime

from sqlalchemy import delete, select

from svckit.db import new_id, utcnow
from volsvc import errors
from volsvc.db import keyset
from volsvc.db.models import Message

SORT_KEYS = ('id', 'event_id', 'resource_uuid', 'resource_type', 'request_id', 'message_level', 'created_at')
FILTERS = ('resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level')

# What was being done, numbered as Cinder numbers its actions where it has them; the detail is always
# 001, because the sentence says it.
CREATE, ATTACH, EXTEND, DELETE, DETACH, TELL, GREW, SNAPSHOT_CREATE, SNAPSHOT_DELETE, REVERT, UPLOAD = (
    'VOLUME_VOLUME_008_001', 'VOLUME_VOLUME_002_001', 'VOLUME_VOLUME_007_001', 'VOLUME_VOLUME_101_001',
    'VOLUME_VOLUME_102_001', 'VOLUME_VOLUME_103_001', 'VOLUME_VOLUME_104_001', 'VOLUME_VOLUME_SNAPSHOT_009_001',
    'VOLUME_VOLUME_SNAPSHOT_010_001', 'VOLUME_VOLUME_105_001', 'VOLUME_VOLUME_003_001')
SCHEDULE = 'VOLUME_VOLUME_001_001'
# What operations work on, by the prefix of their `resource`.
_KINDS = {'volume': 'VOLUME', 'snapshot': 'VOLUME_SNAPSHOT'}


def add(session, op, event_id: str, text: str, ttl: float, level='ERROR') -> None:
    """Tell the owner of what the operation works on; the same thing is said once per operation."""
    kind, _, id = op.resource.partition(':')
    tell(session, id, op.project_id, op.request_id, event_id, text, ttl, level, _KINDS[kind])


def tell(session, id: str, project_id: str, request_id: str | None, event_id: str, text: str, ttl: float, level,
         kind='VOLUME'):
    """As add(), where no operation has to do with it."""
    there = session.execute(select(Message.id).where(
        Message.resource_uuid == id, Message.event_id == event_id, Message.user_message == text,
        Message.request_id == request_id)).first()
    if there:
        return
    now = utcnow()
    session.add(Message(id=new_id(), project_id=project_id, request_id=request_id, resource_type=kind,
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
