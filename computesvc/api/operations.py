"""Operations on a server: what goes on behind a request, step by step.  Not in Nova."""
from computesvc import errors
from computesvc.api import subject
from computesvc.policies import operations as policies
from svckit import operations
from svckit.web.handler import handler


@handler()
def index(req, server_id):
    """Newest first, without steps."""
    server = _server(req, server_id, policies.LIST)
    with req.context.db.reader() as session:
        found = operations.of_resource(session, f'server:{server.id}')
    described = [operations.describe(req.context.service.registry, op) for op in found]
    return {'operations': [{k: v for k, v in one.items() if k not in ('steps', 'children')} for one in described]}


@handler()
def show(req, server_id, operation_id):
    server = _server(req, server_id, policies.SHOW)
    with req.context.db.reader() as session:
        op = operations.get(session, operation_id)
        if op is None or op.resource != f'server:{server.id}':
            raise errors.NotFound('Operation', operation_id)
        events = operations.events(session, op.id)
    return {'operation': operations.describe(req.context.service.registry, op, events)}


def _server(req, server_id, policy):
    return subject.server(req, server_id, policy, deleted=True)
