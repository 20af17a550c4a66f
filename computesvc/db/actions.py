"""Instance actions: what was asked of a server and how it ended, by request id."""
from sqlalchemy import select, update

from computesvc.db.models import ActionEvent, InstanceAction
from svckit.db import utcnow

SUCCESS, ERROR = 'Success', 'Error'


def begin(session, context, server, action: str, event: str, subject: str, host: str | None = None) -> int:
    """Record that `action` was asked, with one unfinished `event`; returns the action's id.

    One request is one action: a second event of the same request joins it.
    """
    row = session.scalar(select(InstanceAction).where(
        InstanceAction.server_id == server.id, InstanceAction.request_id == context.request_id,
        InstanceAction.action == action))
    if row is None:
        row = InstanceAction(server_id=server.id, action=action, request_id=context.request_id,
                             user_id=context.user_id, project_id=context.project_id)
        session.add(row)
        session.flush()
    session.add(ActionEvent(action_id=row.id, event=event, subject=subject, host=host or server.host))
    return row.id


def advance(session, subject: str, event: str, host: str | None) -> None:
    """The work went well so far and goes on as `event` on `host`; said again, it changes nothing."""
    where = [ActionEvent.subject == subject, ActionEvent.finish_time.is_(None)]
    now = session.execute(select(ActionEvent.action_id, ActionEvent.event).where(*where)).first()
    if now is None or now.event == event:
        return
    session.execute(update(ActionEvent).where(*where).values(finish_time=utcnow(), result=SUCCESS))
    session.add(ActionEvent(action_id=now.action_id, event=event, subject=subject, host=host))


def finish(session, subject: str, error: str | None = None, details: str | None = None) -> None:
    """Finish every unfinished event of `subject`: well, perhaps with `details`, or with `error`."""
    where = [ActionEvent.subject == subject, ActionEvent.finish_time.is_(None)]
    ids = list(session.scalars(select(ActionEvent.action_id).where(*where)))
    if not ids:
        return
    session.execute(update(ActionEvent).where(*where).values(
        finish_time=utcnow(), result=ERROR if error else SUCCESS, details=error or details))
    values = {'updated_at': utcnow(), **({'message': 'Error'} if error else {})}
    session.execute(update(InstanceAction).where(InstanceAction.id.in_(ids)).values(**values))


def of_server(session, server_id: str, limit: int, marker: str | None = None, since=None, before=None) -> list:
    """Newest first; `marker` is the request id after which to go on, None in return if it is unknown."""
    query = select(InstanceAction).where(InstanceAction.server_id == server_id)
    if since is not None:
        query = query.where(InstanceAction.updated_at >= since)
    if before is not None:
        query = query.where(InstanceAction.updated_at <= before)
    if marker is not None:
        row = by_request(session, server_id, marker)
        if row is None:
            return None
        query = query.where(InstanceAction.id < row.id)
    return list(session.scalars(query.order_by(InstanceAction.id.desc()).limit(limit)))


def by_request(session, server_id: str, request_id: str) -> InstanceAction | None:
    return session.scalar(select(InstanceAction).where(
        InstanceAction.server_id == server_id, InstanceAction.request_id == request_id)
        .order_by(InstanceAction.id.desc()).limit(1))


def events(session, action_id: int) -> list[ActionEvent]:
    """Newest first, as Nova lists them."""
    return list(session.scalars(select(ActionEvent).where(ActionEvent.action_id == action_id)
                                .order_by(ActionEvent.id.desc())))
