"""What waits for a host that does not answer.

A host that fell silent before it could be asked whether it takes a server is passed
over.  Anything later waits for it to come back: nobody knows what it has done.  Unless
an operator knows, and says that it is down for good (its service is forced down): then
what it has yet to do is given up, and what it has to undo is left to its own sweep,
should it ever be back.
"""
import logging

from sqlalchemy import select

from computesvc.db import services
from svckit import operations
from svckit.operations import Refused
from svckit.operations.models import OPERATIONS

LOG = logging.getLogger(__name__)
CHECKS = 'check_'       # how the names of the steps begin that ask a host whether it takes a server
PLACING = ('boot-server', 'resize-server', 'revert-resize', 'unshelve-server')


def settle(service) -> int:
    """Operations that wait for silent or dead hosts go on, as far as that is right; returns how many did."""
    limit = service.conf.service.down_time
    with service.db.reader() as session:
        silent = {f'agent:{row.host}': row for row, age in services.find(session, binary=services.AGENT)
                  if not services.up(row, age, limit)}
        waiting = [operations.get(session, id) for id in session.scalars(
            select(OPERATIONS.c.id).where(OPERATIONS.c.target.in_(silent), OPERATIONS.c.name.in_(PLACING)))]
    gone = 0
    for op in waiting:
        outcome = _outcome(service.registry[op.name, op.version], op, dead=silent[op.target].forced_down)
        if outcome is not None and operations.speak_for(service.store, op, outcome):
            LOG.warning('Operation %s %s no longer waits for %s: %s', op.name, op.id, op.target, outcome)
            gone += 1
    return gone


def _outcome(definition, op, dead: bool):
    """How its step ended, as far as anybody will ever know; None if it has to wait."""
    step = definition.steps[op.position]
    if op.state == 'running' and step.name.startswith(CHECKS):
        return {'refused': 'A chosen host does not answer.', 'connector': None}
    if dead and op.state == 'undoing':
        return {}
    if dead and op.state == 'running' and op.position < definition.no_return:
        return Refused('The host was given up for dead.')
    return None
