"""Room that volumes and their snapshots hold in pools.

A pool's figure is the sum of the sizes of its volumes, of the growths that are under way, and of what its snapshots
hold: as much as the backend said when they were asked for.  It changes in the transaction that begins or ends these,
and only by conditional updates: no two ever get the same room, however many ask at once.  A volume that could not be
made is in no pool and holds nothing, nor does a snapshot that could not.
"""
from oslo_db import exception as db_exc
from sqlalchemy import BigInteger, bindparam, func, insert, null, select, union_all, update

from svckit.db import swap
from svckit.operations.definition import LIVE
from svckit.operations.models import OPERATIONS
from volsvc.db.models import Pool, Snapshot, Volume

GIB = 1024 ** 3
GROWING = 'extend-volume'
GROWN = 2               # the position from which on a growth is the volume's


_POOL = Pool.__table__
_MORE = _POOL.c.promised + bindparam('amount', type_=BigInteger)
_TAKE = update(_POOL).where(_POOL.c.name == bindparam('pool')).values(promised=_MORE)
_TAKE_WITHIN = _TAKE.where(_MORE <= bindparam('most', type_=BigInteger))


def take(session, pool: str, amount: int, limit: int | None = None) -> bool:
    """Promise `amount` bytes more of a pool, up to `limit`; False, and nothing changed, if there is too little."""
    return bool(session.execute(_TAKE if limit is None else _TAKE_WITHIN,
                                {'pool': pool, 'amount': amount, 'most': limit}).rowcount)


def release(session, pool: str | None, amount: int) -> None:
    """Give bytes of a pool back."""
    if pool:
        take(session, pool, -amount)


def release_snapshot(session, snapshot, pool: str | None) -> None:
    """The snapshot holds nothing of its pool any more; fine if it held nothing."""
    if snapshot.promised and swap(session, Snapshot, snapshot.id, {'promised': snapshot.promised}, {'promised': 0}):
        release(session, pool, snapshot.promised)


def promised(session) -> dict[str, int]:
    """pool -> bytes."""
    return dict(session.execute(select(Pool.name, Pool.promised)).all())


def begin(session, pool: str) -> None:
    """Room of the pool can be claimed from now on."""
    if session.execute(select(Pool.name).where(Pool.name == pool)).first() is not None:
        return
    try:
        with session.begin_nested():
            session.execute(insert(Pool).values(name=pool, promised=counted(session).get(pool, 0)))
    except db_exc.DBDuplicateEntry:
        pass


def counted(session) -> dict[str, int]:
    """pool -> bytes that its volumes, their growths and their snapshots come to."""
    volumes, growths = volumes_and_growths(session, Volume.host)
    found = {pool: size for pool, _, size in volumes if pool is not None}
    for _, params in growths:
        found[params['host']] = found.get(params['host'], 0) + growth(params)
    for pool, size in _of_snapshots(session):
        found[pool] = found.get(pool, 0) + size
    return found


def _of_snapshots(session, *where) -> list:
    """[(pool, bytes that snapshots hold of it)]."""
    sums = select(Volume.host, func.sum(Snapshot.promised)).join_from(
        Snapshot, Volume, Snapshot.volume_id == Volume.id).where(Volume.host.is_not(None), *where).group_by(Volume.host)
    return [(pool, int(size)) for pool, size in session.execute(sums)]


def volumes_and_growths(session, *by, project_id: str | None = None) -> tuple[list, list]:
    """([(*by, how many, bytes) of volumes], [(project, params) of each extend that is under way]).

    Both are of one moment, so that one that ends is neither missing nor there twice; of one project, or of all.
    """
    under_way = select(OPERATIONS.c.params, OPERATIONS.c.project_id, *(null() for _ in range(len(by) + 2))).where(
        OPERATIONS.c.state.in_(LIVE), OPERATIONS.c.name == GROWING, OPERATIONS.c.position < GROWN)
    sums = select(null(), null(), *by, func.count(), func.sum(Volume.size)).group_by(*by)
    if project_id is not None:
        under_way = under_way.where(OPERATIONS.c.project_id == project_id)
        sums = sums.where(Volume.project_id == project_id)
    rows = session.execute(union_all(under_way, sums)).all()
    return ([(*row[2:-2], int(row[-2]), int(row[-1])) for row in rows if row[0] is None],
            [(row[1], row[0]) for row in rows if row[0] is not None])


def growth(params: dict) -> int:
    """Bytes that an operation which extends a volume has claimed."""
    return params['size'] - params['old_size']


def made(session, pool: str) -> int:
    """Bytes of a pool that volumes and snapshots come to which were there, whole, at some time."""
    volumes = session.execute(select(func.coalesce(func.sum(Volume.size), 0)).where(
        Volume.host == pool, Volume.launched_at.is_not(None))).scalar()
    whole = Volume.host == pool, Snapshot.progress == 100, Snapshot.status != 'creating'
    return int(volumes) + sum(size for _, size in _of_snapshots(session, *whole))


def differences(session, repair: bool = False) -> list[str]:
    """A sentence on each pool whose figure is not what is in it comes to; with `repair` it is put right."""
    if repair:
        # Whoever claims room now has either done so or waits for us.
        session.execute(update(Pool).values(promised=Pool.promised))
    recorded, found, wrong = promised(session), counted(session), []
    for pool in sorted(recorded):
        amount = found.get(pool, 0)
        if recorded[pool] != amount:
            wrong.append(f'{pool}: {recorded[pool] / GIB:g} GiB are recorded as promised, its volumes and snapshots '
                         f'come to {amount / GIB:g} GiB.')
            if repair:
                take(session, pool, amount - recorded[pool])
    return wrong
