"""Reading operations: for the API, the manage commands and the metrics."""
from sqlalchemy import func, select

from svckit.operations.definition import LIVE, Op
from svckit.operations.models import EVENTS, OPERATIONS

_FIELDS = [OPERATIONS.c[name] for name in Op.__dataclass_fields__]


def _ops(session, *where, order=(), limit=None, for_update=False) -> list[Op]:
    query = select(*_FIELDS).where(*where).order_by(*order).limit(limit)
    rows = session.execute(query.with_for_update() if for_update else query)
    return [Op(**row._mapping) for row in rows]


def get(session, id: str, for_update=False) -> Op | None:
    return next(iter(_ops(session, OPERATIONS.c.id == id, for_update=for_update)), None)


def live(session, subject: str, for_update=False) -> Op | None:
    """The one live operation of a subject; `for_update`: it stays as it is until the transaction ends."""
    return next(iter(_ops(session, OPERATIONS.c.subject == subject, for_update=for_update)), None)


def of_resource(session, resource: str, limit=100) -> list[Op]:
    """Operations on a resource such as 'volume:<id>', newest first."""
    return _ops(session, OPERATIONS.c.resource == resource,
                order=(OPERATIONS.c.created_at.desc(), OPERATIONS.c.id), limit=limit)


def find(session, state=None, project_id=None, limit=100) -> list[Op]:
    """Operations newest first; `state` one state, or 'live'."""
    where = []
    if state:
        where.append(OPERATIONS.c.state.in_(LIVE) if state == 'live' else OPERATIONS.c.state == state)
    if project_id:
        where.append(OPERATIONS.c.project_id == project_id)
    return _ops(session, *where, order=(OPERATIONS.c.created_at.desc(), OPERATIONS.c.id), limit=limit)


def children(session, *parent_ids: str) -> list[Op]:
    """Child operations of these, oldest first."""
    return _ops(session, OPERATIONS.c.parent_id.in_(parent_ids), order=(OPERATIONS.c.created_at, OPERATIONS.c.id))


def events(session, *op_ids: str) -> list:
    """Events of these operations, in the order they happened:
    rows with operation_id, step, event, detail, at (seconds since the epoch)."""
    return session.execute(select(EVENTS).where(EVENTS.c.operation_id.in_(op_ids)).order_by(EVENTS.c.id)).all()


def counts(session) -> dict[tuple[str, str], int]:
    """(name, state) -> how many operations."""
    rows = session.execute(select(OPERATIONS.c.name, OPERATIONS.c.state, func.count())
                           .group_by(OPERATIONS.c.name, OPERATIONS.c.state))
    return {(name, state): count for name, state, count in rows}


def describe(registry, op: Op, events=(), children=()) -> dict:
    """What a person may see of an operation; never its params or notes, which can hold secrets.

    `outcome` is what a step noted for people under that name.  A step's `seconds` is from the end of the one before
    it (or the start of the operation) to its own end: waiting for its worker included, as its user felt it.
    """
    definition = registry.get((op.name, op.version))
    names = [step.name for step in definition.steps] if definition else []
    by_step: dict[str, list] = {}
    for row in events:
        if row.operation_id == op.id and row.step:
            by_step.setdefault(row.step, []).append(row)
    steps, before = [], op.created_at
    for position, name in enumerate(names):
        rows = by_step.get(name, [])
        ended = next((row.at for row in reversed(rows) if row.event in ('done', 'undone')), None)
        steps.append({
            'name': name,
            'target': _target(definition.steps[position], op),
            'state': _step_state(op, position, rows),
            'attempts': sum(1 for row in rows if row.event in ('done', 'failed', 'refused')),
            'seconds': round(ended - before, 6) if ended else None,
            'finished_at': ended,
            **_progress(rows),
        })
        before = ended or before
    return {
        'id': op.id, 'name': op.name, 'version': op.version, 'state': op.state, 'resource': op.resource,
        'error': op.error, 'outcome': op.notes.get('outcome'), 'project_id': op.project_id,
        'request_id': op.request_id, 'parent_id': op.parent_id,
        'created_at': op.created_at, 'finished_at': op.ended_at, 'steps': steps,
        'children': [describe(registry, child, events) for child in children if child.parent_id == op.id],
    }


def _target(step, op):
    try:
        return step.target(op)
    except (KeyError, TypeError):       # named by a note that an earlier step has yet to make
        return None


def _progress(rows):
    """How far the step was when it last said so, of one that says so."""
    said = [row.detail for row in rows if row.event == 'progress']
    return {'progress': said[-1]} if said else {}


def _step_state(op, position, rows):
    last = rows[-1].event if rows else None
    if last == 'undone':
        return 'undone'
    if op.state in LIVE and position == op.position:
        return op.state
    if any(row.event == 'done' for row in rows):
        return 'done'
    return 'failed' if last else 'pending' if position >= op.position else 'skipped'
