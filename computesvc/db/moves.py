"""Resizes and cold migrations of servers, as rows; and what a server holds while it has two sizes."""
from sqlalchemy import or_, select, update

from computesvc.db.models import Migration
from svckit.db import swap, utcnow

RESIZE, MIGRATION = 'resize', 'migration'

# Nova's words for how far it is.
PREPARING, MIGRATING, HANDED_OVER, FINISHED = 'pre-migrating', 'migrating', 'post-migrating', 'finished'
CONFIRMING, CONFIRMED, REVERTING, REVERTED, ERROR = 'confirming', 'confirmed', 'reverting', 'reverted', 'error'
UNDER_WAY = (PREPARING, MIGRATING, HANDED_OVER)
OVER = (CONFIRMED, REVERTED, ERROR)


def begin(session, context, server, uuid: str, new_flavor_id: str, kind: str) -> None:
    session.add(Migration(
        uuid=uuid, server_id=server.id, type=kind, status=PREPARING, source_host=server.host, source_node=server.node,
        old_flavor_id=server.flavor_id, new_flavor_id=new_flavor_id, user_id=context.user_id,
        project_id=context.project_id))
    session.flush()


def change(session, uuid: str, status: str, **values) -> None:
    session.execute(update(Migration).where(Migration.uuid == uuid).values(status=status, **values),
                    execution_options={'synchronize_session': False})


def mark(session, uuid: str, expect: str, status: str) -> bool:
    """False, and nothing changed, if it is no longer as expected."""
    id = get(session, uuid).id
    return swap(session, Migration, id, {'status': expect}, {'status': status, 'updated_at': utcnow()})


def get(session, uuid: str) -> Migration | None:
    return session.scalar(select(Migration).where(Migration.uuid == uuid))


def finished(session, server_id: str) -> Migration | None:
    """The one that waits to be confirmed or reverted."""
    return session.scalar(select(Migration).where(Migration.server_id == server_id, Migration.status == FINISHED)
                          .order_by(Migration.id.desc()).limit(1))


def under_way(session, server_ids) -> dict[str, Migration]:
    """server's id -> its move that is neither over nor given up."""
    rows = session.scalars(select(Migration).where(
        Migration.server_id.in_(list(server_ids)), Migration.status.not_in(OVER)).order_by(Migration.id))
    return {row.server_id: row for row in rows}


def exporting(session, uuids) -> list[str]:
    """Those of them in which the source may still have to give its local disks to the destination."""
    return list(session.scalars(select(Migration.uuid).where(
        Migration.uuid.in_(list(uuids)), Migration.status.in_((PREPARING, MIGRATING)))))


def unconfirmed(session, before) -> list[Migration]:
    """Those that have waited for a word since before that moment."""
    return list(session.scalars(select(Migration).where(
        Migration.status == FINISHED, Migration.updated_at < before).order_by(Migration.id).limit(100)))


def page(session, where: list, limit: int, marker: str | None = None) -> list[Migration] | None:
    """Newest first; `marker` is the uuid after which to go on, None in return if it is unknown."""
    query = select(Migration).where(*where)
    if marker is not None:
        row = get(session, marker)
        if row is None:
            return None
        query = query.where(Migration.id < row.id)
    return list(session.scalars(query.order_by(Migration.id.desc()).limit(limit)))


def on_host(host: str):
    """A condition: from it or to it."""
    return or_(Migration.source_host == host, Migration.dest_host == host)


# ------------------------------------------------------------------ a server with two sizes

def before(server, held: dict) -> dict:
    """What is kept of a server that is about to move: its flavor, its local disks, what it takes of its quota.

    `held` are cores and ram, MiB: the more of the two sizes, until it is known which of them remains.
    """
    return {**server.flavor, 'held': held, 'root_gb': server.root_gb, 'ephemeral_gb': server.ephemeral_gb,
            'swap_mb': server.swap_mb, 'root_disk': server.root_disk, 'local_disks': server.local_disks}


def size(flavor: dict, local_root: bool) -> dict:
    """The columns of a server that its flavor decides."""
    return {'flavor': flavor, 'flavor_id': flavor['id'], 'vcpus': flavor['vcpus'], 'memory_mb': flavor['ram'],
            'root_gb': flavor['disk'] if local_root else 0, 'ephemeral_gb': int(flavor.get('ephemeral') or 0),
            'swap_mb': int(flavor.get('swap') or 0)}


def earlier(old: dict) -> dict:
    """The columns that a server had `before()` it moved."""
    extra = ('held', 'root_gb', 'ephemeral_gb', 'swap_mb', 'root_disk', 'local_disks')
    flavor = {name: value for name, value in old.items() if name not in extra}
    return {**size(flavor, True), **{name: old[name] for name in extra if name != 'held'}}


def surplus(old: dict, flavor: dict) -> dict[str, int]:
    """What of the quota is free again once the server is known to keep `flavor`."""
    return {'cores': old['held']['cores'] - flavor['vcpus'], 'ram': old['held']['ram'] - flavor['ram']}
