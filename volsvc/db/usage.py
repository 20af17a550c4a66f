"""What projects use of their quota: what one thing uses, and all of them counted anew."""
from sqlalchemy import func, select

from svckit import quota
from svckit.operations import queries
from volsvc.db.models import Snapshot, Volume, VolumeType

GIB = 1024 ** 3


def of_volumes(type_name: str | None, size: int, count: int = 1) -> dict[str, int]:
    """What volumes of a type with `size` bytes together use."""
    return _with_type({'volumes': count, 'gigabytes': size // GIB}, type_name)


def of_snapshots(type_name: str | None, size: int, count: int = 1) -> dict[str, int]:
    """What snapshots of volumes of a type use, of `size` bytes that count."""
    return _with_type({'snapshots': count, 'gigabytes': size // GIB}, type_name)


def _with_type(amounts, type_name):
    if type_name:
        amounts |= {f'{resource}_{type_name}': amount for resource, amount in amounts.items()}
    return {resource: amount for resource, amount in amounts.items() if amount}


def counted(session, project_id: str) -> dict[str, int]:
    """What a project's volumes and snapshots come to."""
    found = {'volumes': 0, 'gigabytes': 0}
    for amounts in (*_counted(session, Volume, Volume.size, of_volumes, project_id),
                    *_counted(session, Snapshot, Snapshot.counted, of_snapshots, project_id)):
        _add(found, amounts)
    return found


def _counted(session, model, size, amounts, project_id):
    rows = session.execute(select(VolumeType.name, func.count(), func.sum(size)).outerjoin_from(
        model, VolumeType, model.volume_type_id == VolumeType.id).where(
        model.project_id == project_id).group_by(VolumeType.name)).all()
    return [amounts(name, int(total), count) for name, count, total in rows]


def _add(found, amounts):
    for resource, amount in amounts.items():
        found[resource] = found.get(resource, 0) + amount


def repair(session) -> list[tuple[str, dict, dict]]:
    """Each project's usage is what is counted; [(project, before, after)] of those where it was not.

    An extend that is under way holds its quota, which is counted too.
    """
    held: dict[str, dict] = {}
    for op in queries.find(session, 'live', limit=None):
        if op.name == 'extend-volume' and op.position < 2:
            _add(held.setdefault(op.project_id, {}), op.params['quota'])
    repaired = []
    for project in sorted(_projects(session)):
        before, now = quota.usage(session, project), counted(session, project)
        _add(now, held.get(project, {}))
        after = {resource: amount for resource, amount in now.items() if amount}
        if {resource: amount for resource, amount in before.items() if amount} != after:
            quota.set_usage(session, project, after)
            repaired.append((project, before, after))
    return repaired


def _projects(session) -> set[str]:
    columns = Volume.project_id, Snapshot.project_id, quota.USAGES.c.project_id
    return {project for column in columns for project in session.execute(select(column).distinct()).scalars()}
