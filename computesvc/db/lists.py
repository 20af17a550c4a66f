"""Pages of rows: filtered, sorted, from a marker on, in one query besides the marker's own."""
import re

from sqlalchemy import Text, and_, cast, func, literal, or_, select

from computesvc import errors

either = func.coalesce


def page(session, model, where: list, page, sorts: dict) -> list:
    """The rows of `page` (svckit.web.paging); raises BadRequest for an unknown marker.

    `sorts` has the column of each sort key.  NULLs come first in ascending order, on every database.
    """
    query = select(model).where(*where)
    order = [(sorts[key], direction == 'desc') for key, direction in page.sort]
    if page.marker:
        values = session.execute(select(*[column for column, _ in order]).where(model.id == page.marker)).first()
        if values is None:
            raise errors.BadRequest(f'marker [{page.marker[:64]}] not found')
        query = query.where(_after(order, values))
    for column, descending in order:
        if column.nullable:
            present = column.is_not(None)
            query = query.order_by(present.desc() if descending else present)
        query = query.order_by(column.desc() if descending else column)
    return list(session.scalars(query.limit(page.limit).offset(page.offset or None)))


def _after(order, values):
    """Rows that come after one with these values: alike in the first columns, beyond in the next."""
    branches, alike = [], []
    for (column, descending), value in zip(order, values, strict=True):
        beyond = _beyond(column, descending, value)
        if beyond is not None:
            branches.append(and_(*alike, beyond))
        alike.append(column.is_(None) if value is None else column == value)
    return or_(*branches)


def _beyond(column, descending, value):
    if value is None:
        return None if descending else column.is_not(None)
    value = literal(value)      # SQLAlchemy compares a column with a bare True by = only
    beyond = column < value if descending else column > value
    return or_(beyond, column.is_(None)) if descending and column.nullable else beyond


def holds(column, element: str):
    """A Json column whose document has `element`: an item of a list, or `"key":value` of an object, as JSON text.

    Quotes within strings are escaped, so what follows an opening bracket or a comma is a whole element.  Compared
    by replacing it, which every database does by the letter.
    """
    text = cast(column, Text)
    found = [func.replace(text, literal(f'{before}{element}', Text), '') != text for before in '[{,']
    return or_(*found)


def matches(column, pattern: str):
    """The column matches a regular expression anywhere, as Nova's clients expect of names.

    What holds no special character needs no expression; raises BadRequest for one that is none.
    """
    if len(pattern) > 255:
        raise errors.BadRequest('A name to look for has at most 255 characters.')
    text = re.sub(r'\\(.)', r'\1', pattern.removeprefix('^').removesuffix('$'))
    if not re.search(r'[.*+?()\[\]{}|^$]', re.sub(r'\\.', '', pattern.removeprefix('^').removesuffix('$'))):
        anchored = pattern.startswith('^'), pattern.endswith('$') and not pattern.endswith('\\$')
        if all(anchored):
            return column == text
        if anchored[0]:
            return column.startswith(text, autoescape=True)
        if anchored[1]:
            return column.endswith(text, autoescape=True)
        return column.contains(text, autoescape=True)
    try:
        re.compile(pattern)
    except re.error as e:
        raise errors.BadRequest(f'{pattern[:80]!r} is not a regular expression: {e}') from None
    return column.regexp_match(pattern)
