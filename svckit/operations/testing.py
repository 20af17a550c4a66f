"""The every-operation x every-step matrix.

A service gives one `Example` factory per operation; `check(factory, step,
scenario)` runs one cell.  Each cell must end as an undisturbed run, or as if
never asked, or stuck with its subject still locked.
"""
import dataclasses
import json
import re

from sqlalchemy import update

from svckit.operations import queries, store
from svckit.operations.definition import DONE, STUCK, UNDONE, Refused
from svckit.operations.models import OPERATIONS

SCENARIOS = ('repeat', 'killed_before', 'killed_after', 'refused', 'flaky', 'failing', 'failing_undo_killed', 'stolen')
ROUNDS = 60         # more than any operation needs to come to rest, waits and back-offs included
FOR_EVER = 12       # enough to see that a step is tried again and again, and not given up
UUID = re.compile(r'[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}')


def scenarios(definition, step: str) -> list[str]:
    """Those that can end differently for a step of an operation.

    An atomic step cannot be run twice nor be stolen half way, and an undo can only be
    killed where giving up leads to one.
    """
    position = [s.name for s in definition.steps].index(step)
    here, before = definition.steps[position], definition.steps[:position + 1]
    undone = position < definition.no_return and not here.forever and any(s.undo for s in before)
    same = {'repeat', 'stolen'} if here.atomic else set()
    return [scenario for scenario in SCENARIOS if scenario not in same | (set() if undone else {'failing_undo_killed'})]


class Killed(BaseException):
    """The worker's process dies here; nothing in it may catch this."""


class Injected(Exception):
    """What a disturbed step fails with."""


class Example:
    """What a service's factory returns; subclass it, or fill it in.

    db       the service's Database
    registry its operations
    workers  Workers for all targets, not started
    request() -> the id of the operation under test
    snapshot() -> all that is visible: rows but operations, contents of backends and peers
    expected_undone(before, after, op): asserts that `after` is as if never asked.
    """
    db = registry = None
    workers: list = []

    def request(self) -> str:
        raise NotImplementedError

    def snapshot(self) -> dict:
        raise NotImplementedError

    def expected_undone(self, before: str, after: str, op) -> None:
        assert after == before

    def close(self):
        self.db.dispose()


def comparable(snapshot) -> str:
    """Two runs' snapshots as comparable text: ids by order of appearance, rows in the order of their contents."""
    def ordered(value):
        if isinstance(value, dict):
            return {str(k): ordered(v) for k, v in sorted(value.items(), key=lambda item: blank(item[0]))}
        if isinstance(value, (list, tuple)):
            return sorted((ordered(v) for v in value), key=blank)
        return value

    def blank(value):
        return UUID.sub('', json.dumps(value, default=str, sort_keys=True))
    seen: dict[str, str] = {}
    text = json.dumps(ordered(snapshot), default=str, indent=1)
    return UUID.sub(lambda match: seen.setdefault(match.group().replace('-', ''), f'id-{len(seen)}'), text)


class Disturbance:
    """Stands between the runners and the bodies of one operation's one step."""

    def __init__(self, example, op_id, step, scenario):
        self.example, self.op_id, self.step, self.scenario = example, op_id, step, scenario
        self.calls = 0
        self.undo_kills = set()
        for worker in example.workers:
            worker.runner.call = self._wrap(worker.runner.call)

    def _wrap(self, call):
        def disturbed(step, op, ctx):
            if op.id != self.op_id:
                return call(step, op, ctx)
            if op.state == 'undoing':
                return self._undo(call, step, op, ctx)
            if step.name != self.step:
                return call(step, op, ctx)
            self.calls += 1
            return self._run(call, step, op, ctx)
        return disturbed

    def _undo(self, call, step, op, ctx):
        notes = call(step, op, ctx)
        if self.scenario == 'failing_undo_killed' and step.name not in self.undo_kills:
            self.undo_kills.add(step.name)
            raise Killed
        return notes

    def _run(self, call, step, op, ctx):
        first = self.calls == 1
        match self.scenario:
            case 'repeat':
                if not step.atomic:
                    call(step, op, ctx)
            case 'killed_before' if first:
                raise Killed
            case 'killed_after' if first:
                call(step, op, ctx)
                raise Killed
            case 'refused':
                raise Refused('refused on purpose')
            case 'flaky' if self.calls <= 2:
                raise Injected('failing twice on purpose')
            case 'failing' | 'failing_undo_killed':
                raise Injected('failing on purpose')
            case 'stolen' if first:
                notes = call(step, op, ctx)
                # Half a transaction cannot be stolen: the row is locked by the holder.
                if not step.atomic:
                    _set(self.example.db, op.id, lease=op.lease + 1, lease_until=None)
                return notes
        return call(step, op, ctx)


def drive(example, rounds=ROUNDS) -> None:
    """Run all workers until every operation has ended, is stuck, or only waits."""
    for _ in range(rounds):
        for worker in example.workers:
            while True:
                try:
                    worker.run_due()
                    break
                except Killed:
                    let_time_pass(example.db)
        with example.db.reader() as session:
            if not [op for op in queries.find(session, 'live', limit=1000) if op.state != STUCK]:
                return
        let_time_pass(example.db)


def check(factory, step: str, scenario: str, calm: 'Rest | None' = None) -> str:
    """Run one cell of the matrix; returns the state that the operation came to.

    `calm` is what `undisturbed(factory)` came to, if that is known already.
    """
    calm = calm or undisturbed(factory)
    disturbed = _run(factory, step, scenario)
    try:
        return _judge(disturbed, calm, step, scenario)
    finally:
        disturbed.example.close()


def _judge(disturbed, calm, step, scenario):
    op, definition = disturbed.op, disturbed.definition
    position = [s.name for s in definition.steps].index(step)
    assert calm.op.state == DONE, f'undisturbed, it is {calm.op.state}: {calm.op.error}'
    if scenario in ('refused', 'failing', 'failing_undo_killed'):
        _check_given_up(disturbed, calm, op, definition.steps[position], position >= definition.no_return)
    else:
        assert op.state == DONE, f'{op.state}: {op.error}'
        assert disturbed.after == calm.after
    return op.state


def _check_given_up(disturbed, calm, op, step, below):
    if step.forever and op.state not in (UNDONE, STUCK, DONE):
        assert op.error and op.subject, 'one that is retried for ever must say why'
        return
    if op.state == UNDONE:
        assert not below, 'below the point of no return nothing is undone'
        assert op.subject is None and op.error
        disturbed.example.expected_undone(disturbed.before, disturbed.after, op)
    elif op.state == STUCK:
        assert op.subject and op.error
        disturbed.resume()
        assert disturbed.op.state == DONE, f'after a retry it is {disturbed.op.state}: {disturbed.op.error}'
        assert disturbed.after == calm.after
    else:
        assert op.state == DONE, op.state                  # its undo found the effect there: GoForward
        assert disturbed.after == calm.after


@dataclasses.dataclass(frozen=True)
class Rest:
    """What an undisturbed run came to."""
    op: object
    after: str


def undisturbed(factory) -> Rest:
    """Run it with nothing in its way; read at once, as the next run may wipe its database."""
    run = _run(factory, None, None)
    try:
        return Rest(run.op, run.after)
    finally:
        run.example.close()


@dataclasses.dataclass
class _Run:
    example: Example
    op_id: str
    before: str

    @property
    def op(self):
        with self.example.db.reader() as session:
            return queries.get(session, self.op_id)

    @property
    def definition(self):
        op = self.op
        return self.example.registry[op.name, op.version]

    @property
    def after(self) -> str:
        return comparable(self.example.snapshot())

    def resume(self):
        for worker in self.example.workers:
            del worker.runner.call
        self.example.db.run(lambda session: store.retry(session, self.op_id))
        drive(self.example)


def _run(factory, step, scenario) -> _Run:
    example = factory()
    before = comparable(example.snapshot())
    op_id = example.request()
    run = _Run(example, op_id, before)
    if step:
        Disturbance(example, op_id, step, scenario)
    drive(example, FOR_EVER if scenario == 'failing' and _forever(run.definition, step) else ROUNDS)
    return run


def _forever(definition, step) -> bool:
    return any(s.forever for s in definition.steps if s.name == step)


def let_time_pass(db):
    """Let time pass: all that waits is due, and the leases of the dead have run out."""
    with db.transaction() as session:
        session.execute(update(OPERATIONS).where(OPERATIONS.c.due_at.is_not(None)).values(due_at=0, lease_until=None))


def _set(db, id, **values):
    with db.transaction() as session:
        session.execute(update(OPERATIONS).where(OPERATIONS.c.id == id).values(**values))


