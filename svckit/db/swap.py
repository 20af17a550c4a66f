"""Compare-and-swap: the only way a status changes."""
from sqlalchemy import update


def swap(session, model, id, expect: dict, values: dict) -> bool:
    """Set `values` on the row `id` if its columns still are as in `expect`.

    A list, tuple or set in `expect` means any of its members, None means NULL.
    Returns False, having changed nothing, when the row is gone or differs.
    """
    table = model.__table__
    conditions = [table.c.id == id]
    for name, wanted in expect.items():
        column = table.c[name]
        conditions.append(column.in_(wanted) if isinstance(wanted, (list, tuple, set, frozenset))
                          else column.is_(None) if wanted is None else column == wanted)
    session.flush()
    return session.execute(update(table).where(*conditions).values(**values)).rowcount == 1
