"""How a request takes a server, and how its operation lets go of it again."""
from computesvc import errors
from computesvc.db import actions, servers
from computesvc.db.models import Server
from svckit import operations
from svckit.db import swap


def begin(context, server, operation, params: dict, *, action: str, event: str, vm_states, task_state: str) -> str:
    """Mark the server busy, record the action, start the operation: one transaction; the operation's id.

    Raises InvalidState unless the server is in one of `vm_states` and idle, ServerLocked.
    """
    if server.locked and not context.is_admin:
        raise errors.ServerLocked(server.id)
    subject = f'server:{server.id}'

    def work(session):
        if not swap(session, Server, server.id, {'vm_state': vm_states, 'task_state': None, 'deleted_at': None},
                    {'task_state': task_state}):
            raise errors.InvalidState(session.get(Server, server.id) or server, action)
        actions.begin(session, context, server, action, event, subject)
        return operations.start(
            session, operation, subject=subject, resource=subject, project_id=server.project_id,
            user_id=context.user_id, request_id=context.request_id,
            params={**params, 'task_state': task_state, 'host': server.host, 'server': facts(server)})
    return context.db.run(work)


def end(ctx, op, **values) -> None:
    """The operation did it: the server is as `values` say and may be asked again."""
    servers.settle(ctx.session, op.params['server']['id'], op.params['task_state'], **values)
    actions.finish(ctx.session, op.subject)


def withdraw(ctx, op) -> None:
    """Nothing came of it: the server is as before, and its action says why."""
    servers.settle(ctx.session, op.params['server']['id'], op.params['task_state'])
    actions.finish(ctx.session, op.subject, op.error or 'undone')


def facts(server) -> dict:
    """What a hypervisor has to know of a server."""
    return {'id': server.id, 'name': server.name, 'vcpus': server.vcpus, 'memory_mb': server.memory_mb}
