"""What a backend can do: by which extra specs types can choose it."""
from svckit.web import handler
from volsvc import errors
from volsvc.api.views import capabilities as views
from volsvc.db import services
from volsvc.policies import capabilities as policies


@handler()
def show(req, host):
    """Of the backend 'host@backend', as it reported last."""
    req.context.authorize(policies.GET)
    with req.context.db.reader() as session:
        service = services.of_host(session, host)
    if service is None:
        raise errors.NotFound('Service', host)
    return views.detail(service)
