"""Attachments in the database."""
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from volsvc import errors
from volsvc.db import keyset
from volsvc.db.models import Attachment, Volume

SORT_KEYS = ('id', 'created_at', 'updated_at', 'volume_id', 'instance_uuid', 'instance_id', 'attach_status', 'status')
COLUMNS = {'instance_id': 'instance_uuid', 'status': 'attach_status'}


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
    where = [getattr(Attachment, COLUMNS.get(name, name)) == wanted for name, wanted in filters.items()]
    return keyset.rows(session, Attachment, page, project_id, where,
                       lambda id: errors.NotFound('Volume attachment', id), COLUMNS)
