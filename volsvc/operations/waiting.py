"""Waiting in a request for an operation to end, where the API's answer needs what it brings.

The request's own thread looks at the database, at first every few milliseconds; the
others go on.  A worker that is down costs it `attachment_wait` seconds and a 503; the
operation goes on, and asking again joins it.
"""
from svckit import operations
from svckit.operations import definition
from volsvc import errors

QUICK, SLOW = 0.002, 0.1        # seconds between two looks, at first and at last


class Failed(errors.Error):
    """The operation was given up; nothing has changed."""
    message = 'The storage backend could not do it: {}'


class Refused(errors.BadRequest):
    message = 'The storage backend refuses it: {}'


def joined(context, subject: str, name: str, volume_id: str, begin) -> None:
    """Returns when the operation `name` on the subject is done: the one at work, or else what `begin(session)` starts.

    begin() returns its id, or None if nothing is left to be waited for.  Another
    operation on the subject is waited for first.
    """
    op_id = context.db.run(lambda session: _at_work(session, subject, name))
    if op_id is None:
        until_free(context, subject, volume_id)
        op_id = context.db.run(begin)
    if op_id:
        until_done(context, op_id, volume_id)


def _at_work(session, subject, name):
    op = operations.live(session, subject)
    return op.id if op and op.name == name and op.state != definition.STUCK else None


def until_done(context, op_id: str, volume_id: str) -> None:
    """Returns when the operation is done; Failed or Refused if it was given up, BackendSilent after a while."""
    clock, wait = context.service.clock, context.service.conf.attachment_wait
    end, pause = clock.monotonic() + wait, QUICK
    while True:
        with context.db.reader() as session:
            op = operations.get(session, op_id)
        if op is None or op.state == definition.DONE:
            return
        if op.state not in (definition.RUNNING, definition.UNDOING):
            raise (Refused if op.refused else Failed)(op.error)
        if clock.monotonic() > end:
            raise errors.BackendSilent(volume_id, wait)
        clock.sleep(pause)
        pause = min(pause * 1.3, SLOW)


def until_free(context, subject: str, volume_id: str) -> None:
    """Returns when no operation runs on the subject; a stuck one makes way."""
    with context.db.reader() as session:
        op = operations.live(session, subject)
    if op is None:
        return
    if op.state == definition.STUCK:
        context.db.run(lambda session: operations.cancel(session, subject, 'asked for something else'))
        return
    try:
        until_done(context, op.id, volume_id)
    except (Failed, Refused):
        pass                            # it has ended, which is all that was asked
