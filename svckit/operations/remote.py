"""Operations for an agent without a database: it claims and checkpoints at the conductor's desk.

`Desk` is the RPC endpoint; `RemoteStore` is a Store whose other half is a desk
reached through `call(method, **arguments)`; `LocalDesk` is such a call within
one process.  All that passes is JSON.
"""
import json

from svckit.operations.definition import LeaseLost, Op
from svckit.operations.store import Store, Transition


class Desk:
    """What the conductor answers.  It serves agents' targets only, whatever is asked."""

    def __init__(self, store: Store):
        self.store = store

    def claim(self, targets, owner, lease, limit):
        claimed, soonest = self.store.claim(_agents(targets), owner, lease, limit)
        return {'claimed': [_row(op) for op in claimed], 'soonest': soonest}

    def checkpoint(self, op, to, lease):
        """{'op': where it stands now or None} or {'lost': True}."""
        op, to = Op(**op), Transition(**{**to, 'events': tuple(map(tuple, to['events']))})
        _agents([op.target])
        try:
            after = self.store.checkpoint(op, to, lease)
        except LeaseLost:
            return {'lost': True}
        return {'op': after and _row(after)}

    def renew(self, held, lease):
        return sorted(self.store.renew(held, lease))

    def due(self, targets):
        return self.store.due(_agents(targets))


class RemoteStore:
    """The part of a Store that a worker needs, through a desk."""

    def __init__(self, call):
        self._call = call

    def claim(self, targets, owner, lease, limit, expected=False):
        answer = self._call('claim', targets=sorted(targets), owner=owner, lease=lease, limit=limit)
        return [Op(**row) for row in answer['claimed']], answer['soonest']

    def checkpoint(self, op, decide, lease, body=None):
        if body:
            raise ValueError(f'{op.name}: an atomic step cannot run at {op.target}, which has no database')
        answer = self._call('checkpoint', op=_row(op), to=_row(decide), lease=lease)
        if answer.get('lost'):
            raise LeaseLost(op.id)
        return answer['op'] and Op(**answer['op'])

    def renew(self, held, lease):
        return set(self._call('renew', held=held, lease=lease)) if held else set()


class LocalDesk:
    """`call` for a desk in the same process: no transport, yet nothing but JSON passes."""

    def __init__(self, desk):
        self._desk = desk

    def __call__(self, method, **arguments):
        return json.loads(json.dumps(getattr(self._desk, method)(**json.loads(json.dumps(arguments)))))


def _row(value) -> dict:
    """An Op or Transition as a dictionary; not a copy, as it is sent at once."""
    return dict(vars(value))


def _agents(targets):
    wrong = [target for target in targets if not str(target).startswith('agent:')]
    if wrong:
        raise PermissionError(f'The desk serves agents only, not {wrong}')
    return targets
