"""Volumes in the database."""
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from svckit.db import swap
from volsvc import errors
from volsvc.db import keyset
from volsvc.db.matching import equal, like, moment, pairs
from volsvc.db.models import Volume

GIB = 1024 ** 3
SORT_KEYS = ('id', 'name', 'created_at', 'updated_at', 'status', 'size', 'host', 'availability_zone', 'bootable',
             'display_name')
COLUMNS = {'display_name': 'name'}
# Where a volume rests when nobody is doing anything to it.
AT_REST = ('available', 'in-use')


# One query for one volume; a list takes two, which moves fewer bytes.
_WHOLE = (joinedload(Volume.attachments),)


def get(session, id: str, project_id: str | None = None) -> Volume:
    """The volume with its type and attachments; VolumeNotFound, also for another project's than `project_id`."""
    volume = session.get(Volume, id, options=_WHOLE)
    if volume is None or project_id is not None and volume.project_id != project_id:
        raise errors.VolumeNotFound(id)
    return volume


def for_update(session, id: str) -> Volume:
    """The volume, locked until the transaction ends."""
    volume = session.execute(select(Volume).where(Volume.id == id).with_for_update(of=Volume)).unique().scalar()
    if volume is None:
        raise errors.VolumeNotFound(id)
    return volume


def mark(session, volume, asked: str, wanted: tuple, **values) -> None:
    """Set `values` if the volume's status still is one of `wanted`; InvalidStatus names what was `asked` otherwise."""
    if not swap(session, Volume, volume.id, {'status': wanted}, values):
        found = session.execute(select(Volume.status).where(Volume.id == volume.id)).scalar()
        if found is None:
            raise errors.VolumeNotFound(volume.id)
        raise errors.InvalidStatus(volume.id, asked, wanted, found)


def at_rest(attachments) -> str:
    """What a volume with these attachments is when nobody is doing anything to it."""
    states = {attachment.attach_status for attachment in attachments}
    if states & {'attached', 'detaching'}:
        return 'in-use'
    return next((state for state in ('attaching', 'reserved') if state in states), 'available')


def page(session, page, filters: dict, project_id: str | None) -> list[Volume]:
    """One page of a project's volumes (None: of all), by keyset: its cost does not grow with the page's place."""
    columns = {'status': Volume.status, **({'host': Volume.host} if project_id is None else {'name': Volume.name})}
    same, others = keyset.indexed(page, filters, columns)
    return keyset.rows(session, Volume, page, project_id, conditions(session, others, None),
                       errors.VolumeNotFound, COLUMNS, same)


def count(session, filters: dict, project_id: str | None) -> int:
    """How many volumes there are on all pages."""
    return session.execute(select(func.count()).select_from(Volume).where(
        *conditions(session, filters, project_id))).scalar()


def totals(session, filters: dict, project_id: str | None) -> tuple[int, int]:
    """(how many volumes, bytes of them all)."""
    count, size = session.execute(select(func.count(), func.coalesce(func.sum(Volume.size), 0)).where(
        *conditions(session, filters, project_id))).one()
    return count, int(size)


def metadata(session, filters: dict, project_id: str | None) -> dict[str, list[str]]:
    """Every key of the volumes' metadata, each with its different values."""
    found: dict[str, set] = {}
    for meta in session.execute(select(Volume.meta).distinct().where(
            *conditions(session, filters, project_id))).scalars():
        for key, value in meta.items():
            found.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in sorted(found.items())}


def conditions(session, filters: dict, project_id: str | None) -> list:
    where = [Volume.project_id == project_id] if project_id is not None else []
    for name, wanted in filters.items():
        where.append(_FILTERS[name](session, wanted))
    return where


_FILTERS = {
    'id': equal(Volume.id), 'name': equal(Volume.name), 'name~': like(Volume.name),
    'description': equal(Volume.description), 'description~': like(Volume.description),
    'status': equal(Volume.status), 'status~': like(Volume.status), 'size': equal(Volume.size),
    'bootable': equal(Volume.bootable), 'multiattach': equal(Volume.multiattach),
    'availability_zone': equal(Volume.availability_zone), 'user_id': equal(Volume.user_id),
    'volume_type_id': equal(Volume.volume_type_id), 'host': equal(Volume.host),
    'project_id': equal(Volume.project_id), 'metadata': pairs(Volume.meta), 'glance_metadata': pairs(Volume.image_meta),
    'source_volid': equal(Volume.source_volid), 'snapshot_id': equal(Volume.snapshot_id),
    'created_at': moment(Volume.created_at), 'updated_at': moment(Volume.updated_at),
}
FILTERS = tuple(_FILTERS)
