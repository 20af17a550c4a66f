"""Groups of hosts and of servers.  There are none: clients ask on their way to something else."""
from computesvc.policies import aggregates as policies
from svckit.web.handler import handler


@handler()
def index(req):
    req.context.authorize(policies.INDEX)
    return {'aggregates': []}


@handler()
def server_groups(req):
    req.context.authorize(policies.SERVER_GROUPS)
    return {'server_groups': []}
