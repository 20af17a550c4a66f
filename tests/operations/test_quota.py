"""Quota is exact: it never passes the limit and never leaks, on each database."""
import functools
import threading

import pytest
from sqlalchemy import Integer, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

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


class Thing(Base):
    """What counts: one for each row."""
    __tablename__ = 'things'
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    project_id: Mapped[str]


def counted(session, project_id=None):
    where = [] if project_id is None else [Thing.project_id == project_id]
    return {project: {'things': count} for project, count in session.execute(
        select(Thing.project_id, func.count()).where(*where).group_by(Thing.project_id))}


def test_what_differs_is_found_and_put_right(db):
    with db.transaction() as session:
        session.add_all([Thing(project_id='p'), Thing(project_id='p'), Thing(project_id='q'), Thing(project_id='r')])
        quota.take(session, 'p', {'things': 3, 'gone': 1}, {})
        quota.take(session, 'q', {'things': 1}, {})
    wrong = [('p', {'gone': 1, 'things': 3}, {'gone': 0, 'things': 2}), ('r', {'things': 0}, {'things': 1})]
    assert quota.differences(db, counted) == wrong
    assert quota.differences(db, counted, 'r') == wrong[1:] and quota.differences(db, counted, 'q') == []
    assert quota.differences(db, counted, 'r', repair=True) == wrong[1:]
    assert quota.differences(db, counted, repair=True) == wrong[:1]
    assert quota.differences(db, counted) == []


@pytest.mark.parametrize('kind', ['postgresql', 'mariadb'])
@pytest.mark.parametrize(('amounts', 'limits'), [({'things': 1}, {'things': 5}), ({'things': 1}, {}),
                                                 ({'others': 1, 'things': 1}, {})])
def test_the_first_two_uses_at_once(all_databases, kind, amounts, limits):
    """The row that was not there when one of them looked is there when it looks again."""
    url = all_databases.new(kind)
    db, other = Database(url), Database(url)
    Base.metadata.create_all(db.engine)
    overtaken = []

    @event.listens_for(db.engine, 'after_cursor_execute')
    def _overtake(connection, cursor, statement, *rest):
        if statement.startswith('UPDATE quota_usages') and not overtaken:
            overtaken.append(statement)
            other.run(lambda session: quota.take(session, 'p', {'things': 1}, {}))
    db.run(lambda session: quota.take(session, 'p', amounts, limits))
    with db.reader() as session:
        assert overtaken and quota.usage(session, 'p') == {**amounts, 'things': 2}
    db.dispose()
    other.dispose()


def test_what_comes_and_goes_meanwhile_is_no_difference(db):
    """Also in a project of which nothing was known when the counting began."""
    def come(project, session):
        thing = Thing(project_id=project)
        session.add(thing)
        session.flush()
        quota.take(session, project, {'things': 1}, {})
        return thing

    def go(thing, session):
        quota.give(session, thing.project_id, {'things': 1})
        session.delete(thing)

    def work(n):
        for round in range(8):
            thing = db.run(functools.partial(come, f'p{round % 4}'))
            db.run(functools.partial(go, thing))
    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads):
        assert quota.differences(db, counted, repair=True) == []
        looks += 1
    with db.reader() as session:
        assert set().union(*(amounts.values() for amounts in quota.usages(session).values())) == {0} and looks
