"""Claims on hosts' room, on each database: many servers want the same room at once, and none gets another's."""
import types

import pytest
from sqlalchemy import select

from computesvc.db import claims, hypervisors, services
from computesvc.db.models import Base, Claim, Hypervisor
from computesvc.scheduling import hosts
from svckit.db import Database
from svckit.operations import Refused
from tests.operations.threads import at_once

RATIOS = {'cpu_allocation_ratio': 2.0, 'ram_allocation_ratio': 1.0, 'disk_allocation_ratio': 1.0}
CONF = types.SimpleNamespace(scheduler=RATIOS, service=types.SimpleNamespace(down_time=60.0))
SMALL = {'vcpus': 1, 'memory_mb': 100, 'disk_gb': 0}


@pytest.fixture
def db(any_database):
    made = Database(any_database, max_pool_size=16)
    Base.metadata.create_all(made.engine)
    for host in ('h1', 'h2'):
        add(made, host)
    yield made
    made.dispose()


def add(db, host, **values):
    """A host with room for four small servers."""
    def work(session):
        services.seen(session, services.AGENT, host, 'nova')
        hypervisors.record(session, host, {'vcpus': 2, 'memory_mb': 450, 'local_gb': 10} | values)
    db.run(work)


def used(db, host):
    with db.reader() as session:
        row = session.scalar(select(Hypervisor).where(Hypervisor.host == host))
        recorded = {name: getattr(row, f'{name}_used') for name in claims.RESOURCES}
        assert recorded == claims.used(session, host)
        return recorded


def take(db, key, host, demand=SMALL):
    return db.run(lambda session: claims.take(session, key, host, key, demand, CONF))


def test_a_claim_is_taken_once_and_given_back_once(db):
    assert take(db, 'a', 'h1') and take(db, 'a', 'h1')
    assert used(db, 'h1') == SMALL
    assert take(db, 'a', 'h2')                          # the same claim, elsewhere
    assert (used(db, 'h1')['vcpus'], used(db, 'h2')) == (0, SMALL)
    for _ in range(2):
        db.run(lambda session: claims.release(session, 'a'))
        assert used(db, 'h2')['vcpus'] == 0


def test_what_does_not_fit_changes_nothing(db):
    take(db, 'a', 'h2')
    for demand in ({**SMALL, 'vcpus': 5}, {**SMALL, 'memory_mb': 451}, {**SMALL, 'disk_gb': 11}):
        assert not take(db, 'a', 'h1', demand)
        assert used(db, 'h1')['vcpus'] == 0 and used(db, 'h2') == SMALL
    assert not take(db, 'a', 'nowhere')


def test_what_is_not_asked_for_is_not_asked_about(db):
    """A host that shrank still takes a server that wants nothing of what it lacks."""
    take(db, 'a', 'h1', {**SMALL, 'disk_gb': 10})
    add(db, 'h1', local_gb=5)
    assert take(db, 'b', 'h1') and not take(db, 'c', 'h1', {**SMALL, 'disk_gb': 1})


def test_a_move_is_confirmed_or_taken_back(db):
    take(db, 'server:1', 'h1')
    take(db, 'move:1', 'h2', {**SMALL, 'memory_mb': 200})
    for _ in range(2):
        db.run(lambda session: claims.rename(session, 'move:1', 'server:1'))
        assert used(db, 'h1')['memory_mb'] == 0 and used(db, 'h2')['memory_mb'] == 200
    with db.reader() as session:
        assert [row.key for row in session.scalars(select(Claim))] == ['server:1']


def test_a_host_forgotten_and_back_has_its_claims_in_its_figures(db):
    take(db, 'a', 'h1')

    def forget(session):
        session.delete(session.scalar(select(Hypervisor).where(Hypervisor.host == 'h1')))
    db.run(forget)
    add(db, 'h1')
    assert used(db, 'h1') == SMALL


def test_many_at_once_get_no_more_than_there_is(db):
    """Sixteen servers, each by place() as a resize and a new server do, two hosts with room for four each."""
    def place(n):
        def work(session):
            return hosts.place(session, CONF, SMALL, key=f'move:{n}', server_id=str(n))[0].host
        try:
            return db.run(work)
        except Refused as refused:
            return refused
    answers = at_once(16, place)
    placed = [answer for answer in answers if isinstance(answer, str)]
    assert sorted(placed) == ['h1'] * 4 + ['h2'] * 4, answers
    assert used(db, 'h1')['vcpus'] == used(db, 'h2')['vcpus'] == 4
    assert all('No valid host was found. Of 2 hosts' in str(a) for a in answers if not isinstance(a, str))


def test_coming_and_going_at_once(db):
    """Claims, moves, releases (each twice) and a repair of the books at once: the sums stay those of the claims."""
    for n in range(4):
        assert take(db, f'server:{n}', 'h1')

    def work(n):
        if n % 2:
            return db.run(lambda session: claims.release(session, f'server:{n // 4}'))
        if n == 8:
            return db.run(lambda session: list(claims._sums(session, repair=True)))
        return db.run(lambda session: claims.take(session, f'server:{n % 4}', 'h2', str(n), SMALL, CONF))
    at_once(12, work)
    used(db, 'h1'), used(db, 'h2')


def test_the_same_release_twice_at_once(db):
    take(db, 'a', 'h1')
    take(db, 'b', 'h1')
    at_once(8, lambda n: db.run(lambda session: claims.release(session, 'a')))
    assert used(db, 'h1') == SMALL
