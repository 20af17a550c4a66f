"""Volumes in the database."""
import types

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.orm import joinedload

from svckit.db import swap
from volsvc import errors
from volsvc.db import keyset
from volsvc.db.matching import equal, like, moment, pairs
from volsvc.db.models import Attachment, Volume, VolumeType

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


# What answers show is read as plain values: objects that follow their changes cost three times as much.
_VOLUME, _TYPE, _USE = Volume.__table__, VolumeType.__table__, Attachment.__table__
_NAME, _SPECS = (
    select(column).where(_TYPE.c.id == _VOLUME.c.volume_type_id).scalar_subquery().label(f'type_{column.name}')
    for column in (_TYPE.c.name, _TYPE.c.extra_specs))
_SEEN = [*(column for column in _VOLUME.c if column.name != 'previous_status'), _NAME]
_USED = [_USE.c[name] for name in ('id', 'volume_id', 'instance_uuid', 'attach_status', 'attach_mode', 'attached_host',
                                   'mountpoint', 'attach_time')]
_NAMES, _USED_NAMES = [column.name for column in _SEEN], [column.name for column in _USED]
# Most volumes of most pages have no attachments, and to say so takes less than to ask for them.  With EXISTS
# PostgreSQL would go through all there are.
_ONE = literal_column('1')
_PAGE = select(*_SEEN, select(_ONE).where(_USE.c.volume_id == _VOLUME.c.id).limit(_ONE).scalar_subquery().label('used'))
_SHOW = _PAGE.where(_VOLUME.c.id == bindparam('this'))
_LOOK = _SHOW.add_columns(_SPECS)
_USES_OF = select(*_USED).where(_USE.c.volume_id == bindparam('this')).order_by(_USE.c.created_at)
_USES = select(*_USED).where(_USE.c.volume_id.in_(bindparam('these', expanding=True))).order_by(_USE.c.created_at)


def show(session, id: str, project_id: str | None = None):
    """The volume to be looked at, with `type_name` and `attachments`; VolumeNotFound as get().

    `session` may be what Database.direct() gives.
    """
    return _only(session, _SHOW, id, project_id)[0]


def look(session, id: str, project_id: str | None = None):
    """As show(), with its `type`."""
    volume, extra_specs = _only(session, _LOOK, id, project_id)
    volume.type = volume.volume_type_id and types.SimpleNamespace(
        id=volume.volume_type_id, name=volume.type_name, extra_specs=extra_specs)
    return volume


def _only(session, query, id, project_id):
    rows = list(session.execute(query, {'this': id}))
    if not rows:
        raise errors.VolumeNotFound(id)
    values, (used, *more) = rows[0][:len(_SEEN)], rows[0][len(_SEEN):]
    volume = _seen(values, [_used(row) for row in session.execute(_USES_OF, {'this': id})] if used else [])
    if project_id is not None and volume.project_id != project_id:
        raise errors.VolumeNotFound(id)
    return volume, *more


def _seen(values, attachments):
    return types.SimpleNamespace(attachments=attachments, **dict(zip(_NAMES, values, strict=True)))


def _used(values):
    return types.SimpleNamespace(**dict(zip(_USED_NAMES, values, strict=True)))


def for_update(session, id: str) -> Volume:
    """The volume, locked until the transaction ends."""
    volume = session.execute(select(Volume).where(Volume.id == id).with_for_update(of=Volume)).unique().scalar()
    if volume is None:
        raise errors.VolumeNotFound(id)
    return volume


_HOLD = select(_VOLUME).where(_VOLUME.c.id == bindparam('this')).with_for_update()
_ITS_USES = _USES_OF.add_columns(_USE.c.created_at)


def hold(session, id: str):
    """As for_update(), to be looked at, without its type; what becomes of it is for write()."""
    row = session.execute(_HOLD, {'this': id}).first()
    if row is None:
        raise errors.VolumeNotFound(id)
    uses = [types.SimpleNamespace(**use._mapping) for use in session.execute(_ITS_USES, {'this': id})]
    return types.SimpleNamespace(attachments=uses, **row._mapping)


def write(session, volume, **values) -> None:
    """A volume from hold() has these values, in the database too."""
    swap(session, Volume, volume.id, {}, values)
    vars(volume).update(values)


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


def page(session, page, filters: dict, project_id: str | None) -> list:
    """One page of a project's volumes (None: of all), each as show() has it.

    By keyset: its cost does not grow with the page's place.
    """
    columns = {name: _VOLUME.c[name] for name in ('status', 'host' if project_id is None else 'name')}
    same, others = keyset.indexed(page, filters, columns)
    found = keyset.rows(session, Volume, page, project_id, conditions(session, others, None),
                        errors.VolumeNotFound, COLUMNS, same, _PAGE)
    used: dict[str, list] = {row.id: [] for row in found if row.used}
    for row in session.execute(_USES, {'these': list(used)}) if used else ():
        used[row.volume_id].append(_used(row))
    return [_seen(row[:-1], used.get(row.id, ())) for row in found]


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
