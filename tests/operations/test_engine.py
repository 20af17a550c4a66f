"""The engine's contract, point by point, on each database."""
import contextlib
import threading

import pytest
from sqlalchemy import select, update

from svckit import errors, operations
from svckit.operations import Desk, LeaseLost, LocalDesk, Operation, RemoteStore, Step, runner
from svckit.operations.models import OPERATIONS
from svckit.operations.store import Transition
from svckit.operations.testing import SCENARIOS, check, drive
from tests.operations.toy import GROW, REGISTRY, TELL, Mark, Toy, marks


@pytest.fixture
def toy(any_database):
    made = Toy(any_database)
    yield made
    made.close()


@pytest.fixture
def lite(all_databases):
    made = Toy(all_databases.new('sqlite'))
    yield made
    made.close()


def test_a_request_that_rolls_back_started_nothing(toy):
    with pytest.raises(RuntimeError), toy.db.transaction() as session:
        operations.start(session, GROW, subject='thing:a', params={'thing': 'a', 'size': 2})
        raise RuntimeError
    assert [worker.run_due() for worker in toy.workers] == [0, 0]


def test_it_moves_between_its_targets_and_ends_done(toy):
    id = toy.request()
    drive(toy)
    op = toy.get(id)
    assert (op.state, op.subject, op.notes) == ('done', None, {'from': 1})
    assert [step for step, event in toy.events(id) if event == 'done'] == [
        'reserve', 'prepare', 'grow', 'record', 'announce', None]
    assert toy.tools.backend.sizes == {'a': 2, 'told a': 2, 'heard a': 2}


def test_an_atomic_step_ends_in_one_transaction_with_the_step_before_it_if_it_ends_well(toy):
    id, worker, seen = toy.request(), toy.worker('desk', 'shop'), []
    call = worker.runner.call

    def watched(step, op, ctx):
        if step.name == 'record':
            seen.append(toy.get(id).position)
            if len(seen) < 3:
                raise OSError('away')
        return call(step, op, ctx)
    worker.runner.call = watched
    worker.run_due()
    op = toy.get(id)
    assert (op.position, op.attempts, op.notes, seen) == (3, 1, {'from': 1}, [2, 3])
    assert toy.tools.backend.calls == [('a', 2)]
    _make_due(toy)
    worker.run_due()
    assert toy.get(id).state == 'done'


@pytest.mark.parametrize('together', [False, True])
def test_a_commit_whose_answer_is_lost_is_not_made_twice(toy, together):
    id = toy.request()
    if together:
        toy.workers = [toy.worker('desk', 'shop')]
    commits, real = [], toy.db.transaction

    @contextlib.contextmanager
    def losing():
        with real() as session:
            yield session
            recorded = session.scalar(select(Mark.id).where(Mark.what == 'recorded')) is not None
        if recorded and not commits:
            commits.append('lost')
            raise OSError('the connection was reset')
    toy.db.transaction = losing
    drive(toy)
    with toy.db.reader() as session:
        assert (toy.get(id).state, marks(session)['recorded'], commits) == ('done', 1, ['lost'])


def test_it_may_begin_with_a_later_step(toy):
    toy.tools.backend.sizes['a'] = 1
    with toy.db.transaction() as session:
        id = operations.start(session, GROW, subject='thing:a', params={'thing': 'a', 'size': 2}, first=2)
    drive(toy)
    with toy.db.reader() as session:
        steps = operations.describe(REGISTRY, operations.get(session, id), operations.events(session, id))['steps']
    assert [step['state'] for step in steps] == ['skipped', 'skipped', 'done', 'done', 'done']


def test_a_second_wish_for_the_subject_is_refused_until_the_first_ends(toy):
    toy.request()
    with pytest.raises(errors.Conflict, match='thing a'):
        toy.request()
    drive(toy)
    drive_again = toy.request(size=3)
    drive(toy)
    assert toy.get(drive_again).state == 'done'


def test_not_yet_waits_says_why_once_and_uses_no_attempt(toy):
    toy.tools.ready = False
    id = toy.request()
    for _ in range(3):
        _make_due(toy)
        for worker in toy.workers:
            worker.run_due()
    op = toy.get(id)
    assert (op.state, op.error, op.attempts) == ('running', 'it is not ready', 0)
    assert toy.events(id).count(('prepare', 'waits')) == 1
    toy.tools.ready = True
    drive(toy)
    assert toy.get(id).state == 'done' and toy.get(id).error is None


def test_a_refusal_undoes_and_tells_withdraw_so(toy):
    toy.tools.backend.refuse = True
    id = toy.request()
    drive(toy)
    op = toy.get(id)
    assert (op.state, op.refused, op.error) == ('undone', True, 'the backend is full')
    with toy.db.reader() as session:
        assert marks(session) == {'refused': 1}
    assert toy.tools.backend.sizes == {}


def test_an_undo_that_finds_the_effect_goes_forward(toy):
    id = toy.request()

    def grown_and_then_failed(thing, size):
        toy.tools.backend.sizes[thing] = size
        raise OSError('the answer was lost')
    toy.tools.backend.grow = grown_and_then_failed
    toy.tools.backend.sizes['a'] = 1
    # Each attempt looks first, so only the very last may fail: give it one attempt.
    _set(toy, id, position=2, attempts=4, target='shop', notes={'from': 1})
    drive(toy)
    assert toy.get(id).state == 'done'
    assert ('grow', 'failed') in toy.events(id) and ('grow', 'undone') not in toy.events(id)


def test_below_no_return_it_is_stuck_and_an_operator_resumes_or_abandons(toy):
    def broken(call):
        def run(step, op, ctx):
            if step.name == 'announce':
                raise OSError('no voice')
            return call(step, op, ctx)
        return run
    for worker in toy.workers:
        worker.runner.call = broken(worker.runner.call)
    ids = [toy.request(thing) for thing in 'ab']
    drive(toy)
    assert [toy.get(id).state for id in ids] == ['stuck', 'stuck']
    with toy.db.reader() as session:
        assert marks(session)['stuck'] == 2
        assert operations.counts(session)['grow', 'stuck'] == 2
    with pytest.raises(errors.Conflict):
        toy.request('a')
    for worker in toy.workers:
        del worker.runner.call
    with toy.db.transaction() as session:
        operations.retry(session, ids[0])
        operations.abandon(session, ids[1])
    drive(toy)
    assert [toy.get(id).state for id in ids] == ['done', 'abandoned']
    with toy.db.transaction() as session, pytest.raises(errors.Conflict):
        operations.retry(session, ids[0])


def test_a_lost_lease_cannot_write(toy):
    id = toy.request()
    (slow,), _ = toy.store.claim({'desk'}, 'slow', 30, 1)
    assert toy.store.claim({'desk'}, 'other', 30, 1)[0] == []
    _make_due(toy)
    (quick,), _ = toy.store.claim({'desk'}, 'quick', 30, 1)
    assert quick.lease == slow.lease + 1
    transition = runner.decide(GROW, slow, {})
    with pytest.raises(LeaseLost):
        toy.store.checkpoint(slow, transition, 30)
    assert toy.store.renew({id: slow.lease}, 30) == {id}
    assert toy.store.renew({id: quick.lease}, 30) == set()
    toy.store.checkpoint(quick, transition, 30)
    assert toy.get(id).position == 1


def test_a_step_body_of_a_lost_lease_leaves_no_trace_if_it_is_atomic(toy):
    id = toy.request()
    (op,), _ = toy.store.claim({'desk'}, 'slow', 30, 1)
    _set(toy, id, lease=op.lease + 1)
    toy.workers[0].runner.run(op)
    assert toy.get(id).position == 0 and toy.snapshot()['marks'] == {}


def test_folding_sends_it_back_with_the_newer_wish_and_voids_the_overtaken_step(toy):
    id = toy.tell(size=2)
    (op,), _ = toy.store.claim({'shop'}, 'slow', 30, 1)
    assert toy.tell(size=5) is None
    with pytest.raises(LeaseLost):
        toy.store.checkpoint(op, runner.decide(TELL, op, {}), 30)
    drive(toy)
    assert toy.get(id).state == 'done' and toy.tools.backend.sizes == {'heard a': 5}
    assert toy.tell(size=6) is not None, 'an ended one is not folded into'


def test_cancelling_frees_the_subject(toy):
    id = toy.tell()
    with toy.db.transaction() as session:
        assert not operations.cancel(session, 'tell:a', 'gone', names=['other'])
        assert operations.cancel(session, 'tell:a', 'gone', names=['tell'])
    drive(toy)
    assert toy.get(id).state == 'cancelled' and toy.tools.backend.sizes == {}


def test_prune_forgets_only_what_ended_long_ago(toy):
    old, new, live = toy.tell('a'), toy.tell('b'), toy.request('c')
    toy.workers[1].run_due()
    _set(toy, old, ended_at=1.0)
    with toy.db.transaction() as session:
        assert operations.prune(session, 3600) == 1
    assert toy.get(old) is None and toy.events(old) == []
    assert toy.get(new).state == 'done' and toy.get(live).state == 'running'


def test_the_description_shows_steps_and_children_and_no_secret(toy):
    with toy.db.transaction() as session:
        id = operations.start(session, GROW, subject='thing:a', resource='thing:a',
                              params={'thing': 'a', 'size': 2, 'auth_password': 'hush'})
    drive(toy)
    with toy.db.reader() as session:
        (op,) = operations.of_resource(session, 'thing:a')
        kids = operations.children(session, op.id)
        seen = operations.describe(REGISTRY, op, operations.events(session, op.id, *[kid.id for kid in kids]), kids)
    assert (seen['id'], seen['state']) == (id, 'done')
    assert [(step['name'], step['state'], step['attempts']) for step in seen['steps']] == [
        ('reserve', 'done', 1), ('prepare', 'done', 1), ('grow', 'done', 1), ('record', 'done', 1),
        ('announce', 'done', 1)]
    assert all(step['seconds'] >= 0 for step in seen['steps'])
    assert [(child['name'], child['state']) for child in seen['children']] == [('tell', 'done')]
    assert 'hush' not in str(seen)


def test_an_operation_of_an_unknown_version_waits_for_a_worker_that_knows_it(lite):
    id = lite.request()
    _set(lite, id, version=7)
    lite.workers[0].run_due()
    op = lite.get(id)
    assert op.state == 'running' and 'version 7' in op.error


def test_an_agent_works_through_the_desk_with_nothing_but_json(all_databases):
    toy = Toy(all_databases.new('sqlite'))
    far = Operation('far', steps=[Step(lambda ctx, op: {'seen': ctx.backend.sizes}, at='agent:h1')])
    registry = {('far', 1): far}
    toy.store.registry = registry
    store = RemoteStore(LocalDesk(Desk(toy.store)))
    agent = operations.Worker(store, {'agent:h1'}, registry, toy.tools, 'agent')
    with toy.db.transaction() as session:
        id = operations.start(session, far, subject='x:1', params={})
    assert Desk(toy.store).due(['agent:h1']) is True
    assert agent.run_due() == 1
    assert toy.get(id).state == 'done' and toy.get(id).notes == {'seen': {}}
    assert Desk(toy.store).due(['agent:h1']) is False
    with pytest.raises(PermissionError):
        store.claim({'conductor'}, 'agent', 30, 1)
    toy.close()


def test_a_desk_says_when_the_lease_is_lost(lite):
    far = Operation('far', steps=[Step(lambda ctx, op: None, at='agent:h1')])
    lite.store.registry = {('far', 1): far}
    store = RemoteStore(LocalDesk(Desk(lite.store)))
    with lite.db.transaction() as session:
        id = operations.start(session, far, subject='x:1', params={})
    (op,), _ = store.claim({'agent:h1'}, 'agent', 30, 1)
    _set(lite, id, lease=9)
    with pytest.raises(LeaseLost):
        store.checkpoint(op, Transition('done', 0), 30)


def test_a_wake_reaches_an_idle_worker_at_once(lite):
    """The poll is set to a minute: only the wake can be what ended it in time."""
    done = threading.Event()
    worker = lite.worker('desk', 'shop', poll=60.0, observe=lambda op, step, outcome: (
        done.set() if step.name == 'tell' else None))
    lite.db.on_wake = lambda targets: worker.wake()
    worker.start()
    try:
        lite.request()
        assert done.wait(20)
    finally:
        worker.stop()


def test_a_lost_wake_costs_a_poll_and_not_the_work(lite):
    done = threading.Event()
    worker = lite.worker('desk', 'shop', poll=0.05, observe=lambda op, step, outcome: (
        done.set() if step.name == 'tell' else None))
    worker.start()
    try:
        lite.request()
        assert done.wait(20)
    finally:
        worker.stop()


def test_a_long_step_keeps_its_lease(lite):
    """The step outlasts its lease several times, and nobody else gets the operation."""
    go, entered = threading.Event(), threading.Event()

    def call(step, op, ctx):
        entered.set()
        assert go.wait(20)
    worker = lite.worker('shop', lease=0.3)
    worker.runner.call = call
    id = lite.tell()
    worker.start()
    try:
        assert entered.wait(20)
        lease = lite.get(id).lease
        for _ in range(8):
            threading.Event().wait(0.1)
            assert lite.store.claim({'shop'}, 'thief', 30, 1)[0] == []
        go.set()
    finally:
        go.set()
        worker.stop()
    assert lite.get(id).state == 'done' and lite.get(id).lease == lease


def test_step_names_must_differ_and_foldable_has_no_point_of_no_return():
    def a(ctx, op):
        pass
    with pytest.raises(ValueError, match='differ'):
        Operation('twice', steps=[Step(a, at='x'), Step(a, at='x')])
    with pytest.raises(ValueError, match='start over'):
        Operation('fold', steps=[operations.NO_RETURN, Step(a, at='x')], foldable=True)


@pytest.mark.parametrize('scenario', SCENARIOS)
@pytest.mark.parametrize('step', [step.name for step in GROW.steps])
def test_the_matrix_holds_for_the_toy(all_databases, step, scenario):
    class Exact(Toy):
        def expected_undone(self, before, after, op):
            assert after == before
    state = check(lambda: Exact(all_databases.new('sqlite')), step, scenario)
    if scenario in ('refused', 'failing', 'failing_undo_killed'):
        assert state == ('stuck' if step in ('record', 'announce') else 'undone')
    else:
        assert state == 'done'


def test_the_matrix_catches_a_step_that_does_not_look(all_databases, monkeypatch):
    def careless(ctx, op):
        ctx.backend.sizes[op.params['thing']] = ctx.backend.sizes.get(op.params['thing'], 0) + 1
    monkeypatch.setattr(GROW, 'steps', [step if step.name != 'announce' else Step(careless, at='shop')
                                        for step in GROW.steps])
    with pytest.raises(AssertionError):
        check(lambda: Toy(all_databases.new('sqlite')), 'careless', 'killed_after')


def _set(toy, id, **values):
    with toy.db.transaction() as session:
        session.execute(update(OPERATIONS).where(OPERATIONS.c.id == id).values(**values))


def _make_due(toy):
    with toy.db.transaction() as session:
        session.execute(update(OPERATIONS).where(OPERATIONS.c.due_at.is_not(None)).values(due_at=0, lease_until=None))
