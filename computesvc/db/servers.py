"""Servers: look-ups, lists and the changes of state that operations make."""
import datetime

from sqlalchemy import func, literal, null, select, union_all, update

from computesvc import errors
from computesvc.db import claims, states
from computesvc.db.models import Server
from svckit import quota
from svckit.db import swap, utcnow


def get(context, id: str, deleted: bool = False) -> Server:
    """The server, if the context may know of it; raises ServerNotFound.

    Another project's server does not exist for anybody but administrators and services.
    """
    with context.db.reader() as session:
        server = session.get(Server, id)
    if server is None or (server.deleted_at and not deleted):
        raise errors.ServerNotFound(id)
    if server.project_id != context.project_id and not (context.is_admin or context.is_service):
        raise errors.ServerNotFound(id)
    return server


def of_ids(session, ids) -> dict[str, Server]:
    """Live servers by id."""
    rows = session.scalars(select(Server).where(Server.id.in_(set(ids)), Server.deleted_at.is_(None)))
    return {server.id: server for server in rows}


def on_host(session, host: str) -> list[Server]:
    return list(session.scalars(select(Server).where(Server.host == host, Server.deleted_at.is_(None))))


def settle(session, id: str, task_state: str | None, **values) -> bool:
    """Take a server out of `task_state`; False (and nothing changed) if it is no longer in it."""
    return swap(session, Server, id, {'task_state': task_state, 'deleted_at': None}, {'task_state': None, **values})


def blame(reason: str) -> dict:
    """A fault as servers keep it."""
    return {'code': 500, 'message': reason, 'created': stamp(utcnow())}


def fail(session, id: str, reason: str, task_state: str | None, **values) -> None:
    """The server could not be made: ERROR, with the reason as its fault, and `task_state` unless being deleted."""
    idle = {} if session.get(Server, id).task_state == 'deleting' else {'task_state': task_state}
    session.execute(update(Server).where(Server.id == id).values(
        **values, **idle, vm_state=states.ERROR, power_state=states.NOSTATE,
        fault=blame(reason)))


def remove(session, server: Server) -> None:
    """Mark the server deleted and give back its quota and its room; a second time changes nothing."""
    moment = utcnow()
    if swap(session, Server, server.id, {'deleted_at': None},
            {'deleted_at': moment, 'terminated_at': moment, 'vm_state': states.DELETED, 'task_state': None,
             'power_state': states.NOSTATE}):
        quota.give(session, server.project_id, demand(server))
        claims.release_server(session, server.id)


def demand(server) -> dict[str, int]:
    """What one server takes of its project's quota: until a move is confirmed or reverted, the more of both sizes."""
    return {'instances': 1, **_held(server.old_flavor, server.vcpus, server.memory_mb)}


def _held(old_flavor, vcpus, memory_mb):
    return (old_flavor or {}).get('held') or {'cores': vcpus, 'ram': memory_mb}


def counted_usage(session, project_id: str | None = None) -> dict[str, dict[str, int]]:
    """project -> resource -> what its servers take of the quota; of one project, or of all.

    In one query, so that one that begins to move meanwhile is neither missing nor there twice.
    """
    there = [Server.deleted_at.is_(None)] + ([] if project_id is None else [Server.project_id == project_id])
    moving = select(Server.old_flavor, Server.project_id, literal(1), Server.vcpus, Server.memory_mb).where(
        *there, Server.old_flavor.is_not(None))
    others = select(null(), Server.project_id, func.count(), func.sum(Server.vcpus), func.sum(Server.memory_mb)).where(
        *there, Server.old_flavor.is_(None)).group_by(Server.project_id)
    counted: dict[str, dict[str, int]] = {}
    for old_flavor, project, count, vcpus, memory_mb in session.execute(union_all(moving, others)):
        found = counted.setdefault(project, {'instances': 0, 'cores': 0, 'ram': 0})
        for name, amount in {'instances': count, **_held(old_flavor, vcpus, memory_mb)}.items():
            found[name] += int(amount)
    return counted


def stamp(moment: datetime.datetime | None) -> str | None:
    """A moment as this API writes it in servers: whole seconds, with a Z."""
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ') if moment else None
