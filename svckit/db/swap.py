"""Compare-and-swap: the only way a status changes."""
from sqlalchemy import update


def swap(session, model, id, expect: dict, values: dict) -> bool:
    """Set `values` on the row `id` if its columns still are as in `expect`.

    A list, tuple or set in `expect` means any of its members, None means NULL.
    Returns False, having changed nothing, when the row is gone or differs.
    """
    conditions = [model.id == id]
    for name, wanted in expect.items():
        column = getattr(model, name)
        conditions.append(column.in_(wanted) if isinstance(wanted, (list, tuple, set, frozenset))
                          else column.is_(None) if wanted is None else column == wanted)
    result = session.execute(update(model).where(*conditions).values(**values),
                             execution_options={'synchronize_session': False})
    return result.rowcount == 1
