"""Operations in the service's own database: start, claim, checkpoint, end.

Everything that decides is in runner.py; here it is only made durable.
"""
import dataclasses
import functools
import logging
from collections.abc import Callable, Iterable

from oslo_db import exception as db_exc
from sqlalchemy import Double, Integer, bindparam, case, delete, func, insert, or_, select, update

from svckit import errors
from svckit.db import new_id, now
from svckit.operations import queries
from svckit.operations.definition import (
    ABANDONED,
    CANCELLED,
    LIVE,
    RUNNING,
    STUCK,
    UNDOING,
    UNDONE,
    LeaseLost,
    Op,
    Operation,
)
from svckit.operations.models import EVENTS, OPERATIONS

LOG = logging.getLogger(__name__)
T = OPERATIONS.c


@dataclasses.dataclass(frozen=True)
class Transition:
    """Where an operation goes at a checkpoint; decided in runner.py."""
    state: str
    position: int
    events: tuple = ()               # ((step, event, detail), …)
    attempts: int = 0
    target: str | None = None        # None: nobody has to run it (ended or stuck)
    due_in: float = 0.0              # seconds
    keep: bool = False               # the same worker goes straight on under the same lease
    notes: dict | None = None        # None: as they were
    error: str | None = None
    refused: bool = False
    resume: str | None = None

    @property
    def ended(self) -> bool:
        return self.state not in LIVE


class Context:
    """What a step body gets as `ctx`: the service's tools, and in an atomic step `session`.

    A tool that is marked with `of_step` is given the context before its own arguments.
    """

    def __init__(self, tools, session=None):
        self._tools, self.session = tools, session

    def __getattr__(self, name):
        found = getattr(self._tools, name)
        return functools.partial(found, self) if getattr(found, 'of_step', False) else found


def of_step(tool):
    """Mark a method of a service's tools as one that wants to know the step it is called from."""
    tool.of_step = True
    return tool


# ------------------------------------------------------------------ for requests and atomic steps

def start(session, operation: Operation, *, subject: str, params: dict, project_id=None, user_id=None,
          resource=None, request_id=None, parent_id=None, due_in=0.0, first=0) -> str:
    """Insert an operation in the caller's transaction; its worker is woken after the commit.

    It begins with step number `first`: those before it are known to have nothing to do.
    Raises errors.Conflict when `subject` has a live operation; the caller's
    transaction is then void.
    """
    op = Op(id=new_id(), name=operation.name, version=operation.version, subject=subject, params=params, notes={},
            state=RUNNING, position=first, attempts=0, lease=0, parent_id=parent_id, project_id=project_id,
            user_id=user_id, resource=resource or subject, request_id=request_id)
    target = operation.steps[first].target(op)
    try:
        session.execute(_START, {**vars(op), 'target': target, 'due_in': due_in})
    except db_exc.DBDuplicateEntry:
        raise errors.Conflict(f'Another operation on {subject.replace(":", " ")} is still running. '
                              'Wait for it to end and ask again.') from None
    _wake(session, target)
    return op.id


def fold(session, operation: Operation, subject: str, params: dict, *, parent_id=None, request_id=None) -> bool:
    """Give a live operation newer parameters and send it back to its first step.

    It then belongs to the parent and the request given, if any are.

    Whoever holds it loses the lease, so what an overtaken step found out is void.
    Returns False if there is none to fold into.
    """
    if not operation.foldable:
        raise ValueError(f'{operation} is not foldable')
    op = queries.live(session, subject)
    if op is None or op.name != operation.name or op.state == UNDOING:
        return False
    op = dataclasses.replace(op, params=params, notes={})
    target = operation.steps[0].target(op)
    result = session.execute(update(OPERATIONS).where(T.id == op.id, T.subject == subject, T.lease == op.lease).values(
        params=params, notes={}, version=operation.version, state=RUNNING, resume=None, position=0, attempts=0,
        error=None, target=target, due_at=now(), lease=T.lease + 1, lease_until=None,
        parent_id=parent_id or op.parent_id, request_id=request_id or op.request_id))
    if not result.rowcount:
        # Its worker moved it on between the two statements.
        return fold(session, operation, subject, params, parent_id=parent_id, request_id=request_id)
    _log(session, op.id, [(None, 'folded', None)])
    _wake(session, target)
    return True


def succeed(session, op: Op, operation: Operation, *, params: dict) -> str:
    """For withdraw(): as `op` ends, another operation begins on its subject, for the same request."""
    session.execute(update(OPERATIONS).where(T.id == op.id).values(subject=None))
    return start(session, operation, subject=op.subject, params=params, project_id=op.project_id, user_id=op.user_id,
                 resource=op.resource, request_id=op.request_id, parent_id=op.parent_id)


def cancel(session, subject: str, reason: str, names: Iterable[str] | None = None) -> bool:
    """End a subject's live operation (one of `names`, if given) where it stands, undoing nothing."""
    op = queries.live(session, subject, for_update=True)
    if op is None or (names is not None and op.name not in names):
        return False
    _end(session, op, CANCELLED, reason)
    return True


def abandon(session, id: str, reason='abandoned by an operator') -> None:
    """Give up a stuck operation for good and free its subject; raises errors.Conflict unless it is stuck."""
    _end(session, _stuck(session, id), ABANDONED, reason)


def retry(session, id: str) -> None:
    """Resume a stuck operation where it stands; raises errors.Conflict unless it is stuck."""
    op = _stuck(session, id)
    session.execute(update(OPERATIONS).where(T.id == id, T.state == STUCK).values(
        state=op.resume or RUNNING, resume=None, attempts=0, target=op.target, due_at=now(), lease=T.lease + 1,
        lease_until=None))
    _log(session, id, [(None, 'retried', None)])
    _wake(session, op.target)


def prune(session, age: float) -> int:
    """Forget operations that ended more than `age` seconds ago; returns how many."""
    old = list(session.execute(select(T.id).where(T.ended_at < now() - age).limit(1000)).scalars())
    if old:
        session.execute(delete(EVENTS).where(EVENTS.c.operation_id.in_(old)))
        session.execute(delete(OPERATIONS).where(T.id.in_(old)))
    return len(old)


def _stuck(session, id):
    op = queries.get(session, id, for_update=True)
    if op is None:
        raise errors.NotFound('Operation', id)
    if op.state != STUCK:
        raise errors.Conflict(f'Operation {id} is {op.state}; only a stuck one can be retried or abandoned.')
    return op


def _end(session, op, state, reason):
    session.execute(update(OPERATIONS).where(T.id == op.id).values(
        state=state, subject=None, target=None, due_at=None, error=reason, ended_at=now(), lease=T.lease + 1,
        lease_until=None))
    _log(session, op.id, [(None, state, reason)])


_START = insert(OPERATIONS).values(created_at=now(), due_at=now() + bindparam('due_in', type_=Double))
_LOG = insert(EVENTS).values(operation_id=bindparam('operation_id'), step=bindparam('step'),
                            event=bindparam('event'), detail=bindparam('detail'), at=now())


def _log(session, id, events):
    if events:
        session.execute(_LOG, [{'operation_id': id, 'step': step, 'event': event, 'detail': detail}
                               for step, event, detail in events])


def _wake(session, target):
    session.info.setdefault('wakes', set()).add(target)


# ------------------------------------------------------------------ for workers

# Made once: SQLAlchemy takes longer to put these together than SQLite to run them.
_HERE = T.target.in_(bindparam('targets', expanding=True))
_NEXT = case((T.lease_until > T.due_at, T.lease_until), else_=T.due_at)
_SOONEST = select(func.min(_NEXT - now())).where(_HERE)
_DUE = (select(*queries._FIELDS, T.lease_until).where(_HERE, _NEXT <= now()).order_by(T.due_at)
        .limit(bindparam('count', type_=Integer)).with_for_update(skip_locked=True))
_THIS = T.id == bindparam('this')
_TAKE = update(OPERATIONS).where(T.id.in_(bindparam('these', expanding=True))).values(
    lease=T.lease + 1, lease_until=now() + bindparam('seconds', type_=Double))
# Not the lease alone: what was written before its answer got lost, is not written again.
_OURS = (_THIS, T.lease == bindparam('held'), T.state == bindparam('was'), T.position == bindparam('at'),
         T.attempts == bindparam('tried'))
_HOLD = update(OPERATIONS).where(*_OURS).values(lease=T.lease)
_WRITTEN = ('state', 'position', 'attempts', 'error', 'refused', 'resume', 'target', 'subject', 'notes')
# NULL seconds make a NULL moment.
_WRITE = update(OPERATIONS).where(*_OURS).values(
    **{name: bindparam(f'new_{name}', type_=T[name].type) for name in _WRITTEN},
    due_at=now() + bindparam('due_in', type_=Double), lease_until=now() + bindparam('keep_for', type_=Double),
    ended_at=now() - bindparam('ended_ago', type_=Double))


def _ours(op) -> dict:
    return {'this': op.id, 'held': op.lease, 'was': op.state, 'at': op.position, 'tried': op.attempts}


class Store:
    """The engine's side of the database, for workers that have one.

    `tools` is what withdraw() and stuck() see as `ctx`, with `session` added.
    """

    def __init__(self, db, registry: dict, tools=None):
        self.db, self.registry, self.tools = db, registry, tools

    def claim(self, targets: Iterable[str], owner: str, lease: float, limit: int,
              expected: bool = False) -> tuple[list[Op], float | None]:
        """Claim up to `limit` due operations for `lease` seconds.

        Returns them, and the seconds until the next one at these targets is due (None: none in sight).
        `expected`: somebody said that there is one.
        """
        here = {'targets': sorted(targets)}

        def take():
            return self.db.run(lambda session: self._take(session, {**here, 'count': limit}, owner, lease))
        if expected and limit > 0 and (claimed := take()):
            return claimed, 0.0
        # Otherwise looked up first without writing: an idle worker's poll must not take a write lock.
        with self.db.look() as connection:
            soonest = connection.execute(_SOONEST, here).scalar()
        return (take(), 0.0) if soonest is not None and soonest <= 0 and limit > 0 else ([], soonest)

    def _take(self, session, which, owner, lease):
        found = [(Op(*values), until) for *values, until in session.execute(_DUE, which).all()]
        if not found:
            return []
        # Locked above: nobody else takes them, or changes them, meanwhile.
        session.execute(_TAKE, {'these': [op.id for op, _ in found], 'seconds': lease})
        session.execute(_LOG, [{
            'operation_id': op.id, 'step': self._step(op), 'event': 'claimed' if until is None else 'reclaimed',
            'detail': owner} for op, until in found])
        return [dataclasses.replace(op, lease=op.lease + 1) for op, _ in found]

    def _step(self, op):
        definition = self.registry.get((op.name, op.version))
        return definition.steps[op.position].name if definition and op.position >= 0 else None

    def checkpoint(self, op: Op, decide: Callable[[dict | None], Transition] | Transition, lease: float,
                   body: Callable | None = None) -> Op | None:
        """Write where `op` goes; raises LeaseLost if its lease is no longer the holder's.

        Returns the operation where the transition keeps the lease, None where it lets go.
        With `body`, an atomic step: it runs as body(ctx) in the same transaction and
        `decide` makes the transition from the notes that it returns.
        """
        def work(session):
            if not body:
                return self._write(session, op, decide, lease)
            self._hold(session, op)
            return self._write(session, op, decide(body(Context(self.tools, session))), lease)
        return self.db.run(work)

    def _hold(self, session, op):
        """Lock the row and see that the lease is still ours, before anything is done for it."""
        if not session.execute(_HOLD, _ours(op)).rowcount:
            raise LeaseLost(op.id)

    def overtake(self, op: Op, transition: Transition) -> bool:
        """Write where `op` goes although its worker was not asked; False, and nothing changed, if that has it now."""
        def work(session):
            free = or_(T.lease_until.is_(None), T.lease_until <= now())
            held = update(OPERATIONS).where(T.id == op.id, T.lease == op.lease, T.state == op.state, free)
            if not session.execute(held.values(lease=T.lease + 1, lease_until=None)).rowcount:
                return False
            self._write(session, dataclasses.replace(op, lease=op.lease + 1), transition, 0.0)
            return True
        return self.db.run(work)

    def _write(self, session, op, to: Transition, lease) -> Op | None:
        after = dataclasses.replace(
            op, state=to.state, position=to.position, attempts=to.attempts, error=to.error, refused=to.refused,
            resume=to.resume, notes=op.notes if to.notes is None else to.notes,
            target=to.target or (op.target if to.state == STUCK else None), subject=None if to.ended else op.subject)
        definition = self.registry.get((op.name, op.version))
        if to.state in (UNDONE, STUCK):
            self._hold(session, op)
        if to.state == UNDONE and definition.withdraw:
            definition.withdraw(Context(self.tools, session), dataclasses.replace(after, subject=op.subject))
        if to.state == STUCK and definition and definition.stuck:
            definition.stuck(Context(self.tools, session), after)
        _log(session, op.id, to.events)         # first: no step ends after its operation
        written = session.execute(_WRITE, {
            **_ours(op), **{f'new_{name}': getattr(after, name) for name in _WRITTEN},
            # A stuck operation keeps its target, so that a retry knows it, but is due to nobody.
            'due_in': None if to.ended or to.state == STUCK else to.due_in,
            'keep_for': lease if to.keep else None, 'ended_ago': 0.0 if to.ended else None})
        if not written.rowcount:
            raise LeaseLost(op.id)
        if to.target and not to.keep and to.due_in <= 0:
            _wake(session, to.target)
        return after if to.keep else None

    def renew(self, held: dict[str, int], lease: float) -> set[str]:
        """Extend the leases {operation id: number}; returns the ids that are no longer ours."""
        def work(session):
            return {id for id, number in held.items() if not session.execute(
                update(OPERATIONS).where(T.id == id, T.lease == number, T.lease_until.is_not(None))
                .values(lease_until=now() + lease)).rowcount}
        return self.db.run(work) if held else set()

    def due(self, targets: Iterable[str]) -> bool:
        """Whether anything waits at these targets: what a heartbeat's answer tells."""
        with self.db.reader() as session:
            return session.execute(select(T.id).where(
                T.target.in_(sorted(targets)), T.due_at <= now(),
                or_(T.lease_until.is_(None), T.lease_until <= now())).limit(1)).first() is not None
