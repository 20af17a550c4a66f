"""What filters of lists mean as conditions on columns; each is a function (session, wanted) -> condition."""
import sqlalchemy
from sqlalchemy import and_, cast, type_coerce


def equal(column):
    """The very value, or one of a list."""
    return lambda session, wanted: column.in_(wanted) if isinstance(wanted, list) else column == wanted


def like(column):
    """A part of the text."""
    def condition(session, wanted):
        escaped = wanted.replace('\\', r'\\').replace('%', r'\%').replace('_', r'\_')
        return column.like(f'%{escaped}%', escape='\\')
    return condition


def moment(column):
    """`wanted` is [(operator, datetime)]."""
    compare = {'gt': column.__gt__, 'gte': column.__ge__, 'lt': column.__lt__, 'lte': column.__le__,
               'eq': column.__eq__, 'neq': column.__ne__}
    return lambda session, wanted: and_(*(compare[operator](when) for operator, when in wanted))


def pairs(column):
    """`wanted` is a dictionary; the metadata in `column` have all of it."""
    def condition(session, wanted):
        json = sqlalchemy.JSON
        document = cast(column, json) if session.bind.dialect.name == 'postgresql' else type_coerce(column, json)
        return and_(*(document[key].as_string() == value for key, value in wanted.items()))
    return condition
