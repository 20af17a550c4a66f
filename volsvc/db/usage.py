"""What projects use of their quota: what one thing uses, and all of them counted.

A volume type's share is kept under its id ('gigabytes_<id>'): types get other names.
"""
from sqlalchemy import func, select

from svckit import quota
from volsvc.db import claims
from volsvc.db.models import Snapshot, Volume

GIB = 1024 ** 3


def of_volumes(type_id: str | None, size: int, count: int = 1) -> dict[str, int]:
    """What volumes of a type with `size` bytes together use."""
    return _with_type({'volumes': count, 'gigabytes': size // GIB}, type_id)


def of_snapshots(type_id: str | None, size: int, count: int = 1) -> dict[str, int]:
    """What snapshots of volumes of a type use, of `size` bytes that count."""
    return _with_type({'snapshots': count, 'gigabytes': size // GIB}, type_id)


def _with_type(amounts, type_id):
    if type_id:
        amounts |= {f'{resource}_{type_id}': amount for resource, amount in amounts.items()}
    return {resource: amount for resource, amount in amounts.items() if amount}


def take(session, project_id: str, kind, amounts: dict[str, int], allowed: dict[str, int]) -> None:
    """The project uses so much more for something of this volume type; errors.OverQuota names the type."""
    titles = {} if kind is None else {name: name.replace(kind.id, kind.name) for name in amounts}
    quota.take(session, project_id, amounts, allowed, titles)


def counted(session, project_id: str | None = None) -> dict[str, dict[str, int]]:
    """project -> resource -> what its volumes and snapshots come to; of one project, or of all.

    An extend that is under way holds its quota, which is counted too.
    """
    found: dict[str, dict[str, int]] = {}
    volumes, growths = claims.volumes_and_growths(
        session, Volume.project_id, Volume.volume_type_id, project_id=project_id)
    for project, type_id, count, size in volumes:
        _add(found, project, of_volumes(type_id, size, count))
    for project, params in growths:
        _add(found, project, params['quota'])
    where = [] if project_id is None else [Snapshot.project_id == project_id]
    by = Snapshot.project_id, Snapshot.volume_type_id
    for project, type_id, count, size in session.execute(
            select(*by, func.count(), func.sum(Snapshot.counted)).where(*where).group_by(*by)):
        _add(found, project, of_snapshots(type_id, int(size), count))
    return found


def _add(found, project_id, amounts):
    held = found.setdefault(project_id, {})
    for resource, amount in amounts.items():
        held[resource] = held.get(resource, 0) + amount
