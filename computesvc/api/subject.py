"""The server that a request is about."""
from computesvc.db import servers


def server(req, server_id: str, policy: str, *, deleted: bool = False):
    """The server, if there is one for whoever asks and `policy` allows it; one that was `deleted`, too, if so asked."""
    found = servers.get(req.context, server_id, deleted=deleted)
    req.context.authorize(policy, found)
    return found
