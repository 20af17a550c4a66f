"""Processes that report, and the hypervisors of those that are agents."""
from sqlalchemy import delete, select, update

from computesvc import errors
from computesvc.db.models import Hypervisor, Service
from svckit.db import now

AGENT, CONDUCTOR = 'nova-compute', 'nova-conductor'


def seen(session, binary: str, host: str, zone: str) -> None:
    """A process reported just now."""
    here = (Service.binary == binary) & (Service.host == host)
    if not session.execute(update(Service).where(here).values(seen_at=now())).rowcount:
        session.add(Service(binary=binary, host=host, zone=zone, seen_at=now()))


def find(session, host=None, binary=None) -> list[tuple[Service, float]]:
    """(service, seconds since it last reported), by id."""
    query = select(Service, now() - Service.seen_at).order_by(Service.id)
    if host:
        query = query.where(Service.host == host)
    if binary:
        query = query.where(Service.binary == binary)
    return [tuple(row) for row in session.execute(query)]


def get(session, id) -> Service:
    """By UUID, or by number as before 2.53; raises NotFound."""
    column = Service.id if isinstance(id, int) else Service.uuid
    service = session.scalar(select(Service).where(column == id))
    if service is None:
        raise errors.NotFound('Service', id)
    return service


def remove(session, service: Service) -> None:
    session.execute(delete(Service).where(Service.id == service.id))
    if service.binary == AGENT:
        session.execute(delete(Hypervisor).where(Hypervisor.host == service.host))


def up(service: Service, age: float, limit: float) -> bool:
    """Whether a service that reported `age` seconds ago counts as alive."""
    return not service.forced_down and age <= limit
