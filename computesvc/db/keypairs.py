"""Key pairs: public keys only."""
from oslo_db import exception as db_exc
from sqlalchemy import delete, func, select

from computesvc import errors
from computesvc.db.models import Keypair


def of_user(session, user_id: str, after: str | None = None, limit: int | None = None) -> list[Keypair]:
    """By name; those after the name `after`, `limit` at most."""
    query = select(Keypair).where(Keypair.user_id == user_id)
    if after is not None:
        query = query.where(Keypair.name > after)
    return list(session.scalars(query.order_by(Keypair.name).limit(limit)))


def count(session, user_id: str) -> int:
    return session.scalar(select(func.count()).where(Keypair.user_id == user_id))


def get(session, user_id: str, name: str) -> Keypair:
    row = session.scalar(select(Keypair).where(Keypair.user_id == user_id, Keypair.name == name))
    if row is None:
        raise errors.NotFound('Keypair', name)
    return row


def add(session, keypair: Keypair) -> None:
    session.add(keypair)
    try:
        session.flush()
    except db_exc.DBDuplicateEntry:
        raise errors.Conflict(f"Key pair '{keypair.name}' already exists.") from None


def remove(session, keypair: Keypair) -> None:
    session.execute(delete(Keypair).where(Keypair.id == keypair.id))
