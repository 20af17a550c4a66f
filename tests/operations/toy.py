"""A toy service with one table: what the engine's own tests run."""
from sqlalchemy import Integer, String, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from svckit import operations
from svckit.db import Database, make_base
from svckit.operations import NO_RETURN, GoForward, NotYet, Operation, Refused, Step, Store, Worker
from svckit.operations.testing import Example

Base = make_base()
operations.tables(Base)


class Mark(Base):
    """One row for each effect, so that a doubled effect shows."""
    __tablename__ = 'marks'
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    thing: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(64))


def marks(session, thing=None):
    query = select(Mark.what, func.count()).group_by(Mark.what)
    return dict(session.execute(query.where(Mark.thing == thing) if thing else query).all())


class Backend:
    """Something outside of the database that a step changes: sizes by name."""

    def __init__(self):
        self.sizes, self.refuse, self.fail, self.calls = {}, False, 0, []

    def grow(self, thing, size):
        self.calls.append((thing, size))
        if self.refuse:
            raise Refused('the backend is full')
        if self.fail:
            self.fail -= 1
            raise OSError('the backend is away')
        self.sizes[thing] = size


class Tools:
    def __init__(self, db):
        self.db, self.backend, self.ready = db, Backend(), True


def reserve(ctx, op):
    if ctx.session.scalar(select(Mark.id).where(Mark.thing == op.params['thing'], Mark.what == 'reserved')) is None:
        ctx.session.execute(insert(Mark).values(thing=op.params['thing'], what='reserved'))


def unreserve(ctx, op):
    ctx.session.execute(delete(Mark).where(Mark.thing == op.params['thing'], Mark.what == 'reserved'))


def prepare(ctx, op):
    if not ctx.ready:
        raise NotYet('it is not ready', 0.05)
    ctx.backend.sizes.setdefault(op.params['thing'], 1)
    return {'from': ctx.backend.sizes[op.params['thing']]}


def unprepare(ctx, op):
    if ctx.backend.sizes.get(op.params['thing']) == 1:
        del ctx.backend.sizes[op.params['thing']]


def grow(ctx, op):
    if ctx.backend.sizes[op.params['thing']] < op.params['size']:
        ctx.backend.grow(op.params['thing'], op.params['size'])


def ungrow(ctx, op):
    if ctx.backend.sizes.get(op.params['thing'], 0) >= op.params['size']:
        raise GoForward('it has grown')


def record(ctx, op):
    ctx.session.execute(insert(Mark).values(thing=op.params['thing'], what='recorded'))
    operations.start(ctx.session, TELL, subject=f'tell:{op.params["thing"]}', params=op.params, parent_id=op.id)


def announce(ctx, op):
    ctx.backend.sizes[f'told {op.params["thing"]}'] = op.params['size']


def withdraw(ctx, op):
    ctx.session.execute(insert(Mark).values(thing=op.params['thing'], what='refused' if op.refused else 'withdrawn'))


def when_stuck(ctx, op):
    ctx.session.execute(insert(Mark).values(thing=op.params['thing'], what='stuck'))


def tell(ctx, op):
    ctx.backend.sizes[f'heard {op.params["thing"]}'] = op.params['size']


GROW = Operation('grow', steps=[
    Step(reserve, at='desk', undo=unreserve, atomic=True),
    Step(prepare, at='shop', undo=unprepare),
    Step(grow, at='shop', undo=ungrow),
    NO_RETURN,
    Step(record, at='desk', atomic=True),
    Step(announce, at='shop', attempts=3),
], withdraw=withdraw, stuck=when_stuck)

TELL = Operation('tell', steps=[Step(tell, at='shop', forever=True)], foldable=True)

REGISTRY = {(op.name, op.version): op for op in (GROW, TELL)}


class Toy(Example):
    registry = REGISTRY

    def __init__(self, url):
        self.db = Database(url)
        Base.metadata.create_all(self.db.engine)
        self.tools = Tools(self.db)
        self.store = Store(self.db, REGISTRY, self.tools)
        self.workers = [self.worker('desk'), self.worker('shop')]

    def worker(self, *targets, **options):
        return Worker(self.store, targets, REGISTRY, self.tools, '+'.join(targets), **options)

    def request(self, thing='a', size=2):
        with self.db.transaction() as session:
            return operations.start(session, GROW, subject=f'thing:{thing}', params={'thing': thing, 'size': size})

    def tell(self, thing='a', size=2, fold=True):
        with self.db.transaction() as session:
            params = {'thing': thing, 'size': size}
            if fold and operations.fold(session, TELL, f'tell:{thing}', params):
                return None
            return operations.start(session, TELL, subject=f'tell:{thing}', params=params)

    def snapshot(self):
        with self.db.reader() as session:
            # The traces of giving up are the point of withdraw() and stuck(), not of the comparison.
            left = {what: n for what, n in marks(session).items() if what not in ('withdrawn', 'refused', 'stuck')}
        return {'marks': left, 'sizes': self.tools.backend.sizes}

    def get(self, id):
        with self.db.reader() as session:
            return operations.get(session, id)

    def events(self, id):
        with self.db.reader() as session:
            return [(row.step, row.event) for row in operations.events(session, id)]
