"""A compute service that keeps its promises in memory, spoken to over HTTP without a wire."""
import uuid

from tests.api.computesvc.fakes import Service


class Nova(Service):
    """`private`: whether it answers what a real Nova does not know (the capabilities of hypervisors).

    A growth ends as soon as it is told of, unless `busy`; its result is then up to `finish`.
    """

    def __init__(self, private=True):
        super().__init__()
        self.private, self.busy, self.result, self.details = private, False, 'Success', None
        self.servers, self.actions, self.hosts = {}, {}, {'host1': {'extend_attached': True, 'state': 'up'}}

    def boot(self, host='host1') -> str:
        id = str(uuid.uuid4())
        self.servers[id] = {'host': host, 'volumes': {}}
        return id

    def finish(self, result='Success', details=None):
        for action in self.actions.values():
            action.update(result=result, details=details)

    def told(self) -> list[tuple]:
        """(server, volume) of each event that came, in its order."""
        return [(action['server'], action['volume']) for action in self.actions.values()]

    def routes(self):
        return {('POST', '/os-server-external-events'): self.take_events,
                ('GET', '/servers/([^/]+)'): self.show_server,
                ('GET', '/servers/([^/]+)/os-instance-actions/([^/]+)'): self.show_action,
                ('GET', '/servers/([^/]+)/os-volume_attachments/([^/]+)'): self.show_attachment,
                ('GET', '/os-hypervisors/([^/]+)/capabilities'): self.show_capabilities}

    def take_events(self, body, **kw):
        (event,) = body['events']
        server, request_id = self.servers.get(event['server_uuid']), f'req-{uuid.uuid4()}'
        if server is None:
            return 404, {'itemNotFound': {'code': 404, 'message': 'No instances found for any event'}}
        if server['host'] is None:
            return 207, {'events': [{**event, 'status': 'failed', 'code': 422}]}
        self.actions[request_id] = {'server': event['server_uuid'], 'volume': event['tag'],
                                    'result': None if self.busy else self.result, 'details': self.details}
        return 200, {'events': [{**event, 'status': 'completed', 'code': 200}]}, {'X-OpenStack-Request-ID': request_id}

    def show_server(self, id, **kw):
        if id not in self.servers:
            return 404, {'itemNotFound': {'code': 404, 'message': 'Instance could not be found.'}}
        host = self.servers[id]['host']
        return 200, {'server': {'id': id, 'OS-EXT-SRV-ATTR:host': host, 'OS-EXT-SRV-ATTR:hypervisor_hostname': host,
                                'OS-EXT-STS:task_state': self.servers[id].get('task_state')}}

    def show_action(self, id, request_id, **kw):
        action = self.actions.get(request_id)
        if action is None or action['server'] != id:
            return 404, {'itemNotFound': {'code': 404, 'message': 'Action could not be found.'}}
        event = {'event': 'compute_extend_volume', 'result': action['result'], 'details': action['details'],
                 'finish_time': '2026-01-01T00:00:00.000000' if action['result'] else None}
        return 200, {'instanceAction': {'action': 'extend_volume', 'message': None, 'events': [event]}}

    def show_attachment(self, id, volume_id, **kw):
        volumes = self.servers.get(id, {'volumes': {}})['volumes']
        if volume_id not in volumes:
            return 404, {'itemNotFound': {'code': 404, 'message': 'It is not attached.'}}
        return 200, {'volumeAttachment': {'volumeId': volume_id, 'serverId': id, 'attachment_id': volumes[volume_id]}}

    def show_capabilities(self, host, **kw):
        if not self.private or host not in self.hosts:
            return 404, {'itemNotFound': {'code': 404, 'message': 'It could not be found.'}}
        return 200, {'capabilities': {'hypervisor_type': 'fake', 'protocols': ['memory'], **self.hosts[host]}}
