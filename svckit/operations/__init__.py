"""The operations engine: long work that survives a kill at any point.

An operation is a named, versioned list of steps kept in the service's own
database; one file holds one operation.  The contract:

1.  Starting an operation is an INSERT in the request's own transaction.
2.  A message carries no payload: it says "look".  The worker also polls.
3.  A step runs at least once, and never again once its successor has started.
    So every step looks, acts, looks.
4.  A step ends by returning (its notes are saved), by `NotYet(reason, seconds)`,
    by `Refused(reason)` (nothing changed, never will), or by any other error
    (retried with back-off, then given up).
5.  Above `NO_RETURN` giving up undoes the steps in reverse, then calls
    `withdraw()`.  Below it the operation is *stuck*: visible, counted, resumable.
6.  An undo is right even if its step never ran or half ran.  It may find that
    the effect is there after all and `GoForward`.
7.  One live operation per subject: a UNIQUE column, NULL at the end.  A second
    wish is refused (409) or folded into the first.
8.  A claim is a lease with a number.  Every checkpoint names the number; a worker
    that lost its lease cannot write.  A long step renews its lease while it runs.
    All times come from the database's clock.
9.  A step names its target (`worker:<backend>`, `conductor`, `agent:<host>`); an
    operation moves between targets.  An agent claims and checkpoints through the
    conductor's desk.
10. An atomic step commits in the same transaction as its checkpoint, and as that
    of the step before it where one worker runs both.  Starting child operations
    is such a step: that is the outbox.
11. Step lists are versioned.  A changed list is a new version; the old one stays
    (in the module's `OLD`) until it is drained.
12. Two tables: `operations` and the append-only `operation_events`.

Reading order: definition, store, runner, worker, remote, testing.
"""
from svckit.operations.definition import (
    NO_RETURN,
    GoForward,
    LeaseLost,
    NotYet,
    Op,
    Operation,
    Refused,
    Step,
    discover,
)
from svckit.operations.models import tables
from svckit.operations.queries import (
    children,
    counts,
    describe,
    events,
    get,
    live,
    of_resource,
)
from svckit.operations.remote import Desk, LocalDesk, RemoteStore
from svckit.operations.runner import speak_for
from svckit.operations.store import Store, abandon, cancel, fold, of_step, prune, retry, start, succeed
from svckit.operations.worker import Worker

__all__ = ['NO_RETURN', 'Desk', 'GoForward', 'LeaseLost', 'LocalDesk', 'NotYet', 'Op', 'Operation', 'Refused',
           'RemoteStore', 'Step', 'Store', 'Worker', 'abandon', 'cancel', 'children', 'counts', 'describe',
           'discover', 'events', 'fold', 'get', 'live', 'of_resource', 'of_step', 'prune', 'retry', 'speak_for',
           'start', 'succeed', 'tables']
