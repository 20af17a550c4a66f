"""Eight workers, four hundred operations: each effect exactly as often as allowed, none lost."""
import threading

import pytest
from sqlalchemy import Integer, String, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from svckit import operations
from svckit.db import Database, make_base
from svckit.operations import Operation, Step, Store, Worker
from svckit.operations.models import OPERATIONS

Base = make_base()
operations.tables(Base)
COUNT = 400


class Effect(Base):
    __tablename__ = 'effects'
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    op: Mapped[str] = mapped_column(String(36))
    step: Mapped[str] = mapped_column(String(16))


def begin(ctx, op):
    ctx.session.execute(insert(Effect).values(op=op.id, step='begin'))


def outside(ctx, op):
    with ctx.lock:
        ctx.outside[op.id] = ctx.outside.get(op.id, 0) + 1
        ctx.order.append(op.id)


def finish(ctx, op):
    ctx.session.execute(insert(Effect).values(op=op.id, step='finish'))


RACE = Operation('race', steps=[Step(begin, at='even', atomic=True), Step(outside, at='odd'),
                                Step(finish, at='even', atomic=True)])
REGISTRY = {('race', 1): RACE}


class Tools:
    def __init__(self):
        self.lock, self.outside, self.order = threading.Lock(), {}, []


def test_race(any_database):
    db = Database(any_database)
    Base.metadata.create_all(db.engine)
    tools = Tools()
    store = Store(db, REGISTRY, tools)
    workers = [Worker(store, {'even', 'odd'} if n % 2 else {'odd'} if n % 4 else {'even'}, REGISTRY, tools,
                      f'w{n}', slots=4, poll=0.2, lease=60.0) for n in range(8)]
    db.on_wake = lambda targets: [w.wake() for w in workers if w.targets & targets]
    for worker in workers:
        worker.start()
    try:
        ids = []
        for n in range(COUNT):
            ids.append(db.run(lambda session, n=n: operations.start(session, RACE, subject=f'x:{n}', params={})))
        _until(lambda: _open(db) == 0)
    finally:
        for worker in workers:
            worker.stop()
    with db.reader() as session:
        by_step = dict(session.execute(select(Effect.step, func.count()).group_by(Effect.step)).all())
        distinct = session.execute(select(func.count(func.distinct(Effect.op)))).scalar()
        assert operations.counts(session) == {('race', 'done'): COUNT}
    # Leases are long, nobody died: an atomic effect is exactly once always, the outside one as well.
    assert by_step == {'begin': COUNT, 'finish': COUNT} and distinct == COUNT
    assert tools.outside == dict.fromkeys(ids, 1)
    db.dispose()


def _open(db):
    with db.reader() as session:
        return session.execute(select(func.count()).where(OPERATIONS.c.ended_at.is_(None))).scalar()


def _until(condition, seconds=120):
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if condition():
            return
        pause.wait(0.1)
    pytest.fail(f'not within {seconds} s')
