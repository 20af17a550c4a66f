"""How a request takes a server, and how its operation lets go of it again."""
from computesvc import errors
from computesvc.db import actions, servers, states
from computesvc.db.models import Server
from svckit import operations
from svckit.db import swap

PLUGGABLE = (states.ACTIVE, states.PAUSED, states.STOPPED, states.RESIZED, states.SHELVED,
             states.OFFLOADED)

def begin(context, server, operation, params: dict, *, action: str, event: str, vm_states, task_state: str | None,
          also=None, heeds_lock=True) -> str:
    """Mark the server busy, record the action, start the operation: one transaction; the operation's id.

    `also(session, row)` does what else belongs into it, with the server as it is there, and
    returns further parameters.  Raises InvalidState unless the server is in one of
    `vm_states` and idle, ServerLocked unless that is nothing to this action.
    """
    if heeds_lock:
        check_lock(context, server)
    subject = f'server:{server.id}'

    def work(session):
        if not swap(session, Server, server.id, {'vm_state': vm_states, 'task_state': None, 'deleted_at': None},
                    {'task_state': task_state}):
            raise errors.InvalidState(session.get(Server, server.id) or server, action)
        row = session.get(Server, server.id)
        if not row.host and row.vm_state != states.OFFLOADED:
            raise errors.Conflict(f'Instance {row.id} is not ready')        # it never got as far as a host
        actions.begin(session, context, row, action, event, subject)
        more = also(session, row) if also else {}
        return operations.start(
            session, operation, subject=subject, resource=subject, project_id=row.project_id,
            user_id=context.user_id, request_id=context.request_id,
            params={**params, 'task_state': task_state, 'host': row.host, 'server': facts(row), **more})
    return context.db.run(work)


def check_lock(context, server) -> None:
    """Raises ServerLocked."""
    if server.locked and not context.is_admin:
        raise errors.ServerLocked(server.id)


def check(context, server, action: str, vm_states) -> None:
    """Say early what begin() would: raises ServerLocked, InvalidState."""
    check_lock(context, server)
    if server.vm_state not in vm_states or server.task_state is not None:
        raise errors.InvalidState(server, action)


def pluggable(session, server_id: str, action: str) -> Server:
    """The server as it stays until the transaction's end, fit to get or lose a volume; raises InvalidState.

    A request that makes it busy, as a move does, waits for this transaction or has been seen by it.
    """
    row = session.get(Server, server_id, with_for_update=True, populate_existing=True)
    nowhere = not row.host and row.vm_state != states.OFFLOADED
    if row.vm_state not in PLUGGABLE or row.task_state is not None or nowhere:
        raise errors.InvalidState(row, action)
    return row


def end(ctx, op, **values) -> None:
    """The operation did it: the server is as `values` say and may be asked again."""
    servers.settle(ctx.session, op.params['server']['id'], op.params['task_state'],
                   **{'fault': None, **values})
    actions.finish(ctx.session, op.subject)


def withdraw(ctx, op) -> None:
    """Nothing came of it: the server is as before, and its action says why."""
    servers.settle(ctx.session, op.params['server']['id'], op.params['task_state'])
    actions.finish(ctx.session, op.subject, op.error or 'undone')


def facts(server, flavor: dict | None = None) -> dict:
    """What a hypervisor has to know of a server, perhaps with another flavor than it has."""
    vcpus, memory_mb = (flavor['vcpus'], flavor['ram']) if flavor else (server.vcpus, server.memory_mb)
    return {'id': server.id, 'name': server.name, 'vcpus': vcpus, 'memory_mb': memory_mb}
