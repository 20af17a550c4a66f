"""Quota: what is counted, and the limits that hold where nobody set any."""
from sqlalchemy import delete, select

from svckit import quota
from volsvc.db.models import VolumeType

RESOURCES = ('volumes', 'snapshots', 'gigabytes', 'backups', 'backup_gigabytes', 'groups', 'per_volume_gigabytes')
PER_TYPE = ('volumes', 'gigabytes', 'snapshots')


def defaults(conf) -> dict[str, int]:
    """resource -> limit, -1 for none."""
    return {name: conf.quota[name] for name in RESOURCES}


def titles(session) -> dict[str, str]:
    """resource -> what clients call it, of all that has a limit: a type's are kept by its id, and shown by its name."""
    types = session.execute(select(VolumeType.id, VolumeType.name).order_by(VolumeType.name)).all()
    return {name: name for name in RESOURCES} | {
        f'{resource}_{id}': f'{resource}_{name}' for id, name in types for resource in PER_TYPE}


def forget_type(session, id: str) -> None:
    """Nothing is kept of a volume type that is gone."""
    resources = [f'{resource}_{id}' for resource in PER_TYPE]
    for table in quota.LIMITS, quota.USAGES:
        session.execute(delete(table).where(table.c.resource.in_(resources)))
