"""Queries that a request makes all day, with as little between them and the driver as can be.

A statement is compiled once for each database; afterwards a query is the driver's own.  SQLAlchemy's books of
connections, executions and results would cost more than the database does.
"""


class Direct:
    """A connection for a query or two, to be used in a `with`; the connection is taken from the pool there."""

    def __init__(self, engine, compiled: dict):
        self._engine, self._compiled, self._error = engine, compiled, engine.dialect.loaded_dbapi.Error

    def __enter__(self):
        try:
            self._connection = self._engine.raw_connection()
        except self._error:
            with self._engine.connect():            # the usual way knows what an error means
                self._connection = self._engine.raw_connection()
        return self

    def __exit__(self, *error):
        self._connection.close()

    def execute(self, statement, values: dict) -> list[tuple]:
        """The rows of a SELECT that is made once for all, with a bindparam() for each of `values`, of text or numbers.

        Its columns are no fractions: what they are made of, SQLAlchemy finds in PostgreSQL's answer.
        """
        query = self._compiled.get(statement)
        if query is None:
            query = self._compiled[statement] = _Query(statement, self._engine.dialect)
        try:
            return query.run(self._connection, values)
        except self._error as error:
            return self._again(statement, values, error)
        except BaseException:
            self._connection.invalidate()       # a green thread was told to end: the answer is still to come
            raise

    def _again(self, statement, values, error):
        """The usual way: it knows what an error means, and a connection that has ended may be why."""
        self._connection.invalidate(error)
        with self._engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(statement, values)]
        self._connection = self._engine.raw_connection()
        return rows


class _Query:
    """A statement as one kind of driver takes it, and what to make of what that gives."""

    def __init__(self, statement, dialect):
        compiled = statement.compile(dialect=dialect)
        self._text, self._places, self._constants = str(compiled), compiled.positiontup, compiled.params
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None)
                      for column in statement.selected_columns]
        self._made = [(place, made) for place, made in enumerate(processors) if made]

    def run(self, connection, values):
        values = {**self._constants, **values}
        cursor = connection.cursor()
        try:
            cursor.execute(self._text, values if self._places is None else [values[name] for name in self._places])
            return [self._row(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def _row(self, row):
        row = list(row)
        for place, made in self._made:
            row[place] = made(row[place])
        return row
