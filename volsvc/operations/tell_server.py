"""Have one server show its guest the new size of a volume, and learn how that ended.

It goes on for as long as it takes: a compute service, or a host, that is down is told
when it is back.  What it waits for stands in its error.
"""
import dataclasses

from svckit import operations
from svckit.operations import NotYet, Operation, Refused, Step
from svckit.peer import NoAnswer, Refusal
from volsvc.db import attachments, messages
from volsvc.operations import places

GIB = 1024 ** 3
QUICK, SLOW = 0.010, 0.25       # seconds between two looks within one turn, at first and at last
TURN = 2.0                      # seconds of one turn of looking
LONGEST = 10.0                  # seconds between two turns
UNKNOWN = 60.0                  # seconds after which an event that nobody knows of is sent again
SENDS = 4                       # how often a host may fail before its user is told so
PATIENCE = 3                    # failures after which its user is told that it waits


def start(session, parent, attachment) -> None:
    """Tell the attachment's server, as part of the extend `parent`; one who is still being told hears the latest."""
    params = {'volume_id': attachment.volume_id, 'host': parent.params['host'], 'size': parent.params['size'],
              'attachment_id': attachment.id, 'server_id': attachment.instance_uuid, 'sends': 1}
    subject = f'attachment:{attachment.id}'
    if not operations.fold(session, OPERATION, subject, params, parent_id=parent.id, request_id=parent.request_id):
        operations.start(session, OPERATION, subject=subject, params=params, resource=parent.resource,
                         project_id=parent.project_id, user_id=parent.user_id, request_id=parent.request_id,
                         parent_id=parent.id)


def one_each(found) -> list:
    """An attachment of each server that has the volume: its newest, because one on its way to another host has two."""
    newest = {attachment.instance_uuid: attachment for attachment in sorted(found, key=lambda one: one.created_at)
              if attachment.instance_uuid and attachment.attach_status == 'attached'}
    return list(newest.values())


def end(session, attachment_id: str) -> None:
    """The attachment goes.  If its server was still to be told, it is by way of another that it has the volume by."""
    subject = f'attachment:{attachment_id}'
    op = operations.live(session, subject)
    if not operations.cancel(session, subject, 'The volume was detached.', [OPERATION.name]):
        return
    left = [one for one in attachments.of_volume(session, op.params['volume_id'])
            if one.id != attachment_id and one.instance_uuid == op.params['server_id']]
    for attachment in one_each(left):
        start(session, dataclasses.replace(op, id=op.parent_id), attachment)


def withdraw(ctx, op):
    """The volume has grown, only this server does not show it."""
    size = op.params['size'] // GIB
    messages.add(ctx.session, op, messages.EXTEND_TELL,
                 f'The volume was extended to {size} GiB, but server {op.params["server_id"]} does not show '
                 f'the new size before its next start: {op.error}', ctx.conf.message_ttl)


def send_event(ctx, op):
    """The compute service has taken the news, or has nobody to bring it to."""
    if ctx.clock.time() < op.params.get('not_before', 0):
        raise NotYet(op.params['why'], op.params['not_before'] - ctx.clock.time())
    server, volume = op.params['server_id'], op.params['volume_id']
    try:
        code, request_id = ctx.compute.tell_extended(server, volume, op.request_id)
        if code == 404:
            return {'outcome': _nobody(ctx, server)}
    except Refusal as error:
        _refused(ctx, op, error)
    except NoAnswer as error:
        if op.attempts + 1 == PATIENCE:
            _say(ctx, op, f'it cannot be told at the moment ({error}); it will be told as soon as that is possible')
        raise
    if code == 422:
        return {'outcome': 'The server is on no host at the moment: it shows the new size at its next start.'}
    if code != 200:
        raise Refused(f'the compute service answered {code} to the event.')
    if not request_id:
        return {'outcome': 'The compute service was told; it does not say how that ended.'}
    return {'request_id': request_id, 'sent_at': ctx.clock.time()}


def _nobody(ctx, server_id) -> str:
    """A Nova says 404 for a server on no host, too."""
    server = ctx.compute.server(server_id)
    if server is None:
        return 'The server is gone.'
    if not server.get('OS-EXT-SRV-ATTR:host', 'unknown'):
        return 'The server is on no host at the moment: it shows the new size at its next start.'
    return 'The server does not have the volume any more.'


def _refused(ctx, op, error):
    if error.status not in (401, 403):
        raise Refused(f'the compute service does not take the event: {error}') from error
    why = ('the compute service does not let the volume service tell it: the user of the volume service '
           f'needs the role "admin" or "service" there ({error})')
    _say(ctx, op, why)
    raise NotYet(why[0].upper() + why[1:], 10) from error


def _say(ctx, op, why):
    """Once for each reason: the volume has grown, this server waits."""
    size = op.params['size'] // GIB
    ctx.db.run(lambda session: messages.add(
        session, op, messages.EXTEND_TELL, f'The volume was extended to {size} GiB. Server {op.params["server_id"]} '
        f'does not show the new size yet: {why}.', ctx.conf.message_ttl))


class Pace:
    """How long hosts took lately: a look before that only keeps them from their work."""

    def __init__(self):
        self.usual = QUICK           # seconds from the event to its end

    def learn(self, seconds):
        self.usual += (min(seconds, SLOW) - self.usual) / 4


PACE = Pace()


def await_server(ctx, op):
    """The guest shows the new size.  Looked at when that is to be expected, then in quick looks that get slower."""
    if 'request_id' not in op.notes:
        return
    began, pause = ctx.clock.monotonic(), QUICK
    ctx.clock.sleep(max(0.0, op.notes['sent_at'] + PACE.usual - ctx.clock.time()) if op.error is None else 0.0)
    while True:
        found = ctx.compute.growth(op.params['server_id'], op.notes['request_id'])
        if found and found.result == 'Success':
            PACE.learn(ctx.clock.time() - op.notes['sent_at'] - pause / 2)
            return {'outcome': 'The server shows the new size.'}
        if found and found.result:
            _failed(ctx, op, found.details or 'its host could not grow the disk')
        if ctx.clock.monotonic() - began > TURN:
            return _wait(ctx, op, found)
        ctx.clock.sleep(pause)
        pause = min(pause * 1.5, SLOW)


def _wait(ctx, op, found):
    age = ctx.clock.time() - op.notes['sent_at']
    if found is None and age > UNKNOWN:
        if ctx.compute.server(op.params['server_id']) is None:
            return {'outcome': 'The server is gone.'}
        _again(ctx, op, 'The compute service does not know of the event any more.', 0)
    why = 'The compute service has yet to say that it knows of the event.' if found is None else ' '.join(filter(None, [
        'The host of the server has not grown the disk yet: it does so as soon as it can.', found.details]))
    raise NotYet(why, min(max(age / 10, 0.2), LONGEST))


def _failed(ctx, op, details):
    sends = op.params.get('sends', 1)
    if sends >= SENDS:
        raise Refused(details)
    _again(ctx, op, f'The host of the server failed: {details}', 5.0 * 3 ** (sends - 1))


def _again(ctx, op, why, seconds):
    """Back to the first step, with a new event after a while; this turn then has no lease any more."""
    params = {**op.params, 'sends': op.params.get('sends', 1) + 1, 'not_before': ctx.clock.time() + seconds, 'why': why}
    ctx.db.run(lambda session: operations.fold(session, OPERATION, op.subject, params))
    raise NotYet(why, seconds)


OPERATION = Operation('tell-server', version=1, withdraw=withdraw, foldable=True, steps=[
    Step(send_event, at=places.teller, forever=True),
    Step(await_server, at=places.teller, forever=True),
])
