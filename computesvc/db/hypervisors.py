"""Hypervisors, as their agents describe them."""
from sqlalchemy import select

from computesvc import errors
from computesvc.db import claims
from computesvc.db.models import Hypervisor


def record(session, host: str, capabilities: dict, notices: list[str] | None = None) -> None:
    """Keep what an agent says its host is and can do, and its notices for an operator, if it says so."""
    said = {name: capabilities.get(name) for name in ('vcpus', 'memory_mb', 'local_gb')}
    values = {
        'hostname': capabilities.get('hostname') or host,
        'type': capabilities.get('hypervisor_type', 'unknown'),
        'version': int(capabilities.get('hypervisor_version') or 0),
        'host_ip': capabilities.get('host_ip'),
        'capabilities': capabilities,
        **{name: int(value or 0) for name, value in said.items()},
        **({} if notices is None else {'notices': notices}),
    }
    row = session.scalar(select(Hypervisor).where(Hypervisor.host == host))
    if row is None:
        taken = {f'{name}_used': amount for name, amount in claims.used(session, host).items()}
        session.add(Hypervisor(host=host, **values, **taken))
        return
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def find(session, pattern: str | None = None) -> list[Hypervisor]:
    """All, or those with `pattern` in their host name."""
    query = select(Hypervisor).order_by(Hypervisor.id)
    if pattern:
        query = query.where(Hypervisor.hostname.contains(pattern, autoescape=True))
    return list(session.scalars(query))


def get(session, id) -> Hypervisor:
    """By UUID, or by number as before 2.53; raises NotFound."""
    column = Hypervisor.id if isinstance(id, int) else Hypervisor.uuid
    row = session.scalar(select(Hypervisor).where(column == id))
    if row is None:
        raise errors.NotFound('Hypervisor', id)
    return row
