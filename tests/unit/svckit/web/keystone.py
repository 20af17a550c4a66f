"""A small Keystone: gives and validates tokens over HTTP, as the real one does on the wire."""
import datetime
import http.server
import json
import threading


class Keystone:
    """`token(…)` makes one; `validated` counts by token; `broken` True answers 500 to everything."""

    def __init__(self):
        self.tokens: dict[str, dict] = {}
        self.validated: dict[str, int] = {}
        self.broken = False
        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), self._handler())
        self.url = f'http://127.0.0.1:{self._server.server_address[1]}'
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.token('service-token', user='cinder', project='service', roles=['service'])

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def token(self, token, user='u', project='p', roles=('member',), seconds=3600.0, **extra):
        """A valid token, known by its name."""
        now = datetime.datetime.now(datetime.UTC)
        domain = {'id': 'default', 'name': 'Default'}
        endpoint = {'id': 'e', 'interface': 'internal', 'region': 'r', 'region_id': 'r', 'url': self.url}
        catalog = [{'type': 'identity', 'name': 'keystone', 'id': 'k', 'endpoints': [endpoint]},
                   {'type': 'volumev3', 'name': 'cinder', 'id': 'c', 'endpoints': []}]
        self.tokens[token] = {'token': {
            'methods': ['password'], 'user': {'id': user, 'name': user.upper(), 'domain': domain},
            'project': {'id': project, 'name': str(project).upper(), 'domain': domain},
            'roles': [{'id': f'id-{role}', 'name': role} for role in roles], 'catalog': catalog,
            'issued_at': _stamp(now), 'expires_at': _stamp(now + datetime.timedelta(seconds=seconds)), **extra}}
        if project is None:
            for name in ('project', 'roles', 'catalog'):
                del self.tokens[token]['token'][name]

    def answer(self, method, path, headers):
        """(status, body, headers) of one request."""
        path = path.rstrip('/')
        if self.broken:
            return 500, {'error': {'code': 500, 'message': 'broken'}}, {}
        if path in ('', '/v3'):
            version = {'id': 'v3.14', 'status': 'stable', 'links': [{'rel': 'self', 'href': f'{self.url}/v3/'}]}
            return (300, {'versions': {'values': [version]}}, {}) if not path else (200, {'version': version}, {})
        if path.startswith('/v3/auth/tokens') and method == 'POST':
            return 201, self.tokens['service-token'], {'X-Subject-Token': 'service-token'}
        subject = headers.get('X-Subject-Token')
        self.validated[subject] = self.validated.get(subject, 0) + 1
        if subject not in self.tokens:
            return 404, {'error': {'code': 404, 'message': 'no such token'}}, {}
        return 200, self.tokens[subject], {'X-Subject-Token': subject}

    def _handler(keystone):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def _do(self):
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                status, body, headers = keystone.answer(self.command, self.path.partition('?')[0], self.headers)
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, 'Content-Type': 'application/json',
                                    'Content-Length': str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_HEAD = _do

            def log_message(self, *arguments):
                pass

        return Handler


def _stamp(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ')
