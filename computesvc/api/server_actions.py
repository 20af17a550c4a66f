"""POST /servers/{id}/action: power, console, lock and the like."""
from computesvc import errors
from computesvc.api import subject, versions
from computesvc.api.schemas import servers as schemas
from computesvc.db import actions, states
from computesvc.db.models import Server
from computesvc.operations import (
    delete_server,
    pause_server,
    reboot_server,
    start_server,
    stop_server,
    unpause_server,
)
from computesvc.policies import servers as policies
from computesvc.topics import console
from svckit import operations
from svckit.db import swap
from svckit.web.handler import handler


@handler(status=202, body=schemas.START)
def start(req, server_id):
    start_server.request(req.context, subject.server(req, server_id, policies.START))


@handler(status=202, body=schemas.STOP)
def stop(req, server_id):
    stop_server.request(req.context, subject.server(req, server_id, policies.STOP))


@handler(status=202, body=schemas.REBOOT)
def reboot(req, server_id):
    server = subject.server(req, server_id, policies.REBOOT)
    reboot_server.request(req.context, server, req.data['reboot']['type'].upper() == 'HARD')


@handler(status=202, body=schemas.PAUSE)
def pause(req, server_id):
    pause_server.request(req.context, subject.server(req, server_id, policies.PAUSE))


@handler(status=202, body=schemas.UNPAUSE)
def unpause(req, server_id):
    unpause_server.request(req.context, subject.server(req, server_id, policies.UNPAUSE))


@handler(status=202, body=schemas.LOCK)
def lock(req, server_id):
    """Only administrators change a locked server.  Its owner locking it again changes nothing."""
    server = subject.server(req, server_id, policies.LOCK)
    by = _locker(req.context, server)
    if server.locked and by == 'owner':
        return
    wish = req.data['lock'] if req.version >= versions.LOCKED_REASON else None
    reason = (wish or {}).get('locked_reason')
    _change(req, server, 'lock', locked=True, locked_by=by, locked_reason=reason or server.locked_reason)


@handler(status=202, body=schemas.UNLOCK)
def unlock(req, server_id):
    server = subject.server(req, server_id, policies.UNLOCK)
    if server.locked_by not in (None, _locker(req.context, server)):
        req.context.authorize(policies.UNLOCK_OVERRIDE, server)
    _change(req, server, 'unlock', locked=False, locked_by=None, locked_reason=None)


def _locker(context, server) -> str:
    return 'owner' if server.project_id == context.project_id else 'admin'


@handler(status=202, body=schemas.RESET_STATE)
def reset_state(req, server_id):
    """An administrator says how the server is; the next report of its host says what its power is.

    An operation that is stuck with the server is given up.  One at work still writes the state itself, so
    that has to end first; and a resized server is on two hosts until its user says which.
    """
    server = subject.server(req, server_id, policies.RESET_STATE)
    state = states.ACTIVE if req.data['os-resetState']['state'] == 'active' else states.ERROR

    def change(session):
        given_up = _give_up_stuck(session, server)
        if server.vm_state == states.RESIZED and not given_up:
            raise errors.Conflict(f'Instance {server.id} is resized: confirm or revert that.')
        if not swap(session, Server, server.id, {'deleted_at': None}, {'vm_state': state, 'task_state': None}):
            raise errors.ServerNotFound(server.id)
    req.context.db.run(change)


def _give_up_stuck(session, server) -> bool:
    """True if there was anything; raises Conflict for what is at work."""
    given_up = False
    for held in (f'server:{server.id}', f'deletion:{server.id}'):
        live = operations.live(session, held)
        if live is None:
            continue
        if live.state != 'stuck':
            raise errors.Conflict(f'Operation {live.name} {live.id} is at work on instance {server.id}; its state can '
                                  'be reset once that has ended or is stuck.')
        operations.abandon(session, live.id, 'The state of the server was reset.')
        actions.finish(session, held, 'The state of the server was reset.')
        given_up = True
    return given_up


@handler(status=202, body=schemas.FORCE_DELETE)
def force_delete(req, server_id):
    """There is no deleting later here, so this deletes as DELETE does."""
    server = subject.server(req, server_id, policies.FORCE_DELETE)
    if server.locked and not req.context.is_admin:
        raise errors.ServerLocked(server.id)
    delete_server.request(req.context, server)


@handler(body=schemas.CONSOLE)
def console_output(req, server_id):
    """What the guest wrote to its serial console, or the last `length` lines of it."""
    server = subject.server(req, server_id, policies.CONSOLE)
    if not server.host or server.vm_state == states.BUILDING:
        raise errors.Conflict(f'Instance {server_id} is not ready')
    length = req.data['os-getConsoleOutput'].get('length')
    length = None if length is None or int(length) < 0 else int(length)
    return {'output': _console(req.context.service, server, length)}


def _console(service, server, lines) -> str:
    """Asked of the host's agent directly: nothing is changed, so nothing has to be durable."""
    try:
        call = service.messaging.client(console(server.host), timeout=10)
        return call('console_output', server_id=server.id, lines=lines)
    except Exception as e:
        raise errors.Unavailable(f'The console of instance {server.id} cannot be read at the moment: '
                                 f'{type(e).__name__}') from e


def _change(req, server, action, **values):
    """Written at once, and told among what was asked of the server."""
    def work(session):
        if swap(session, Server, server.id, {'deleted_at': None}, values):
            subject = f'{action}:{req.context.request_id}'
            actions.begin(session, req.context, server, action, f'api_{action}', subject)
            actions.finish(session, subject)
    req.context.db.run(work)
