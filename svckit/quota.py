"""Quotas: one conditional UPDATE in the request's own transaction.

There are no reservations, so there is nothing to leak: usage changes when, and
only when, the transaction that makes or frees the thing commits.
"""
import functools

from oslo_db import exception as db_exc
from sqlalchemy import BigInteger, Column, MetaData, String, Table, bindparam, case, delete, insert, or_, select, update

from svckit import errors
from svckit.db.base import NAMES

_METADATA = MetaData(naming_convention=NAMES)

LIMITS = Table('quota_limits', _METADATA,
               Column('project_id', String(255), primary_key=True),     # or 'class:<name>'
               Column('resource', String(255), primary_key=True),
               Column('hard_limit', BigInteger, nullable=False))        # -1: unlimited

USAGES = Table('quota_usages', _METADATA,
               Column('project_id', String(255), primary_key=True),
               Column('resource', String(255), primary_key=True),
               Column('in_use', BigInteger, nullable=False, default=0))


def tables(base) -> tuple[Table, Table]:
    """Put the quota tables into a service's metadata, for its migrations."""
    return LIMITS.to_metadata(base.metadata), USAGES.to_metadata(base.metadata)


def take(session, project_id: str, amounts: dict[str, int], limits: dict[str, int],
         titles: dict[str, str] | None = None) -> None:
    """Add `amounts` to the project's usage, or raise errors.OverQuota with the numbers: then the transaction is over.

    Rows are taken in the order of their names, those without a limit last and together, so that two requests never wait
    for each other.  `titles`: what people know a resource by, where that is not its name.
    """
    limited = sorted(name for name, amount in amounts.items() if amount > 0 and limits.get(name, -1) >= 0)
    for resource in limited:
        amount, limit = amounts[resource], limits[resource]
        if not _add(session, project_id, resource, amount, limit):
            used = usage(session, project_id).get(resource, 0)
            raise errors.OverQuota(f'Quota exceeded for {(titles or {}).get(resource, resource)}: {amount} more asked '
                                   f'for, {used} of {limit} in use.')
    _add_all(session, project_id, {name: amount for name, amount in amounts.items() if name not in limited})


def give(session, project_id: str, amounts: dict[str, int]) -> None:
    """Take `amounts` off the project's usage."""
    _add_all(session, project_id, {resource: -amount for resource, amount in amounts.items()})


_HERE = USAGES.c.project_id == bindparam('project'), USAGES.c.resource == bindparam('what')
_MORE = USAGES.c.in_use + bindparam('amount', type_=BigInteger)
_ADD = update(USAGES).where(*_HERE).values(in_use=_MORE)
_ADD_WITHIN = _ADD.where(_MORE <= bindparam('most', type_=BigInteger))


def _add(session, project_id, resource, amount, limit):
    here = {'project': project_id, 'what': resource}
    change = (_ADD if limit < 0 or amount < 0 else _ADD_WITHIN), {**here, 'amount': amount, 'most': limit}
    if session.execute(*change).rowcount:
        return True
    if session.execute(select(USAGES.c.in_use).where(*_HERE), here).first() is None:
        try:
            with session.begin_nested():
                session.execute(insert(USAGES).values(project_id=project_id, resource=resource, in_use=0))
        except db_exc.DBDuplicateEntry:
            pass
    # It may be there only now: another request has made it in the meantime.
    return bool(session.execute(*change).rowcount)


def _add_all(session, project_id, amounts):
    """As _add() of each, whatever the limits, in one statement if all have been used before."""
    changes = sorted((resource, amount) for resource, amount in amounts.items() if amount)
    if not changes:
        return
    numbered = {f'{what}{place}': value for place, change in enumerate(changes)
                for what, value in zip(('what', 'amount'), change, strict=True)}
    done = session.execute(_add_several(len(changes)), {'project': project_id, **numbered}).rowcount
    if done < len(changes):
        known = usage(session, project_id)
        new = [change for change in changes if change[0] not in known]
        if done + len(new) < len(changes):
            raise db_exc.DBDeadlock         # another request made one between the two: run() begins anew
        for resource, amount in new:
            _add(session, project_id, resource, amount, -1)


@functools.cache
def _add_several(number):
    more = case({bindparam(f'what{place}'): bindparam(f'amount{place}', type_=BigInteger) for place in range(number)},
                value=USAGES.c.resource)
    these = or_(*(USAGES.c.resource == bindparam(f'what{place}') for place in range(number)))
    return update(USAGES).where(_HERE[0], these).values(in_use=USAGES.c.in_use + more)


def usage(session, project_id: str) -> dict[str, int]:
    """resource -> amount in use."""
    return dict(session.execute(select(USAGES.c.resource, USAGES.c.in_use)
                                .where(USAGES.c.project_id == project_id)).all())


def usages(session, project_id: str | None = None) -> dict[str, dict[str, int]]:
    """project -> resource -> amount in use; of one project, or of all."""
    found: dict[str, dict[str, int]] = {}
    for project, resource, amount in session.execute(select(USAGES).where(*_of(project_id))).all():
        found.setdefault(project, {})[resource] = amount
    return found


def _of(project_id):
    return [] if project_id is None else [USAGES.c.project_id == project_id]


def differences(db, counted, project_id: str | None = None, repair: bool = False) -> list[tuple[str, dict, dict]]:
    """(project, recorded, counted) of those whose usage is not what there is, as to the resources that differ.

    `counted(session, project_id)` finds project -> resource -> amount, of all projects where that is None.  What
    changes meanwhile is never taken for a difference.  With `repair`, usage is put right.
    """
    with db.reader() as session:
        recorded, found = usages(session, project_id), counted(session, project_id)
    suspects = [project for project in sorted(recorded.keys() | found.keys())
                if _wrong(recorded.get(project, {}), found.get(project, {}))]
    looked_at = [db.run(lambda session, project=project: _difference(session, counted, project, repair))
                 for project in suspects]
    return [(project, *both) for project, both in zip(suspects, looked_at, strict=True) if both]


def _difference(session, counted, project_id, repair):
    """What is recorded of the resources that are wrong, and what is right; None if all is."""
    names = sorted(usage(session, project_id).keys() | counted(session, project_id).get(project_id, {}).keys())
    for name in names:
        _add(session, project_id, name, 0, -1)      # whoever changes it now has either done so or waits for us
    recorded, found = usage(session, project_id), counted(session, project_id).get(project_id, {})
    wrong = [name for name in names if name in _wrong(recorded, found)]
    if repair:
        for name in wrong:
            _add(session, project_id, name, found.get(name, 0) - recorded[name], -1)
    return ({name: recorded[name] for name in wrong}, {name: found.get(name, 0) for name in wrong}) if wrong else None


def _wrong(recorded, found):
    return {name for name in recorded.keys() | found.keys() if recorded.get(name, 0) != found.get(name, 0)}


def of_class(name: str) -> str:
    """What stands in a limit's `project_id` if it is a class's."""
    return f'class:{name}'


_LIMITS = select(LIMITS).where(or_(*(LIMITS.c.project_id == bindparam(who) for who in ('project', 'shared'))))


def limits(session, project_id: str, defaults: dict[str, int]) -> dict[str, int]:
    """resource -> limit: the project's own (or a class's), else the default class's, else `defaults`."""
    rows = session.execute(_LIMITS, {'project': project_id, 'shared': of_class('default')}).all()
    own = {row.resource: row.hard_limit for row in rows if row.project_id == project_id}
    shared = {row.resource: row.hard_limit for row in rows if row.project_id != project_id}
    return {**defaults, **shared, **own}


def set_limits(session, project_id: str, values: dict[str, int]) -> None:
    for resource, value in values.items():
        here = (LIMITS.c.project_id == project_id) & (LIMITS.c.resource == resource)
        session.execute(delete(LIMITS).where(here))
        session.execute(insert(LIMITS).values(project_id=project_id, resource=resource, hard_limit=value))


def clear_limits(session, project_id: str) -> None:
    """Back to the defaults."""
    session.execute(delete(LIMITS).where(LIMITS.c.project_id == project_id))
