"""Messages to users: why a request that was accepted ended otherwise."""
from svckit.web import handler
from volsvc.api import filters, lists, scope, versions
from volsvc.api.views import messages as views
from volsvc.db import messages
from volsvc.policies import messages as policies


@handler(min=versions.MESSAGES, reads=dict.fromkeys(filters.read(messages.FILTERS), versions.MESSAGE_PAGES))
def index(req):
    """The project's messages, newest first; in pages from 3.5 on.

    Administrators may name a project without more ado: `openstack volume message list --project` does no more.
    """
    req.context.authorize(policies.GET_ALL)
    if 'project_id' in req.query:
        req.query.setdefault('all_tenants', 'true')
    paged = req.version >= versions.MESSAGE_PAGES
    return lists.answer(req, 'messages', messages, lambda message: views.detail(req, message),
                        lambda req: filters.chosen(req, messages.FILTERS) if paged else {}, paged=paged)


@handler(min=versions.MESSAGES)
def show(req, message_id):
    """One message."""
    message = _find(req, message_id)
    req.context.authorize(policies.GET, _owner(message))
    return {'message': views.detail(req, message)}


@handler(status=204, min=versions.MESSAGES)
def delete(req, message_id):
    """Forget a message before its time is over."""
    message = _find(req, message_id)
    req.context.authorize(policies.DELETE, _owner(message))
    with req.context.db.transaction() as session:
        messages.forget(session, message.id)


def _find(req, message_id):
    with req.context.db.reader() as session:
        return messages.get(session, message_id, scope.project(req.context))


def _owner(message) -> dict:
    return {'project_id': message.project_id, 'user_id': None}
