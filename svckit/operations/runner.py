"""Run one claimed operation: step, outcome, checkpoint.

What follows from an outcome is decided by `decide()` and the functions under it,
which are pure: no database, no clock, no body is run there.
"""
import dataclasses
import logging
import traceback

from svckit.operations.definition import (
    DONE,
    RUNNING,
    STUCK,
    UNDOING,
    UNDONE,
    GoForward,
    LeaseLost,
    NotYet,
    Op,
    Operation,
    Refused,
)
from svckit.operations.store import Context, Transition

LOG = logging.getLogger(__name__)
UNFORESEEN = ('builtins', 'oslo_db', 'sqlalchemy')        # where errors come from that nobody made a sentence of


# ------------------------------------------------------------------ pure decisions

def decide(definition: Operation, op: Op, outcome) -> Transition:
    """`outcome` is the notes that the step (or its undo) returned, or the exception it raised."""
    if op.state == UNDOING:
        return _after_undo(definition, op, outcome)
    step = definition.steps[op.position]
    if isinstance(outcome, NotYet):
        return _wait(op, step, outcome)
    if isinstance(outcome, Refused):
        return _give_up(definition, op, step, 'refused', outcome, refused=True)
    if isinstance(outcome, Exception):
        if step.forever or op.attempts + 1 < step.attempts:
            return _again(op, step, outcome)
        return _give_up(definition, op, step, 'failed', outcome, refused=False)
    return _forward(definition, dataclasses.replace(op, notes={**op.notes, **(outcome or {})}),
                    ((step.name, 'done', None),))


def _forward(definition, op, events):
    position = op.position + 1
    if position == len(definition.steps):
        return Transition(DONE, op.position, events + ((None, DONE, None),), notes=op.notes)
    return Transition(RUNNING, position, events, target=definition.steps[position].target(op), notes=op.notes)


def _wait(op, step, outcome):
    # Said once, not each time it looks: a wait can last for days.
    said = () if op.error == str(outcome) else ((step.name, 'waits', str(outcome)),)
    return Transition(op.state, op.position, said, attempts=op.attempts, target=op.target,
                      due_in=outcome.seconds, error=str(outcome), refused=op.refused)


def _again(op, step, error):
    attempts = op.attempts + 1
    return Transition(op.state, op.position, ((step.name, 'failed', _reason(error)),), attempts=attempts,
                      target=op.target, due_in=step.pause(attempts), error=_sentence(error), refused=op.refused)


def _give_up(definition, op, step, event, error, refused):
    events, reason = ((step.name, event, _reason(error)),), _sentence(error)
    if op.position >= definition.no_return:
        return _stick(op, events, reason, refused)
    return _undo_from(definition, op, op.position, events, reason, refused)


def _stick(op, events, reason, refused):
    return Transition(STUCK, op.position, events + ((None, STUCK, reason),), error=reason, refused=refused,
                      resume=op.state)


def _undo_from(definition, op, position, events, reason, refused):
    """Go to the next step upwards that has an undo; with none left the operation has never been."""
    while position >= 0 and definition.steps[position].undo is None:
        position -= 1
    if position < 0:
        return Transition(UNDONE, 0, events + ((None, UNDONE, reason),), error=reason, refused=refused)
    step = definition.steps[position]
    return Transition(UNDOING, position, events, target=step.target(op), error=reason, refused=refused)


def _after_undo(definition, op, outcome):
    step = definition.steps[op.position]
    if isinstance(outcome, NotYet):
        # The reason for undoing must outlive the wait: withdraw() tells it to the user.
        return dataclasses.replace(_wait(op, step, outcome), error=op.error)
    if isinstance(outcome, GoForward):
        return _forward(definition, op, ((step.name, 'done', f'not undone: {outcome}'),))
    if isinstance(outcome, Exception):
        if op.attempts + 1 < step.attempts:
            return dataclasses.replace(_again(op, step, outcome), error=op.error)
        why = f'{op.error}; and undoing {step.name} failed: {_sentence(outcome)}'
        return _stick(op, ((step.name, 'undo-failed', _reason(outcome)),), why, op.refused)
    return _undo_from(definition, op, op.position - 1, ((step.name, UNDONE, None),), op.error, op.refused)


def _reason(error: Exception) -> str:
    """For operators: they see events, and the log."""
    return str(error) if _is_for_people(error) else f'{type(error).__name__}: {error}'


def _sentence(error: Exception) -> str:
    """For the owner of what the operation works on, too: no paths, no secrets."""
    return str(error) if _is_for_people(error) else f'An unforeseen error ({type(error).__name__}).'


def _is_for_people(error) -> bool:
    """Our own errors are sentences; others mean little without their type, and name files, or statements of SQL."""
    return bool(str(error)) and type(error).__module__.split('.')[0] not in UNFORESEEN


def speak_for(store, op: Op, outcome) -> bool:
    """The step of `op` ended with `outcome`, says one who knows that its worker will not; False if that has it now."""
    return store.overtake(op, decide(store.registry[op.name, op.version], op, outcome))


# ------------------------------------------------------------------ running

class Runner:
    """Runs operations against a store (of the database, or of a conductor's desk)."""

    def __init__(self, store, registry: dict, tools, targets, lease: float, observe=None):
        self.store, self.registry, self.tools, self.lease = store, registry, tools, lease
        self.targets = frozenset(targets)
        self.observe = observe or (lambda op, step, outcome: None)
        self.stopping = False
        self.delayed = False            # something was put off since this was last reset: there is a new next time

    def run(self, op: Op) -> None:
        """Take a claimed operation as far as this worker can.

        An error here is the engine's or the database's: the lease then runs out,
        and the step is repeated by whoever claims it next.
        """
        while op is not None:
            try:
                op = self._advance(op)
            except LeaseLost:
                LOG.warning('Operation %s %s: the lease was lost, another worker has it', op.name, op.id)
                return

    def _advance(self, op):
        definition = self.registry.get((op.name, op.version))
        if definition is None:
            reason = f'This worker knows no operation {op.name} version {op.version}; upgrade it.'
            self._checkpoint(op, _wait(op, _Unknown(op.name), NotYet(reason, 30)))
            return None
        step = definition.steps[op.position]
        if step.atomic:
            return self._atomic(definition, op, step)
        outcome = self._outcome(lambda: self.call(step, op, Context(self.tools)), op, step)
        to = self._keep(decide(definition, op, outcome))
        if to.keep and to.state == RUNNING and definition.steps[to.position].atomic:
            return self._with_next(definition, op, to)
        return self._checkpoint(op, to)

    def _with_next(self, definition, op, to):
        """The checkpoint and the atomic step after it: one transaction, or one each if that step does not end well."""
        there = dataclasses.replace(op, position=to.position, attempts=0, error=None, refused=False, notes=to.notes)
        step = definition.steps[there.position]

        def decided(notes):
            after = decide(definition, there, notes)
            return self._keep(dataclasses.replace(after, events=to.events + after.events))
        try:
            after = self.store.checkpoint(op, decided, self.lease, body=lambda ctx: self.call(step, there, ctx))
        except LeaseLost:
            raise
        except Exception:
            return self._checkpoint(op, to)
        self.observe(there, step, after)
        return after

    def _atomic(self, definition, op, step):
        after = self._outcome(lambda: self.store.checkpoint(
            op, lambda notes: self._keep(decide(definition, op, notes)), self.lease,
            body=lambda ctx: self.call(step, op, ctx)), op, step)
        if isinstance(after, Exception):
            return self._checkpoint(op, decide(definition, op, after))
        return after

    def call(self, step, op, ctx):
        """Run a step's body, or its undo: the one place where bodies are called."""
        return (step.undo if op.state == UNDOING else step.run)(ctx, op)

    def _outcome(self, work, op, step):
        try:
            outcome = work()
        except LeaseLost:
            raise
        except (NotYet, Refused, GoForward) as e:
            outcome = e
        except Exception as e:
            LOG.warning('Operation %s %s of %s: step %s failed: %s', op.name, op.id, op.resource, step.name, _reason(e))
            LOG.debug('%s', traceback.format_exc())
            outcome = e
        self.observe(op, step, outcome)
        return outcome

    def _keep(self, transition):
        """Go straight on where the next step is this worker's too, saving a claim."""
        here = transition.target in self.targets and transition.due_in <= 0 and not self.stopping
        return dataclasses.replace(transition, keep=here and not transition.ended)

    def _checkpoint(self, op, transition):
        try:
            after = self.store.checkpoint(op, self._keep(transition), self.lease)
            self.delayed |= transition.due_in > 0
            return after
        except Exception as e:
            if isinstance(e, LeaseLost) or not (transition.ended or transition.state == STUCK):
                raise
            # withdraw() or stuck() failed: say so, and ask again later.
            LOG.exception('Operation %s %s: its ending failed', op.name, op.id)
            return self.store.checkpoint(op, Transition(
                op.state, op.position, ((None, 'ending-failed', _reason(e)),), attempts=op.attempts,
                target=op.target, due_in=10, error=op.error or transition.error, refused=op.refused), self.lease)


@dataclasses.dataclass(frozen=True)
class _Unknown:
    """Stands for a step of an operation that this worker's version does not know."""
    name: str
