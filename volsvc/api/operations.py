"""Operations: what goes on behind a request, step by step."""
from svckit import operations
from svckit.operations import queries
from svckit.web import handler
from volsvc import errors
from volsvc.api import scope
from volsvc.api.views import operations as views
from volsvc.policies import operations as policies

MOST = 100
STATES = ('live', 'running', 'undoing', 'stuck', 'done', 'undone', 'cancelled', 'abandoned')


@handler(reads=dict.fromkeys(('volume_id', 'resource', 'request_id', 'state', 'all_tenants', 'project_id')))
def index(req):
    """Newest first, each with its children: those on a volume (`volume_id`), of a request (`request_id`), or all.

    The operations of a volume that is gone are kept for a while, and shown.
    """
    req.context.authorize(policies.LIST)
    project = scope.listed(req)
    if 'state' in req.query and req.query['state'] not in STATES:
        raise errors.BadRequest(f'state must be one of {", ".join(STATES)}.')
    with req.context.db.reader() as session:
        return {'operations': _described(req, session, _chosen(req, session, project))}


@handler()
def of_volume(req, volume_id):
    """Those on one volume, newest first."""
    req.query['volume_id'] = volume_id
    return index.function(req)


@handler()
def of_snapshot(req, snapshot_id):
    """Those on one snapshot, newest first."""
    req.query['resource'] = f'snapshot:{snapshot_id}'
    return index.function(req)


@handler()
def show(req, operation_id):
    """One operation, with its children."""
    with req.context.db.reader() as session:
        op = operations.get(session, operation_id)
        if op is None or scope.project(req.context) not in (None, op.project_id):
            raise errors.NotFound('Operation', operation_id)
        req.context.authorize(policies.SHOW, op)
        return {'operation': _described(req, session, [op])[0]}


def _chosen(req, session, project):
    query = req.query
    resource = f'volume:{query["volume_id"]}' if 'volume_id' in query else query.get('resource')
    if resource:
        # Who may see every project's things asks for a volume, not for a project's volumes.
        project = scope.project(req.context)
        found = operations.of_resource(session, resource, MOST)
    else:
        found = queries.find(session, query.get('state'), project, MOST)
    live = ('running', 'undoing', 'stuck')
    state = query.get('state')
    found = [op for op in found if project in (None, op.project_id)
             and (state is None or op.state == state or state == 'live' and op.state in live)
             and query.get('request_id') in (None, op.request_id)]
    # A child is shown below its parent, unless that is not shown.
    ids = {op.id for op in found}
    return [op for op in found if op.parent_id not in ids]


def _described(req, session, ops) -> list[dict]:
    """Three queries, however many operations."""
    ids = [op.id for op in ops]
    children = operations.children(session, *ids) if ids else []
    events = operations.events(session, *ids, *(child.id for child in children)) if ids else []
    registry = req.context.service.registry
    return [views.detail(operations.describe(registry, op, events, children)) for op in ops]
