"""What an operation is: its steps, and the ways a step can end."""
import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

# The states of an operation.  The first three are live: they hold the subject.
RUNNING, UNDOING, STUCK = 'running', 'undoing', 'stuck'
DONE, UNDONE, CANCELLED, ABANDONED = 'done', 'undone', 'cancelled', 'abandoned'
LIVE = (RUNNING, UNDOING, STUCK)

NO_RETURN = object()
"""Stands in a step list where giving up no longer undoes."""


class NotYet(Exception):
    """The step has to wait for something; it is asked again after `seconds`.

    Waiting uses up no attempts: a step that should not wait for ever decides so itself.
    """

    def __init__(self, reason: str, seconds: float = 1.0):
        super().__init__(reason)
        self.seconds = seconds


class Refused(Exception):
    """Nothing was changed and asking again would not help."""


class GoForward(Exception):
    """Raised by an undo: the step's effect is there after all, so go on from the step after it."""


class LeaseLost(Exception):
    """Another worker has claimed the operation: what this one found out is void."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    run(ctx, op) -> notes to keep, or None.  `at` is its target, or a function of
    the operation that names it.  An `atomic` step does no I/O but through
    `ctx.session`, which commits together with the checkpoint.  An error is retried
    `attempts` times with a pause of `delay` seconds that doubles up to `LONGEST`,
    or `forever`.
    """
    run: Callable
    at: str | Callable[['Op'], str]
    undo: Callable | None = None
    atomic: bool = False
    attempts: int = 5
    delay: float = 1.0
    forever: bool = False

    LONGEST = 60.0

    @property
    def name(self) -> str:
        return self.run.__name__

    def target(self, op: 'Op') -> str:
        return self.at if isinstance(self.at, str) else self.at(op)

    def pause(self, attempts: int) -> float:
        """Seconds to wait after the failure number `attempts` (from 1)."""
        return min(self.delay * 2 ** (attempts - 1), self.LONGEST)


class Operation:
    """A named, versioned list of steps.

    `withdraw(ctx, op)` runs in the transaction that ends an undone operation,
    `stuck(ctx, op)` in the one that leaves it stuck; both only touch the database,
    through `ctx.session`.  `op.error` says why, `op.refused` whether it was a
    refusal.  A `foldable` operation can be sent back to its first step with newer
    parameters.
    """

    def __init__(self, name: str, version: int = 1, *, steps: list, withdraw=None, stuck=None, foldable=False):
        self.name, self.version = name, version
        self.withdraw, self.stuck, self.foldable = withdraw, stuck, foldable
        self.steps: list[Step] = [step for step in steps if step is not NO_RETURN]
        self.no_return = steps.index(NO_RETURN) if NO_RETURN in steps else len(self.steps)
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f'Operation {name}: step names must be there and differ: {names}')
        if foldable and self.no_return != len(self.steps):
            raise ValueError(f'Operation {name}: one with a point of no return cannot start over')

    def __repr__(self):
        return f'<Operation {self.name} v{self.version}>'


@dataclasses.dataclass(frozen=True)
class Op:
    """One operation as a worker sees it: the row as it was at the last checkpoint."""
    id: str
    name: str
    version: int
    subject: str | None              # 'volume:<id>', None once it has ended
    params: dict[str, Any]           # what was asked for; never changes but by folding
    notes: dict[str, Any]            # what the steps returned, merged
    state: str
    position: int                    # index of the step it stands at
    attempts: int                    # failures of that step so far
    lease: int
    error: str | None = None         # why it waits, retries or gave up
    refused: bool = False
    resume: str | None = None        # the state a stuck operation goes back to
    target: str | None = None
    parent_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    resource: str | None = None
    request_id: str | None = None
    created_at: float | None = None  # seconds since the epoch, database's clock
    ended_at: float | None = None


def discover(package: str) -> dict[tuple[str, int], Operation]:
    """All operations of a package: each module's OPERATION, and those in its OLD."""
    found = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__, package + '.'):
        module = importlib.import_module(info.name)
        current = [module.OPERATION] if hasattr(module, 'OPERATION') else []
        for operation in current + list(getattr(module, 'OLD', [])):
            key = (operation.name, operation.version)
            if key in found:
                raise ValueError(f'{info.name}: operation {key} is defined twice')
            found[key] = operation
    return found
