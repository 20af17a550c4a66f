"""Engines and transactions.

A transaction here is short and does no I/O besides the database's own.  What
must happen once it is durable (waking a worker) is noted in
`session.info['wakes']` and done after the commit, never before.
"""
import contextlib
import datetime
import functools
import logging
import random
import threading
import time

import sqlalchemy
from oslo_db import exception as db_exc
from oslo_db.sqlalchemy import engines
from sqlalchemy import event, exc, text
from sqlalchemy.orm import Session

from svckit.db.direct import Direct

LOG = logging.getLogger(__name__)
RETRIES = 10
IN_TRANSACTION = 1  # a bit of what MySQL's protocol says of the server (SERVER_STATUS_IN_TRANS)
RESTED = 1.0        # seconds after which an idle connection is tried before it is used


class Database:
    """One service's database: SQLite, PostgreSQL or MariaDB.

    `on_wake(targets)` is called after each commit that made work for somebody.
    """

    def __init__(self, url: str, max_pool_size=16, max_overflow=64, pool_timeout=30, synchronous='FULL'):
        self.on_wake = lambda targets: None
        sizes = {'pool_size': max_pool_size, 'max_overflow': max_overflow, 'pool_timeout': pool_timeout}
        resets = {'pool_reset_on_return': None} if _is_mysql(url) else {}       # _tune_mysql does
        self.engine = _engine(url, {**sizes, **resets})
        self.dialect = self.engine.dialect.name
        # SQLite has one writer at a time and waits for it inside a C call, which
        # under eventlet would stop the very greenlet that holds the write lock.
        self._writer = threading.Lock() if self.dialect == 'sqlite' else contextlib.nullcontext()
        self.reading = self.engine
        if self.dialect == 'sqlite':
            _tune_sqlite(self.engine, synchronous)
        else:
            # A query alone needs neither BEGIN nor ROLLBACK: two of three round trips.
            self.reading = _engine(url, {**sizes, 'isolation_level': 'AUTOCOMMIT', 'skip_autocommit_rollback': True})
        if _is_mysql(url):
            _tune_mysql(self.engine)
        self._writing = self.engine.execution_options(svckit_write=True)
        self._direct: dict = {}     # what svckit.db.direct has made of statements

    @classmethod
    def configured(cls, conf) -> 'Database':
        """The one that [database] describes.

        Its pool is small on purpose: waiting for a connection costs milliseconds, while a burst that
        opens more than the server allows fails.
        """
        options = conf.database
        return cls(options.connection, options.max_pool_size, options.max_overflow, options.pool_timeout or 30,
                   'FULL' if options.sqlite_synchronous else 'OFF')

    @contextlib.contextmanager
    def transaction(self):
        """A session that writes: commits at the end, rolls back on any error."""
        with self._writer:
            with Session(self._writing, expire_on_commit=False) as session, session.begin():
                yield session
        if wakes := session.info.get('wakes'):
            self.on_wake(wakes)

    @contextlib.contextmanager
    def reader(self):
        """A session that only reads, each query what is committed by then; it holds up no writer."""
        with Session(self.reading, expire_on_commit=False) as session:
            yield session

    def look(self):
        """A connection for a query or two: a session keeps books of objects, which costs as much as the query."""
        return self.reading.connect()

    def direct(self) -> Direct:
        """The same for what is asked most often; see there."""
        return Direct(self.reading, self._direct)

    def run(self, work):
        """`work(session)` in a transaction, repeated when the database chose it
        as a deadlock's victim; `work` must be harmless to repeat."""
        for attempt in range(RETRIES):
            try:
                with self.transaction() as session:
                    return work(session)
            except db_exc.DBDeadlock:
                if attempt == RETRIES - 1:
                    raise
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311

    def dispose(self):
        self.engine.dispose()
        self.reading.dispose()


def _engine(url, options):
    # thread_checkin: every connection given back would give the processor away too, in a request
    # as often as it reads.
    return engines.create_engine(_with_charset(url), max_retries=0, sqlite_fk=True, thread_checkin=False,
                                 _engine_target=functools.partial(_make, options=options))


def _make(url, options, **args):
    """oslo.db opens SQLite's file anew for each transaction; a pool saves a third of a millisecond each.

    And it tries each connection before each use, which is a round trip; here only one that has rested.
    """
    options = {**args, **options, 'poolclass': sqlalchemy.QueuePool, 'pool_pre_ping': False}
    if sqlalchemy.make_url(url).get_driver_name() == 'pymysql':
        options['connect_args'] = {**args.get('connect_args', {}), 'conv': _conversions()}
    engine = sqlalchemy.create_engine(url, **options)
    if engine.dialect.name == 'sqlite':
        _write_from_the_start(engine)
    else:
        _try_what_rested(engine)
    return engine, engine


def _conversions() -> dict:
    """PyMySQL's, with moments read by datetime itself: that takes a twentieth of the time, for two in each row."""
    from pymysql import converters
    from pymysql.constants import FIELD_TYPE

    def moment(text):
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            return converters.convert_datetime(text)
    return {**converters.conversions, FIELD_TYPE.DATETIME: moment, FIELD_TYPE.TIMESTAMP: moment}


def _try_what_rested(engine):
    """The server may have been started anew, or have ended what nobody used."""
    @event.listens_for(engine, 'checkin')
    def _rests(connection, record):
        record.info['rests_since'] = time.monotonic()

    @event.listens_for(engine, 'checkout')
    def _used(connection, record, proxy):
        if time.monotonic() - record.info.get('rests_since', float('inf')) > RESTED:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise exc.InvalidatePoolError from error


def _write_from_the_start(engine):
    """A writing transaction is a writer's from its beginning.

    A deferred BEGIN that turns into a writer half way fails at once when another process wrote in between, whatever
    the busy timeout.  Called before oslo.db adds its own listener, which then finds the transaction begun: of a
    connection's listeners the first is the one that was added first, `insert` or not.
    """
    @event.listens_for(engine, 'begin')
    def _begin(connection):
        if connection.get_execution_options().get('svckit_write') and 'in_transaction' not in connection.info:
            connection.execute(text('BEGIN IMMEDIATE'))
            connection.info['in_transaction'] = True


def _is_mysql(url) -> bool:
    return sqlalchemy.make_url(url).get_backend_name() in ('mysql', 'mariadb')


def _with_charset(url):
    url = sqlalchemy.make_url(url)
    if _is_mysql(url) and 'charset' not in url.query:
        return url.update_query_dict({'charset': 'utf8mb4'})    # oslo.db's default lacks four-byte characters
    return url


def _tune_sqlite(engine, synchronous):
    @event.listens_for(engine, 'connect')
    def _connect(connection, record):
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute(f'PRAGMA synchronous = {synchronous}')
        connection.execute('PRAGMA busy_timeout = 10000')


def _tune_mysql(engine):
    @event.listens_for(engine, 'reset')
    def _reset(connection, record, state):
        # The connection knows whether a transaction is open; without one a ROLLBACK is a round trip for nothing.
        if getattr(connection, 'server_status', IN_TRANSACTION) & IN_TRANSACTION:
            connection.rollback()

    @event.listens_for(engine, 'connect')
    def _connect(connection, record):
        # As PostgreSQL's default: a compare-and-swap must see what was committed
        # last, and gap locks only make deadlocks.
        with connection.cursor() as cursor:
            cursor.execute('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
