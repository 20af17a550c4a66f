"""Transactions of several processes on one database."""
import datetime
import threading

import pytest
import sqlalchemy
from greenlet import GreenletExit
from sqlalchemy import text

from svckit.db import Database, Json, direct, engine

# Ends every connection but the one that asks.
ENDS = {'postgresql': 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                      'WHERE datname = current_database() AND pid <> pg_backend_pid()',
        'mysql': "SELECT concat('KILL ', id) FROM information_schema.processlist "
                 'WHERE db = database() AND id <> connection_id()'}


def test_who_reads_before_writing_is_not_overtaken(tmp_path):
    """SQLite refuses a writer that has read what another process has changed since; so the other one waits."""
    one, other = (Database(f'sqlite:///{tmp_path}/shared.sqlite') for _ in range(2))
    with one.transaction() as session:
        session.execute(text('CREATE TABLE counter (value INTEGER)'))
        session.execute(text('INSERT INTO counter VALUES (0)'))
    overtaker = threading.Thread(target=count, args=(other,))
    with one.transaction() as session:
        value = session.scalar(text('SELECT value FROM counter'))
        overtaker.start()
        overtaker.join(0.3)
        session.execute(text('UPDATE counter SET value = :value'), {'value': value + 1})
    overtaker.join()
    with one.reader() as session:
        assert session.scalar(text('SELECT value FROM counter')) == 2


def count(database):
    with database.transaction() as session:
        value = session.scalar(text('SELECT value FROM counter'))
        session.execute(text('UPDATE counter SET value = :value'), {'value': value + 1})


def end_connections(database):
    """All but the one that this takes."""
    with database.reader() as session:
        for (said,) in session.execute(text(ENDS[database.dialect])).all():
            if isinstance(said, str):
                session.execute(text(said))


@pytest.mark.parametrize('kind', ['postgresql', 'mariadb'])
def test_connections_that_ended_while_nobody_used_them_are_not_noticed(all_databases, kind, monkeypatch):
    monkeypatch.setattr(engine, 'RESTED', -1.0)
    url = all_databases.new(kind)
    database, other = Database(url), Database(url)
    for open_one in (database.reader, database.transaction):
        with open_one() as first, open_one() as second:
            first.scalar(text('SELECT 1'))
            second.scalar(text('SELECT 1'))
    end_connections(other)
    for open_one in (database.reader, database.transaction, database.reader, database.transaction):
        with open_one() as session:
            assert session.scalar(text('SELECT 1')) == 1
    database.dispose()
    other.dispose()


THING = sqlalchemy.Table('thing', sqlalchemy.MetaData(), sqlalchemy.Column('name', sqlalchemy.String(20)),
                         sqlalchemy.Column('is_it', sqlalchemy.Boolean), sqlalchemy.Column('made', sqlalchemy.DateTime),
                         sqlalchemy.Column('about', Json))
NAMED = sqlalchemy.select(THING).where(THING.c.name == sqlalchemy.bindparam('this'), THING.c.is_it).limit(5)


@pytest.fixture(params=['sqlite', 'postgresql', 'mariadb'])
def database(request, all_databases):
    database = Database(all_databases.new(request.param))
    with database.transaction() as session:
        THING.create(session.connection())
        session.execute(THING.insert(), {'name': '%s', 'is_it': True, 'made': WHEN, 'about': {'a': 1}})
    yield database
    database.dispose()


WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5)


def test_direct_gives_the_values_that_a_session_gives(database):
    with database.direct() as connection, database.reader() as session:
        for name, rows in ('%s', [('%s', True, WHEN, {'a': 1})]), ("' OR 1=1 --", []):
            assert [tuple(row) for row in connection.execute(NAMED, {'this': name})] == rows
            assert [tuple(row) for row in session.execute(NAMED, {'this': name})] == rows


def test_direct_asks_anew_on_a_connection_that_has_ended(database):
    if database.dialect == 'sqlite':
        pytest.skip('SQLite has no connections that others could end.')
    other = Database(database.engine.url)
    with database.direct() as connection:
        connection.execute(NAMED, {'this': '%s'})
        end_connections(other)
        assert len(connection.execute(NAMED, {'this': '%s'})) == 1
        assert len(connection.execute(NAMED, {'this': '%s'})) == 1
    other.dispose()


def test_direct_gives_no_connection_back_that_waits_for_an_answer(database, monkeypatch):
    with database.direct() as connection:
        connection.execute(NAMED, {'this': '%s'})
        monkeypatch.setattr(direct._Query, 'run', lambda *args: killed())
        with pytest.raises(GreenletExit):
            connection.execute(NAMED, {'this': '%s'})
        assert connection._connection.dbapi_connection is None


def killed():
    raise GreenletExit


def test_direct_says_what_is_wrong_as_everything_else_does(database):
    with database.transaction() as session:
        THING.drop(session.connection())
    assert said(database.direct) == said(database.look)
    assert database.reading.pool.checkedout() == 0


def test_direct_says_that_there_is_no_database(database, monkeypatch):
    def refuse(*args, **kwargs):
        raise database.reading.dialect.loaded_dbapi.OperationalError('no such server')
    database.dispose()
    monkeypatch.setattr(database.reading.dialect, 'connect', refuse)
    assert said(database.direct) == said(database.look)


def said(look):
    with pytest.raises(Exception, match='thing|no such server') as error, look() as connection:
        connection.execute(NAMED, {'this': '%s'})
    return type(error.value), str(error.value)


@pytest.mark.parametrize('kind', ['postgresql', 'mariadb'])
def test_what_was_begun_on_a_connection_and_left_is_undone(all_databases, kind):
    """A connection that goes back to the pool in the middle of a transaction keeps no lock and leaves nothing."""
    database = Database(all_databases.new(kind), max_pool_size=1, max_overflow=0)
    with database.transaction() as session:
        session.execute(text('CREATE TABLE left_over (n INTEGER)'))
    left = database.engine.raw_connection()
    cursor = left.cursor()
    cursor.execute('INSERT INTO left_over VALUES (1)')
    cursor.close()
    left.close()
    with database.transaction() as session:         # on the same connection: the pool has one
        session.execute(text('INSERT INTO left_over VALUES (2)'))
    with database.reader() as session:
        assert session.execute(text('SELECT n FROM left_over')).scalars().all() == [2]
    database.dispose()


def test_a_transaction_that_ended_is_not_ended_again(all_databases):
    """Each statement is a round trip; MariaDB's driver would make one for a ROLLBACK where nothing is to be undone."""
    database = Database(all_databases.new('mariadb'), max_pool_size=1, max_overflow=0)

    def rollbacks():
        with database.transaction() as session:
            return int(session.execute(text("SHOW SESSION STATUS LIKE 'Com_rollback'")).one()[1])
    before = rollbacks()
    assert [rollbacks() for _ in range(3)] == [before] * 3
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        session.execute(text('SELECT 1'))
        raise ZeroDivisionError
    assert rollbacks() == before + 1
    database.dispose()
