"""Transactions of several processes on one database."""
import threading

from sqlalchemy import text

from svckit.db import Database


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
