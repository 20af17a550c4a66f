"""Pages of a table by keyset: what a page costs does not grow with its place in the list."""
import datetime

import sqlalchemy
from sqlalchemy import and_, cast, func, or_, select

from volsvc import errors


def rows(session, model, page, where: list, within: list, names: dict | None = None, options=()) -> list:
    """One page of the rows that are as `where` says; its marker may be any that is as `within` says.

    `names`: columns that sort keys have another name for.
    """
    keys = [(getattr(model, (names or {}).get(key, key)), direction) for key, direction in page.sort]
    if page.marker:
        where = [*where, _after(keys, _marker(session, model, page.marker, keys, within))]
    order = [_known(column).asc() if direction == 'asc' else _known(column).desc() for column, direction in keys]
    query = select(model).where(*where).order_by(*order).limit(page.limit).offset(page.offset or None)
    return list(session.execute(query.options(*options)).unique().scalars())


def _known(column):
    """Moments and texts that may be missing, and truths, in an order that every database has alike."""
    kind = column.type.python_type
    if kind is bool:
        return cast(column, sqlalchemy.Integer)
    if not column.expression.nullable:
        return column
    return func.coalesce(column, datetime.datetime(1, 1, 1) if kind is datetime.datetime else '')


def _marker(session, model, id, keys, within):
    columns = [_known(column) for column, _ in keys]
    found = session.execute(select(*columns).where(model.id == id, *within)).first()
    if found is None:
        raise errors.BadRequest(f'The marker {id[:40]!r} is no {model.__name__.lower()} of this list.')
    return found


def _after(keys, values):
    """Rows behind the marker: the first key is further, or it is equal and the second is further, …"""
    steps = []
    for place, (column, direction) in enumerate(keys):
        same = [_known(c) == v for (c, _), v in zip(keys[:place], values, strict=False)]
        further = _known(column) > values[place] if direction == 'asc' else _known(column) < values[place]
        steps.append(and_(*same, further))
    column, direction = keys[0]
    # Said again for the first key alone, because an index can use that.
    bound = _known(column) >= values[0] if direction == 'asc' else _known(column) <= values[0]
    return and_(bound, or_(*steps))
