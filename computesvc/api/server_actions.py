"""POST /servers/{id}/action: power, console, lock and the like."""
from computesvc import errors
from computesvc.api.schemas import servers as schemas
from computesvc.db import servers, states
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
from svckit.db import swap
from svckit.web.handler import handler


def _server(req, server_id, policy):
    server = servers.get(req.context, server_id)
    req.context.authorize(policy, server)
    return server


@handler(status=202, body=schemas.START)
def start(req, server_id):
    start_server.request(req.context, _server(req, server_id, policies.START))


@handler(status=202, body=schemas.STOP)
def stop(req, server_id):
    stop_server.request(req.context, _server(req, server_id, policies.STOP))


@handler(status=202, body=schemas.REBOOT)
def reboot(req, server_id):
    server = _server(req, server_id, policies.REBOOT)
    reboot_server.request(req.context, server, req.data['reboot']['type'].upper() == 'HARD')


@handler(status=202, body=schemas.PAUSE)
def pause(req, server_id):
    pause_server.request(req.context, _server(req, server_id, policies.PAUSE))


@handler(status=202, body=schemas.UNPAUSE)
def unpause(req, server_id):
    unpause_server.request(req.context, _server(req, server_id, policies.UNPAUSE))


@handler(status=202, body=schemas.LOCK)
def lock(req, server_id):
    server = _server(req, server_id, policies.LOCK)
    reason = (req.data['lock'] or {}).get('locked_reason') if isinstance(req.data['lock'], dict) else None
    _change(req, server, locked=True, locked_reason=reason)


@handler(status=202, body=schemas.UNLOCK)
def unlock(req, server_id):
    _change(req, _server(req, server_id, policies.UNLOCK), locked=False, locked_reason=None)


@handler(status=202, body=schemas.RESET_STATE)
def reset_state(req, server_id):
    """An administrator says how the server is; whatever still runs for it goes on."""
    server = _server(req, server_id, policies.RESET_STATE)
    if server.task_state == 'deleting':
        raise errors.InvalidState(server, 'reset_state')
    state = states.ACTIVE if req.data['os-resetState']['state'] == 'active' else states.ERROR
    _change(req, server, vm_state=state, task_state=None)


@handler(status=202, body=schemas.FORCE_DELETE)
def force_delete(req, server_id):
    delete_server.request(req.context, _server(req, server_id, policies.FORCE_DELETE))


@handler(body=schemas.CONSOLE)
def console_output(req, server_id):
    """What the guest wrote to its serial console, or the last `length` lines of it."""
    server = _server(req, server_id, policies.CONSOLE)
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


def _change(req, server, **values):
    req.context.db.run(lambda session: swap(session, Server, server.id, {'deleted_at': None}, values))
