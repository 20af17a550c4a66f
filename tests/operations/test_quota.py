"""Quota is exact: it never passes the limit and never leaks, on each database."""
import threading

import pytest

from svckit import errors, quota
from svckit.db import Database, make_base

Base = make_base()
quota.tables(Base)


@pytest.fixture
def db(any_database):
    made = Database(any_database)
    Base.metadata.create_all(made.engine)
    yield made
    made.dispose()


def test_taking_and_giving(db):
    with db.transaction() as session:
        quota.take(session, 'p', {'volumes': 1, 'gigabytes': 10}, {'volumes': 2, 'gigabytes': 10})
    with pytest.raises(errors.OverQuota, match='gigabytes: 1 more asked for, 10 of 10 in use'), \
            db.transaction() as session:
        quota.take(session, 'p', {'gigabytes': 1, 'volumes': 1}, {'volumes': 2, 'gigabytes': 10})
    with db.transaction() as session:
        assert quota.usage(session, 'p') == {'volumes': 1, 'gigabytes': 10}
        quota.give(session, 'p', {'gigabytes': 10})
        quota.take(session, 'p', {'gigabytes': 5}, {})
        assert quota.usage(session, 'p') == {'volumes': 1, 'gigabytes': 5}
        assert quota.usages(session) == {'p': {'volumes': 1, 'gigabytes': 5}}


def test_limits_of_the_project_come_before_the_classs_and_the_defaults(db):
    with db.transaction() as session:
        quota.set_limits(session, 'class:default', {'volumes': 5, 'gigabytes': 50})
        quota.set_limits(session, 'p', {'volumes': 7})
        assert quota.limits(session, 'p', {'volumes': 1, 'gigabytes': 1, 'snapshots': 1}) == {
            'volumes': 7, 'gigabytes': 50, 'snapshots': 1}
        quota.clear_limits(session, 'p')
        assert quota.limits(session, 'p', {'volumes': 1})['volumes'] == 5


def test_many_at_the_limit_never_pass_it(db):
    won, lost = [], []

    def ask(n):
        for _ in range(10):
            try:
                db.run(lambda session: quota.take(session, 'p', {'volumes': 1, 'gigabytes': n}, {'volumes': 30}))
                won.append(n)
            except errors.OverQuota:
                lost.append(n)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (30, 50)
    with db.reader() as session:
        assert quota.usage(session, 'p') == {'volumes': 30, 'gigabytes': sum(won)}
