"""Fixtures that every part of the tests shares: databases of the three kinds."""
import itertools

import pytest
import sqlalchemy

from tests import databases

KINDS = ('sqlite', 'postgresql', 'mariadb')
_numbers = itertools.count()


class Databases:
    """Makes databases of a kind, starting its server when the first is asked for."""

    def __init__(self, tmp_path_factory):
        self._tmp, self._servers, self._kept, self._tables = tmp_path_factory, {}, {}, {}

    def new(self, kind: str) -> str:
        """The URL of an empty database."""
        if kind == 'sqlite':
            return f'sqlite:///{self._tmp.mktemp("db")}/test.sqlite'
        return databases.new_database(self._server(kind), f'test_{next(_numbers)}')

    def wiped(self, kind: str, name: str) -> str:
        """The URL of the database kept under `name`, its tables there from before but without rows."""
        if (kind, name) not in self._kept:
            self._kept[kind, name] = self.new(kind)
        url = self._kept[kind, name]
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            for table in self._tables_of(url, connection):
                connection.execute(table.delete())
        return url

    def _tables_of(self, url, connection):
        """Those to be emptied, in that order; looked up once, as that takes longer than the emptying."""
        if not self._tables.get(url):
            metadata = sqlalchemy.MetaData()
            metadata.reflect(connection)
            self._tables[url] = [table for table in reversed(metadata.sorted_tables) if table.name != 'alembic_version']
        return self._tables[url]

    def _server(self, kind):
        if kind not in self._servers:
            starter = getattr(databases, kind)()
            try:
                self._servers[kind] = (starter, starter.__enter__())
            except databases.Missing as e:
                pytest.skip(f'{kind}: {e}')
        return self._servers[kind][1]

    def stop(self):
        for starter, _ in self._servers.values():
            starter.__exit__(None, None, None)


@pytest.fixture(scope='session')
def all_databases(tmp_path_factory):
    made = Databases(tmp_path_factory)
    yield made
    made.stop()


@pytest.fixture(params=KINDS)
def any_database(request, all_databases):
    """The URL of an empty database; the test runs once on each kind."""
    return all_databases.new(request.param)


@pytest.fixture(scope='session')
def rabbitmq():
    """A started RabbitMQ; a test that stops it starts it again."""
    starter = databases.rabbitmq()
    try:
        broker = starter.__enter__()
    except databases.Missing as e:
        pytest.skip(str(e))
    yield broker
    starter.__exit__(None, None, None)
