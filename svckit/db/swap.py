"""Compare-and-swap: the only way a status changes."""
import functools

from sqlalchemy import bindparam, update


def swap(session, model, id, expect: dict, values: dict) -> bool:
    """Set `values` on the row `id` if its columns still are as in `expect`.

    A list, tuple or set in `expect` means any of its members, None means NULL.
    Returns False, having changed nothing, when the row is gone or differs.
    """
    session.flush()
    statement = _statement(model.__table__, tuple((name, _kind(wanted)) for name, wanted in expect.items()),
                           tuple(values))
    return session.execute(statement, {
        'this': id, **{f'was_{name}': list(wanted) if _kind(wanted) is list else wanted
                       for name, wanted in expect.items() if wanted is not None},
        **{f'new_{name}': value for name, value in values.items()}}).rowcount == 1


def _kind(wanted):
    return None if wanted is None else list if isinstance(wanted, (list, tuple, set, frozenset)) else object


# Made once for each: SQLAlchemy takes as long to put one together as a database to run it.
@functools.cache
def _statement(table, expect, names):
    conditions = [table.c.id == bindparam('this')]
    for name, kind in expect:
        column, was = table.c[name], f'was_{name}'
        conditions.append(column.is_(None) if kind is None
                          else column.in_(bindparam(was, expanding=True)) if kind is list
                          else column == bindparam(was))
    return update(table).where(*conditions).values(
        {name: bindparam(f'new_{name}', type_=table.c[name].type) for name in names})
