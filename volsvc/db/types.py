"""Volume types in the database."""
from sqlalchemy import delete, exists, or_, select

from volsvc import errors
from volsvc.db.models import Volume, VolumeType, VolumeTypeProject


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


def in_use(session, id: str) -> bool:
    return session.execute(select(Volume.id).where(Volume.volume_type_id == id).limit(1)).first() is not None


def forget(session, id: str) -> None:
    session.execute(delete(VolumeTypeProject).where(VolumeTypeProject.volume_type_id == id))
    session.execute(delete(VolumeType).where(VolumeType.id == id))
