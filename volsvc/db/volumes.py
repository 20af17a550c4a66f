"""Volumes in the database."""
import datetime

import sqlalchemy
from sqlalchemy import and_, cast, func, or_, select, type_coerce
from sqlalchemy.orm import joinedload

from svckit import quota
from svckit.db import swap
from volsvc import errors
from volsvc.db.models import Volume, VolumeType

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
    where = conditions(session, filters, project_id)
    order = []
    keys = [(getattr(Volume, COLUMNS.get(key, key)), direction) for key, direction in page.sort]
    if page.marker:
        where.append(_after(keys, _marker(session, page.marker, keys, project_id)))
    for column, direction in keys:
        order.append(_known(column).asc() if direction == 'asc' else _known(column).desc())
    query = select(Volume).where(*where).order_by(*order).limit(page.limit)
    if page.offset:
        query = query.offset(page.offset)
    return list(session.execute(query).unique().scalars())


def totals(session, filters: dict, project_id: str | None) -> tuple[int, int]:
    """(how many volumes, bytes of them all)."""
    count, size = session.execute(select(func.count(), func.coalesce(func.sum(Volume.size), 0)).where(
        *conditions(session, filters, project_id))).one()
    return count, int(size)


def metadata(session, filters: dict, project_id: str | None) -> dict[str, list[str]]:
    """Every key of the volumes' metadata, each with its different values."""
    found: dict[str, set] = {}
    for meta in session.execute(select(Volume.meta).where(*conditions(session, filters, project_id))).scalars():
        for key, value in meta.items():
            found.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in sorted(found.items())}


def usage(session, project_id: str) -> dict[str, int]:
    """What a project's volumes come to, counted: for quota repair."""
    rows = session.execute(select(VolumeType.name, func.count(), func.sum(Volume.size)).outerjoin_from(
        Volume, VolumeType, Volume.volume_type_id == VolumeType.id).where(
        Volume.project_id == project_id).group_by(VolumeType.name)).all()
    found = {'volumes': 0, 'gigabytes': 0}
    for name, count, size in rows:
        for resource, amount in quota_amounts(name, int(size), count).items():
            found[resource] = found.get(resource, 0) + amount
    return found


def repair_usage(session) -> list[tuple[str, dict, dict]]:
    """Each project's usage is what is counted; [(project, before, after)] of those where it was not.

    An extend that is under way holds its quota, which is counted too.
    """
    from svckit.operations import queries
    held: dict[str, dict] = {}
    for op in queries.find(session, 'live', limit=None):
        if op.name == 'extend-volume' and op.position < 2:
            for resource, amount in op.params['quota'].items():
                mine = held.setdefault(op.project_id, {})
                mine[resource] = mine.get(resource, 0) + amount
    projects = {*session.execute(select(Volume.project_id).distinct()).scalars(),
                *session.execute(select(quota.USAGES.c.project_id).distinct()).scalars()}
    repaired = []
    for project in sorted(projects):
        before, counted = quota.usage(session, project), usage(session, project)
        for resource, amount in held.get(project, {}).items():
            counted[resource] = counted.get(resource, 0) + amount
        after = {resource: amount for resource, amount in counted.items() if amount}
        if {resource: amount for resource, amount in before.items() if amount} != after:
            quota.set_usage(session, project, after)
            repaired.append((project, before, after))
    return repaired


def quota_amounts(type_name: str | None, size: int, count: int = 1) -> dict[str, int]:
    """What volumes of a type with `size` bytes together use of the quota."""
    amounts = {'volumes': count, 'gigabytes': size // GIB}
    if type_name:
        amounts |= {f'{resource}_{type_name}': amount for resource, amount in amounts.items()}
    return {resource: amount for resource, amount in amounts.items() if amount}


def conditions(session, filters: dict, project_id: str | None) -> list:
    where = [Volume.project_id == project_id] if project_id is not None else []
    for name, wanted in filters.items():
        where.append(_FILTERS[name](session, wanted))
    return where


def _equal(column):
    return lambda session, wanted: column.in_(wanted) if isinstance(wanted, list) else column == wanted


def _like(column):
    def like(session, wanted):
        escaped = wanted.replace('\\', r'\\').replace('%', r'\%').replace('_', r'\_')
        return column.like(f'%{escaped}%', escape='\\')
    return like


def _moment(column):
    """`wanted` is [(operator, datetime)]."""
    compare = {'gt': column.__gt__, 'gte': column.__ge__, 'lt': column.__lt__, 'lte': column.__le__,
               'eq': column.__eq__, 'neq': column.__ne__}
    return lambda session, wanted: and_(*(compare[operator](moment) for operator, moment in wanted))


def _metadata(session, wanted: dict):
    document = cast(Volume.meta, sqlalchemy.JSON) if session.bind.dialect.name == 'postgresql' else type_coerce(
        Volume.meta, sqlalchemy.JSON)
    return and_(*(document[key].as_string() == value for key, value in wanted.items()))


_FILTERS = {
    'id': _equal(Volume.id), 'name': _equal(Volume.name), 'name~': _like(Volume.name),
    'description': _equal(Volume.description), 'description~': _like(Volume.description),
    'status': _equal(Volume.status), 'status~': _like(Volume.status), 'size': _equal(Volume.size),
    'bootable': _equal(Volume.bootable), 'multiattach': _equal(Volume.multiattach),
    'availability_zone': _equal(Volume.availability_zone), 'user_id': _equal(Volume.user_id),
    'volume_type_id': _equal(Volume.volume_type_id), 'host': _equal(Volume.host),
    'project_id': _equal(Volume.project_id), 'metadata': _metadata, 'created_at': _moment(Volume.created_at),
    'updated_at': _moment(Volume.updated_at),
}
FILTERS = tuple(_FILTERS)


def _known(column):
    """Moments and texts that may be missing, and truths, in an order that every database has alike."""
    if column is Volume.bootable:
        return cast(column, sqlalchemy.Integer)
    if not column.expression.nullable:
        return column
    return func.coalesce(column, datetime.datetime(1, 1, 1) if column is Volume.updated_at else '')


def _marker(session, id, keys, project_id):
    columns = [_known(column) for column, _ in keys]
    found = session.execute(select(*columns).where(
        Volume.id == id, *([Volume.project_id == project_id] if project_id is not None else []))).first()
    if found is None:
        raise errors.BadRequest(f'The marker {id[:40]!r} is no volume of this list.')
    return found


def _after(keys, values):
    """Rows behind the marker: the first key is further, or it is equal and the second is further, …"""
    steps = []
    for place, (column, direction) in enumerate(keys):
        same = [_known(c) == v for (c, _), v in zip(keys[:place], values, strict=False)]
        further = _known(column) > values[place] if direction == 'asc' else _known(column) < values[place]
        steps.append(and_(*same, further))
    column, direction = keys[0]
    # Said again for the first key alone, because an index can use that.
    bound = _known(column) >= values[0] if direction == 'asc' else _known(column) <= values[0]
    return and_(bound, or_(*steps))
