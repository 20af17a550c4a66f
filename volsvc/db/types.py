"""Volume types in the database."""
from oslo_db import exception as db_exc
from sqlalchemy import and_, bindparam, delete, exists, insert, or_, select, update

from volsvc import errors
from volsvc.db import limits
from volsvc.db.models import DefaultVolumeType, Volume, VolumeType, VolumeTypeProject

SORT_KEYS = ('id', 'name', 'description', 'created_at', 'updated_at', 'is_public')


def visible(project_id: str | None):
    """The condition for types that a project may use; None: all."""
    if project_id is None:
        return VolumeType.id.is_not(None)
    shared = exists().where(VolumeTypeProject.volume_type_id == VolumeType.id,
                            VolumeTypeProject.project_id == project_id)
    return or_(VolumeType.is_public.is_(True), shared)


def get(session, id_or_name: str, project_id: str | None = None, by_name=False) -> VolumeType:
    """The type with this id (or name); NotFound, also for one that the project may not use."""
    match = VolumeType.id == id_or_name
    if by_name:
        match = or_(match, VolumeType.name == id_or_name)
    found = session.execute(select(VolumeType).where(match, visible(project_id))).scalars().all()
    if not found:
        raise errors.NotFound('Volume type', id_or_name)
    return next((one for one in found if one.id == id_or_name), found[0])


def default(session, project_id: str | None, name: str) -> VolumeType:
    """The type of a project's volumes that are made without one.

    The one that it has chosen, as long as it may use it; else that with this name or id.
    """
    found = session.execute(_DEFAULT, {'project': project_id or '', 'name': name}).all()
    if not found:
        raise errors.NotFound('Volume type', name)
    return max(found, key=lambda row: (row[1], row[0].id == name))[0]


_CHOSEN = exists().where(DefaultVolumeType.project_id == bindparam('project'),
                         DefaultVolumeType.volume_type_id == VolumeType.id)
_DEFAULT = select(VolumeType, _CHOSEN).where(or_(
    and_(_CHOSEN, visible(bindparam('project'))),
    VolumeType.name == bindparam('name'), VolumeType.id == bindparam('name')))


def chosen(session) -> list[DefaultVolumeType]:
    """What projects have chosen."""
    return list(session.execute(select(DefaultVolumeType).order_by(DefaultVolumeType.project_id)).scalars())


def chosen_by(session, project_id: str) -> DefaultVolumeType | None:
    return session.get(DefaultVolumeType, project_id)


def is_chosen(session, id: str) -> bool:
    """By any project."""
    return session.execute(select(DefaultVolumeType.project_id).where(
        DefaultVolumeType.volume_type_id == id).limit(1)).first() is not None


def choose(session, project_id: str, id: str | None) -> None:
    """The project's default is this type; None: it has none of its own."""
    here = DefaultVolumeType.project_id == project_id
    if id is None:
        session.execute(delete(DefaultVolumeType).where(here))
        return
    change = update(DefaultVolumeType).where(here).values(volume_type_id=id)
    if session.execute(change).rowcount:
        return
    try:
        with session.begin_nested():
            session.execute(insert(DefaultVolumeType).values(project_id=project_id, volume_type_id=id))
    except db_exc.DBDuplicateEntry:
        session.execute(change)         # another request chose in the meantime


def for_update(session, id: str) -> VolumeType:
    """The type, locked until the transaction ends."""
    kind = session.execute(select(VolumeType).where(VolumeType.id == id).with_for_update()).scalar()
    if kind is None:
        raise errors.NotFound('Volume type', id)
    return kind


def page(session, page, filters: dict, project_id: str | None) -> list[VolumeType]:
    """One page of the types that a project may use (None: of all).

    `filters` are is_public and extra_specs, all of which a type must have.  There
    are as many types as an operator has thought of, so they are sorted here.
    """
    query = select(VolumeType).where(visible(project_id))
    if 'is_public' in filters:
        query = query.where(VolumeType.is_public.is_(filters['is_public']))
    wanted = filters.get('extra_specs', {}).items()
    found = [kind for kind in session.execute(query).scalars() if wanted <= kind.extra_specs.items()]
    for key, direction in reversed(page.sort):
        found.sort(key=lambda kind, key=key: (getattr(kind, key) is not None, getattr(kind, key)),
                   reverse=direction == 'desc')
    start = page.offset
    if page.marker:
        ids = [kind.id for kind in found]
        if page.marker not in ids:
            raise errors.NotFound('Volume type', page.marker)
        start += ids.index(page.marker) + 1
    return found[start:start + page.limit]


def names(session) -> list[str]:
    return list(session.execute(select(VolumeType.name).order_by(VolumeType.name)).scalars())


def projects(session, id: str) -> list[str]:
    """The projects that may use a type that is not public."""
    return list(session.execute(select(VolumeTypeProject.project_id).where(
        VolumeTypeProject.volume_type_id == id).order_by(VolumeTypeProject.project_id)).scalars())


def in_use(session, id: str) -> bool:
    return session.execute(select(Volume.id).where(Volume.volume_type_id == id).limit(1)).first() is not None


def forget(session, id: str) -> None:
    session.execute(delete(VolumeTypeProject).where(VolumeTypeProject.volume_type_id == id))
    session.execute(delete(VolumeType).where(VolumeType.id == id))
    limits.forget_type(session, id)         # last, as whoever makes a volume of it takes its quota last


def seed(session, name: str) -> None:
    """There is a type of this name: what a volume made without one gets."""
    if session.execute(select(VolumeType.id).where(VolumeType.name == name)).first() is None:
        session.add(VolumeType(name=name, description='Default Volume Type'))
