"""What was asked of a server, and how it ended; also of a deleted one."""
from computesvc import errors
from computesvc.api import subject, versions
from computesvc.api.schemas import instance_actions as schemas
from computesvc.api.server_filters import moment
from computesvc.api.views import instance_actions as views
from computesvc.db import actions
from computesvc.policies import instance_actions as policies
from svckit import operations
from svckit.web.handler import handler
from svckit.web.paging import Page, links


@handler(query=schemas.QUERY)
def index(req, server_id):
    """Newest first."""
    server = _server(req, server_id, policies.LIST)
    paged = req.version >= versions.ACTIONS_UPDATED
    query = req.query if paged else {}
    since, before = (moment(name, query[name]) if name in query else None
                     for name in ('changes-since', 'changes-before'))
    if since and before and before < since:
        raise errors.BadRequest('The value of changes-since must be less than or equal to changes-before.')
    page = Page.from_query(query, req.context.service.conf.api.max_limit, ())
    with req.context.db.reader() as session:
        found = actions.of_server(session, server.id, page.limit, page.marker, since, before)
    if found is None:
        raise errors.BadRequest(f'marker [{page.marker[:64]}] not found')
    shown = [views.action(row, req.version) for row in found]
    more = links(req, 'links', shown, page, id='request_id') if paged else {}
    return {'instanceActions': shown, **({'links': more['links_links']} if more else {})}


@handler()
def show(req, server_id, request_id):
    """One action by the id of the request that asked for it, with its events."""
    server = _server(req, server_id, policies.SHOW)
    context = req.context
    with context.db.reader() as session:
        row = actions.by_request(session, server.id, request_id)
        if row is None:
            raise errors.NotFound(f'Action {request_id} not found')
        events = actions.events(session, row.id)
        waiting = {event.id: _waits_for(session, event) for event in events}
    shown = views.action(row, req.version)
    everything = context.can(policies.EVENTS, server)
    if everything or req.version >= versions.VOLUME_EVENTS:
        details = context.can(policies.DETAILS, server)
        shown['events'] = [views.event(event, req.version, server.project_id, everything, details, waiting[event.id])
                           for event in events]
    return {'instanceAction': shown}


def _waits_for(session, event):
    """Why an event that has not ended waits, if it does."""
    op = operations.live(session, event.subject) if event.subject and not event.result else None
    return op and op.error


def _server(req, server_id, policy):
    return subject.server(req, server_id, policy, deleted=req.version >= versions.DELETED_ACTIONS)
