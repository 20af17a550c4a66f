"""Backends as they last reported."""
from oslo_db import exception as db_exc
from sqlalchemy import insert, select, update

from svckit.db import new_id, now, utcnow
from volsvc.db.models import Service

BINARY = 'cinder-volume'


def report(session, host: str, zone: str, capabilities: dict) -> None:
    """The backend `host` is alive and can do this."""
    values = {'availability_zone': zone, 'capabilities': capabilities, 'seen_at': now(), 'updated_at': utcnow()}
    here = (Service.binary == BINARY) & (Service.host == host)
    if session.execute(update(Service).where(here).values(**values)).rowcount:
        return
    try:
        with session.begin_nested():
            session.execute(insert(Service).values(binary=BINARY, host=host, uuid=new_id(), **values))
    except db_exc.DBDuplicateEntry:
        session.execute(update(Service).where(here).values(**values))


def every(session) -> list[tuple[Service, float]]:
    """All backends, each with the seconds since its report."""
    return [tuple(row) for row in session.execute(_EVERY)]


_EVERY = select(Service, now() - Service.seen_at).order_by(Service.host)


def of_host(session, host: str | None) -> Service | None:
    """The backend that a volume with this host ('host@backend#pool') is on."""
    if not host:
        return None
    return session.execute(select(Service).where(
        Service.binary == BINARY, Service.host == host.partition('#')[0])).scalar()


def switch(session, host: str, binary: str, disabled: bool, reason: str | None) -> bool:
    """New volumes come to the backend or stay away from it; False if it never reported."""
    here = (Service.binary == binary) & (Service.host == host)
    return bool(session.execute(update(Service).where(here).values(
        disabled=disabled, disabled_reason=reason)).rowcount)
