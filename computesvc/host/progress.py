"""How far a long step is, told to the conductor, whose answer says whether anybody still waits for it."""
import logging
import time

LOG = logging.getLogger(__name__)
SECONDS = 1.0               # between two tellings, at least
LONGEST = 5.0               # between two tellings when nothing has changed: the answer matters too


class Progress:
    """`desk`: a call to the conductor; `op`: the operation, at the step that is told about."""

    def __init__(self, desk, op, clock=time.monotonic):
        self._desk, self._op, self._clock = desk, op, clock
        self._percent, self._told = None, None

    def __call__(self, percent: float) -> bool:
        """Whether to go on.  A conductor that does not answer is no reason to stop."""
        percent, now = int(percent), self._clock()
        if self._told is not None and now - self._told < (SECONDS if percent != self._percent else LONGEST):
            return True
        self._percent, self._told = percent, now
        try:
            return self._desk('progress', op_id=self._op.id, lease=self._op.lease, percent=percent)['wanted']
        except Exception as e:
            LOG.info('Operation %s is at %d percent, which the conductor could not be told: %s',
                     self._op.id, percent, e)
            return True
