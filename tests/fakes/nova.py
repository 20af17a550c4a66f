"""A compute service that speaks the part of Nova's API that volsvc uses, in memory.

It is reached through the real client: `session()` is a keystoneauth session whose
requests end here instead of in a socket.
"""
import json
import re
import uuid

import requests
from keystoneauth1 import session as keystone

ERRORS = {400: 'badRequest', 403: 'forbidden', 404: 'itemNotFound', 406: 'computeFault', 500: 'computeFault'}


class Nova:
    """What it knows, and how it misbehaves."""

    def __init__(self):
        self.servers: dict[str, dict] = {}           # id -> {'host', 'node'}; host None: shelved
        self.volumes: dict[tuple, str] = {}          # (server id, volume id) -> attachment id
        self.hypervisors: dict[str, dict] = {}       # name -> capabilities; without one: 404, as a real Nova
        self.actions: dict[tuple, dict] = {}         # (server id, request id) -> {'result', 'details'}
        self.told: list[tuple] = []                  # (server id, volume id) of each event taken
        self.result = ('Success', None)              # of a growth from now on; (None, None): under way
        self.silent = False                          # nobody answers
        self.failing = None                          # status of all answers
        self.forbids = False                         # events need a role that volsvc lacks
        self.calls: list[tuple] = []                 # (method, path)

    def session(self):
        inner = requests.Session()
        inner.mount('http://compute', _Adapter(self))
        return keystone.Session(session=inner)

    def add_server(self, host='host1', node=None, id=None) -> str:
        id = id or str(uuid.uuid4())
        self.servers[id] = {'host': host, 'node': node or host}
        return id

    def finish(self, result='Success', details=None):
        """All growths that are under way end so."""
        for action in self.actions.values():
            if action['result'] is None:
                action.update(result=result, details=details)

    def answer(self, method, path, body):
        """(status, body, headers)."""
        self.calls.append((method, path))
        if self.failing:
            return self.failing, 'it is broken', {}
        for wanted, pattern, handle in _ROUTES:
            if wanted == method and (match := re.fullmatch(pattern, path)):
                return handle(self, *match.groups(), *([body] if body is not None else []))
        return 404, 'no such address', {}

    def _events(self, body):
        if self.forbids:
            return 403, "Policy doesn't allow os_compute_api:os-server-external-events:create to be performed.", {}
        request_id = f'req-{uuid.uuid4()}'
        event, = body['events']
        server = self.servers.get(event['server_uuid'])
        if server is None or server['host'] is None:
            return 404, 'No instances found for any event', {}
        self.told.append((event['server_uuid'], event['tag']))
        result, details = self.result
        self.actions[event['server_uuid'], request_id] = {'result': result, 'details': details}
        return 200, {'events': [{**event, 'code': 200, 'status': 'completed'}]}, {'x-openstack-request-id': request_id}

    def _action(self, server_id, request_id):
        action = self.actions.get((server_id, request_id))
        if action is None:
            return 404, 'Action not found', {}
        event = {'event': 'compute_extend_volume', 'start_time': 'x', 'finish_time': action['result'] and 'y', **action}
        return 200, {'instanceAction': {'action': 'extend_volume', 'request_id': request_id, 'message': None,
                                        'events': [event]}}, {}

    def _server(self, server_id):
        server = self.servers.get(server_id)
        if server is None:
            return 404, f'Instance {server_id} could not be found.', {}
        return 200, {'server': {'id': server_id, 'OS-EXT-SRV-ATTR:host': server['host'],
                                'OS-EXT-SRV-ATTR:hypervisor_hostname': server['node']}}, {}

    def _capabilities(self, name):
        if name not in self.hypervisors:
            return 404, 'The resource could not be found.', {}
        return 200, {'capabilities': self.hypervisors[name]}, {}

    def _attachment(self, server_id, volume_id):
        attachment = self.volumes.get((server_id, volume_id))
        if attachment is None:
            return 404, 'not attached', {}
        return 200, {'volumeAttachment': {'attachment_id': attachment, 'volumeId': volume_id,
                                          'serverId': server_id}}, {}


_ROUTES = [
    ('POST', '/os-server-external-events', Nova._events),
    ('GET', '/servers/([^/]+)', Nova._server),
    ('GET', '/servers/([^/]+)/os-instance-actions/([^/]+)', Nova._action),
    ('GET', '/servers/([^/]+)/os-volume_attachments/([^/]+)', Nova._attachment),
    ('GET', '/os-hypervisors/([^/]+)/capabilities', Nova._capabilities),
]


class _Adapter(requests.adapters.BaseAdapter):
    def __init__(self, nova):
        super().__init__()
        self.nova = nova

    def send(self, request, **options):
        if self.nova.silent:
            raise requests.ConnectionError('connection refused')
        path = request.path_url.partition('?')[0].removeprefix('/v2.1')
        body = json.loads(request.body) if request.body else None
        status, content, headers = self.nova.answer(request.method, path, body)
        if status >= 400:
            content = {ERRORS.get(status, 'computeFault'): {'code': status, 'message': content}}
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        response._content = json.dumps(content).encode()
        response.headers.update({'Content-Type': 'application/json', **headers})
        return response

    def close(self):
        pass
