"""Snapshots in the database."""
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from svckit.db import swap
from volsvc import errors
from volsvc.db import keyset
from volsvc.db.matching import equal, like, pairs
from volsvc.db.models import Snapshot, Volume

SORT_KEYS = ('id', 'name', 'display_name', 'created_at', 'updated_at', 'status', 'volume_id', 'size', 'user_id')
COLUMNS = {'display_name': 'name'}


def get(session, id: str, project_id: str | None = None) -> Snapshot:
    """The snapshot with its volume; SnapshotNotFound, also for another project's than `project_id`."""
    snapshot = session.get(Snapshot, id, options=[joinedload(Snapshot.volume).joinedload(Volume.attachments)])
    if snapshot is None or project_id is not None and snapshot.project_id != project_id:
        raise errors.SnapshotNotFound(id)
    return snapshot


def for_update(session, id: str) -> Snapshot:
    """The snapshot, locked until the transaction ends."""
    snapshot = session.execute(
        select(Snapshot).where(Snapshot.id == id).with_for_update(of=Snapshot)).unique().scalar()
    if snapshot is None:
        raise errors.SnapshotNotFound(id)
    return snapshot


def mark(session, snapshot, asked: str, wanted: tuple, **values) -> None:
    """Set `values` if its status still is one of `wanted`; InvalidSnapshot names what was `asked` otherwise."""
    if not swap(session, Snapshot, snapshot.id, {'status': wanted}, values):
        found = session.execute(select(Snapshot.status).where(Snapshot.id == snapshot.id)).scalar()
        if found is None:
            raise errors.SnapshotNotFound(snapshot.id)
        raise errors.InvalidSnapshot(snapshot.id, asked, wanted, found)


def of_volume(session, volume_id: str) -> list[Snapshot]:
    """Oldest first."""
    return list(session.execute(select(Snapshot).where(Snapshot.volume_id == volume_id)
                                .order_by(Snapshot.created_at, Snapshot.id)).unique().scalars())


def page(session, page, filters: dict, project_id: str | None) -> list[Snapshot]:
    """One page of a project's snapshots (None: of all)."""
    same, others = keyset.indexed(page, filters, {'status': Snapshot.status, 'name': Snapshot.name})
    return keyset.rows(session, Snapshot, page, project_id, conditions(session, others, None),
                       errors.SnapshotNotFound, COLUMNS, same)


def count(session, filters: dict, project_id: str | None) -> int:
    return session.execute(select(func.count()).select_from(Snapshot).where(
        *conditions(session, filters, project_id))).scalar()


def conditions(session, filters: dict, project_id: str | None) -> list:
    where = [] if project_id is None else [Snapshot.project_id == project_id]
    return where + [_FILTERS[name](session, wanted) for name, wanted in filters.items()]


def _zone(session, wanted):
    return Snapshot.volume_id.in_(select(Volume.id).where(Volume.availability_zone == wanted))


_FILTERS = {
    'id': equal(Snapshot.id), 'name': equal(Snapshot.name), 'name~': like(Snapshot.name),
    'status': equal(Snapshot.status), 'status~': like(Snapshot.status), 'volume_id': equal(Snapshot.volume_id),
    'user_id': equal(Snapshot.user_id), 'metadata': pairs(Snapshot.meta), 'availability_zone': _zone,
}
