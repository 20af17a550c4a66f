"""What a database does for a statement: the rows that it reads."""
import contextlib
import json
import math

from sqlalchemy import event


@contextlib.contextmanager
def statements(db):
    """Gathers (text, parameters) of what is read meanwhile."""
    found = []

    def note(connection, cursor, statement, parameters, context, many):
        if statement.lstrip()[:6].upper() == 'SELECT':
            found.append((statement, parameters))
    event.listen(db.reading, 'before_cursor_execute', note)
    try:
        yield found
    finally:
        event.remove(db.reading, 'before_cursor_execute', note)


def analyze(db, tables):
    """The optimizer knows how many rows there are."""
    words = {'sqlite': 'ANALYZE {}', 'postgresql': 'ANALYZE {}', 'mysql': 'ANALYZE TABLE {}'}[db.dialect]
    with db.engine.connect() as connection:
        for table in tables:
            connection.exec_driver_sql(words.format(table))
        connection.commit()


def cost(db, statement, parameters):
    """(the most rows that are read of a table, types aside; the plan as text).

    SQLite does not say how many: infinitely many if it goes through a table or sorts, else none.
    """
    with db.engine.connect() as connection:
        return _COSTS[db.dialect](lambda before: connection.exec_driver_sql(f'{before} {statement}', parameters).all())


def _sqlite(explain):
    lines = [row[-1] for row in explain('EXPLAIN QUERY PLAN')]
    wrong = [line for line in lines if 'TEMP B-TREE' in line or line.startswith('SCAN') and ' INDEX ' not in line
             and 'volume_types' not in line]
    return math.inf if wrong else 0, '\n'.join(lines)


def _postgresql(explain):
    (plan,), = explain('EXPLAIN (ANALYZE, FORMAT JSON)')
    nodes = list(_nodes(plan[0]['Plan']))
    read = [(node['Actual Rows'] + node.get('Rows Removed by Filter', 0)) * node['Actual Loops']
            for node in nodes if 'Scan' in node['Node Type'] and node.get('Relation Name') != 'volume_types']
    return max(read), json.dumps(plan, indent=1)


def _nodes(node):
    yield node
    for inner in node.get('Plans', ()):
        yield from _nodes(inner)


def _mariadb(explain):
    (plan,), = explain('ANALYZE FORMAT=JSON')
    tables = [table for table in _tables(json.loads(plan)) if table['table_name'] != 'volume_types']
    read = [(table['r_rows'] or 0) * table['r_loops'] for table in tables]
    return max(read, default=0), plan


def _tables(part):
    if isinstance(part, dict):
        if 'table_name' in part:
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _tables(inner)


_COSTS = {'sqlite': _sqlite, 'postgresql': _postgresql, 'mysql': _mariadb}
