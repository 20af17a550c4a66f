"""What other services tell of servers; above all, that a volume has grown.

Every event stands for itself: an accepted one is a durable operation before the
answer goes out, a refused one holds up no other.
"""
from computesvc.api.schemas import server_external_events as schemas
from computesvc.db import attachments, servers
from computesvc.operations import extend_volume
from computesvc.policies import server_external_events as policies
from svckit.web.handler import handler
from svckit.web.response import Response

NEED_TAG = ('volume-extended', 'power-update', 'accelerator-request-bound')
TAKEN, MALFORMED, UNKNOWN, NO_HOST = 200, 400, 404, 422


@handler(body=schemas.CREATE, also=(207,))
def create(req):
    """200 if all were taken, 207 if not; each event has its own code."""
    context, events = req.context, req.data['events']
    context.authorize(policies.CREATE)
    with context.db.reader() as session:
        known = servers.of_ids(session, {event['server_uuid'] for event in events})
        volumes = {(a.server_id, a.volume_id): a for there in attachments.of_servers(session, known).values()
                   for a in there}
    answers = []
    for event in events:
        server = known.get(event['server_uuid'])
        code = _take(context, event, server, server and volumes.get((server.id, event.get('tag'))))
        status = 'completed' if code == TAKEN else 'failed'
        answers.append({**event, 'status': status, 'code': code})
    return Response({'events': answers}, 200 if all(answer['code'] == TAKEN for answer in answers) else 207)


def _take(context, event, server, attachment) -> int:
    if server is None:
        return UNKNOWN
    if event['name'] in NEED_TAG and not event.get('tag'):
        return MALFORMED
    if not server.host:
        return NO_HOST
    if event['name'] == 'volume-extended':
        return _grow(context, server, attachment)
    return TAKEN            # nothing here waits for events of networks, power or accelerators


def _grow(context, server, attachment) -> int:
    if attachment is None or attachment.state in ('detaching', 'failed'):
        return UNKNOWN
    extend_volume.request(context, server, attachment)
    return TAKEN
