"""Attachments in the database."""
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from volsvc import errors
from volsvc.db.models import Attachment, Volume

SORT_KEYS = ('id', 'created_at', 'volume_id', 'instance_uuid', 'attach_status')


def get(session, id: str, project_id: str | None = None) -> Attachment:
    """The attachment with its volume; NotFound, also for another project's."""
    attachment = session.execute(select(Attachment).where(Attachment.id == id).options(
        joinedload(Attachment.volume).joinedload(Volume.type))).unique().scalar()
    if attachment is None or project_id is not None and attachment.volume.project_id != project_id:
        raise errors.NotFound('Volume attachment', id)
    return attachment


def of_volume(session, volume_id: str) -> list[Attachment]:
    return list(session.execute(select(Attachment).where(Attachment.volume_id == volume_id)
                                .order_by(Attachment.created_at, Attachment.id)).scalars())


def page(session, page, filters: dict, project_id: str | None) -> list[Attachment]:
    """One page of the attachments of a project's volumes (None: of all)."""
    query = select(Attachment).join(Volume, Attachment.volume_id == Volume.id)
    if project_id is not None:
        query = query.where(Volume.project_id == project_id)
    columns = {'instance_id': Attachment.instance_uuid, 'status': Attachment.attach_status}
    for name, wanted in filters.items():
        query = query.where(columns.get(name, getattr(Attachment, name, None)) == wanted)
    (key, direction), *_ = page.sort
    column = getattr(Attachment, key)
    if page.marker:
        at = session.get(Attachment, page.marker)
        if at is None:
            raise errors.BadRequest(f'The marker {page.marker[:40]!r} is no attachment of this list.')
        value = getattr(at, key)
        if direction == 'asc':
            query = query.where(or_(column > value, and_(column == value, Attachment.id > at.id)))
        else:
            query = query.where(or_(column < value, and_(column == value, Attachment.id < at.id)))
    order = [column.asc(), Attachment.id.asc()] if direction == 'asc' else [column.desc(), Attachment.id.desc()]
    return list(session.execute(query.order_by(*order).offset(page.offset or None).limit(page.limit)).scalars())
