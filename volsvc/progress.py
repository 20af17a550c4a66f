"""How far a step is that moves data: its operation tells it, each tenth of the way."""
import time

from sqlalchemy import insert

from svckit import operations
from svckit.db import now
from svckit.operations import LeaseLost
from svckit.operations.models import EVENTS

SECONDS = 1.0               # between two looks at the database, at least


class Progress:
    """To be called with the per cent that are done, as often as one likes.

    LeaseLost once somebody else has the operation: whoever is at the step need not go on.
    """

    def __init__(self, db, registry, op, clock=time.monotonic):
        self._db, self._op, self._clock = db, op, clock
        self._step = registry[op.name, op.version].steps[op.position].name
        self._tenth, self._looked = 0, clock()

    def __call__(self, percent: float) -> None:
        if self._clock() - self._looked >= SECONDS:
            self._looked = self._clock()
            self._db.run(lambda session: self._tell(session, min(int(percent), 99)))

    def _tell(self, session, percent):
        found = operations.get(session, self._op.id)
        if found is None or (found.lease, found.state) != (self._op.lease, self._op.state):
            raise LeaseLost(self._op.id)
        if percent // 10 != self._tenth:
            session.execute(insert(EVENTS).values(operation_id=self._op.id, step=self._step, event='progress',
                                                  detail=f'{percent} percent', at=now()))
            self._tenth = percent // 10
