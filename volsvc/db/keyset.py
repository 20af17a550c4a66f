"""Pages of a table by keyset: what a page costs does not grow with its place in the list.

What is missing comes before all that is there, on every database.  The conditions and the order are put as each
database finds their place in an index by, which tests/api/volsvc/test_flat_lists.py looks at.
"""
import datetime

from sqlalchemy import and_, func, literal, or_, select, true, tuple_


def rows(session, model, page, project_id: str | None, where: list, missing, names: dict | None = None,
         same=(), seen=None) -> list:
    """One page of a project's rows (None: of all) that are as `where` says; its marker may be any of the project's.

    `missing(marker)` is the error to raise for one that is not.  `names`: columns that sort keys have another name
    for.  `same`: [(column, value)] that rows are to have besides, and an index has after the project.  `seen`: what
    to select instead of the model's objects.  At most four queries: the marker's; then rows alike in the first sort
    key, those beyond, those where it is missing.
    """
    dialect = session.bind.dialect.name.replace('mariadb', 'mysql')
    table = model.__table__.c
    keys = [(table[(names or {}).get(key, key)], direction) for key, direction in page.sort]
    columns, ups = _known([column for column, _ in keys]), [direction == 'asc' for _, direction in keys]
    within = [] if project_id is None else [(table.project_id, project_id)]
    same, order, parts = [*within, *same], _order(columns, ups, dialect), [true()]
    if page.marker:
        values = session.execute(select(*columns).where(
            table.id == page.marker, *(column == value for column, value in within))).first()
        if values is None:
            raise missing(page.marker)
        parts = _behind(columns, ups, values, dialect)
        if dialect == 'mysql':
            order = [*_order([column for column, _ in same], [ups[0]] * len(same), dialect), *order]
        same = [_is(column, value, dialect) for column, value in same]
    else:
        same = [column == value for column, value in same]
    if page.offset:
        parts = [or_(*parts)]
    query = (select(model) if seen is None else seen).where(*same, *where).order_by(*order).offset(page.offset or None)
    found: list = []
    for part in parts:
        if len(found) < page.limit:
            part = session.execute(query.where(part).limit(page.limit - len(found)))
            found += part.unique().scalars() if seen is None else part.all()
    return found


def indexed(page, filters: dict, columns: dict) -> tuple[list, dict]:
    """(`same` as rows() takes it, the other filters): the first of `columns` that is filtered by.

    Only in the usual order: for any other there is no index that has both.
    """
    name = next((name for name in columns if name in filters), None)
    if name is None or page.sort[0][0] != 'created_at':
        return [], filters
    return [(columns[name], filters[name])], {other: filters[other] for other in filters if other != name}


def _known(columns) -> list:
    """The first as it is; others, where they may be missing, in an order that databases have alike and no index."""
    empty = {datetime.datetime: datetime.datetime(1, 1, 1)}
    return [func.coalesce(column, empty.get(column.type.python_type, '')) if place and column.expression.nullable
            else column for place, column in enumerate(columns)]


def _order(columns, ups, dialect) -> list:
    order = [column.asc() if up else column.desc() for column, up in zip(columns, ups, strict=True)]
    if dialect == 'postgresql' and columns[0].expression.nullable:      # the others have it so by themselves
        order[0] = order[0].nulls_first() if ups[0] else order[0].nulls_last()
    return order


def _is(column, value, dialect):
    """MariaDB, told that a column equals a value, goes through all such rows from their first to the marker.

    Told of several values, of which one is none, it goes to the marker at once; if the order names the column.
    """
    return column.in_([value, None]) if dialect == 'mysql' else column == value


def _behind(columns, ups, values, dialect) -> list:
    """Conditions on the rows behind one with these values: which come first, and which after them."""
    first, up, value = columns[0], ups[0], values[0]
    alike = _further(columns[1:], ups[1:], values[1:], dialect) if columns[1:] else true()
    if value is None:
        return [and_(first.is_(None), alike)] + ([first.is_not(None)] if up else [])
    missing = [first.is_(None)] if first.expression.nullable and not up else []
    if columns[1:] and first.type.python_type is not datetime.datetime:
        # Many share it.  PostgreSQL takes those behind a common value for few.
        return [and_(_is(first, value, dialect), alike), _beyond(first, up, value), *missing]
    return [_further(columns, ups, values, dialect), *missing]


def _further(columns, ups, values, dialect):
    """The first value is further, or it is the same and the second is further, …

    SQLite and PostgreSQL find the place by comparing both at once, MariaDB by comparing one after the other.
    """
    if len(set(ups)) == 1 and dialect != 'mysql':
        return _beyond(tuple_(*columns), ups[0],
                       tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True))))
    steps = []
    for place, (column, up) in enumerate(zip(columns, ups, strict=True)):
        same = [one == value for one, value in zip(columns[:place], values[:place], strict=True)]
        steps.append(and_(*same, _beyond(column, up, values[place])))
    return or_(*steps)


def _beyond(column, up: bool, value):
    if isinstance(value, bool):
        value = literal(value)      # else SQLAlchemy compares a column with it by = only
    return column > value if up else column < value
