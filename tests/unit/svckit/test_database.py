"""Transactions of several processes on one database."""
import threading

import pytest
from sqlalchemy import text

from svckit.db import Database, engine

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


@pytest.mark.parametrize('kind', ['postgresql', 'mariadb'])
def test_connections_that_ended_while_nobody_used_them_are_not_noticed(all_databases, kind, monkeypatch):
    monkeypatch.setattr(engine, 'RESTED', -1.0)
    url = all_databases.new(kind)
    database, other = Database(url), Database(url)
    for open_one in (database.reader, database.transaction):
        with open_one() as first, open_one() as second:
            first.scalar(text('SELECT 1'))
            second.scalar(text('SELECT 1'))
    with other.reader() as session:
        for (said,) in session.execute(text(ENDS[database.dialect])).all():
            if isinstance(said, str):
                session.execute(text(said))
    for open_one in (database.reader, database.transaction, database.reader, database.transaction):
        with open_one() as session:
            assert session.scalar(text('SELECT 1')) == 1
    database.dispose()
    other.dispose()
