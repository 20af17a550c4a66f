"""A whole volsvc in one process, and a client that talks to it without a wire."""
import contextlib
import io
import json
import time

from sqlalchemy import update

from svckit import conf, quota
from svckit.messaging import Local, Messaging
from tests.api.computesvc import fakes
from tests.api.volsvc.nova import Nova
from volsvc import conf as options
from volsvc.compute import Compute
from volsvc.db import limits, usage
from volsvc.db.base import Base
from volsvc.db.models import Attachment, Snapshot, Volume
from volsvc.db.models import Service as Row
from volsvc.images import Images
from volsvc.service import Service
from volsvc.worker import BackendWorker

GIB = 1024 ** 3
LATEST = '3.71'


class Clock:
    """Passes as time does, and faster when told to."""

    def __init__(self):
        self.ahead = 0.0

    def time(self):
        return time.time() + self.ahead

    def monotonic(self):
        return time.monotonic() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def fault(self):
        """(name, code, message) of an error, with nothing else beside it."""
        (name, inner), = self.json.items()
        assert inner['code'] == self.status
        return name, inner['message']

    @property
    def message(self):
        return self.fault[1]


class World:
    """`run()` does all work that is due in the caller's thread; nothing runs by itself but inside `eager()`."""

    def __init__(self, folder, report=True, **overrides):
        self.file = folder / 'volsvc.sqlite'
        settings = {
            'memory__capacity_gb': 100, 'service__host': 'host', 'database__connection': f'sqlite:///{self.file}',
            'database__sqlite_synchronous': False, 'api__auth_strategy': 'noauth', 'enabled_backends': ['memory'],
            'compute__auth_type': 'none', 'compute__endpoint_override': 'http://compute', 'images__auth_type': 'none',
            'images__endpoint_override': 'http://images', 'oslo_policy__policy_file': f'{folder}/p.yaml', **overrides}
        self.conf = conf.load('volsvc', options.OPTS, files=[], **settings)
        self.policy_file, self.clock = folder / 'p.yaml', Clock()
        self.heard, local = [], Local()         # (name, payload) of each notification
        local.meters.append(lambda *heard: self.heard.append(heard))
        self.service = Service(self.conf, Messaging(self.conf, 'volsvc', local), self.clock)
        self.nova, self.glance = Nova(), fakes.Images()
        self.service.compute = Compute(self.conf, fakes.session(self.nova))
        self.service.images = Images(self.conf, fakes.session(self.glance))
        self.service.migrate()
        self.worker = BackendWorker(self.service, self.conf.enabled_backends[0])
        self.driver = self.worker.driver
        self.driver.start()
        if report:
            self.worker.report()
        self._eager = False
        for worker in self.worker.workers:
            self.service.wakes(worker.targets, lambda worker=worker: self._eager and worker.run_due())
        self.app = self.service.api()

    def run(self):
        """Until nothing is due."""
        while self.worker.run_due():
            pass

    def wait(self, seconds=60.0):
        """So much time passes, for the clock and for what is due later."""
        self.clock.ahead += seconds
        due = Base.metadata.tables['operations'].c.due_at
        self.service.db.run(lambda session: session.execute(update(due.table).values(due_at=due - seconds)))

    @contextlib.contextmanager
    def eager(self):
        """Work is done as soon as it is there, before the request that made it goes on."""
        self._eager = True
        try:
            yield
        finally:
            self._eager = False

    def call(self, method, path, body=None, *, version=LATEST, roles='member,reader', project='p1', user='u1',
             raw=None, **headers):
        raw = raw if raw is not None else json.dumps(body).encode() if body is not None else b''
        path, _, query = path.partition('?')
        environ = {
            'REQUEST_METHOD': method, 'SCRIPT_NAME': '', 'PATH_INFO': path, 'QUERY_STRING': query,
            'SERVER_NAME': 'volume', 'SERVER_PORT': '80', 'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
            'wsgi.input': io.BytesIO(raw), 'CONTENT_LENGTH': str(len(raw)), 'CONTENT_TYPE': 'application/json',
            'HTTP_X_USER_ID': user, 'HTTP_X_PROJECT_ID': project, 'HTTP_X_ROLES': roles}
        if version:
            environ['HTTP_OPENSTACK_API_VERSION'] = f'volume {version}'
        environ |= {f'HTTP_{name.upper()}': value for name, value in headers.items()}
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer.update(status=int(status.split()[0]), headers=dict(headers))
        raw = b''.join(self.app(environ, start_response))
        return Answer(answer['status'], answer['headers'], raw)

    def get(self, path, status=200, **kw):
        return self._good(status, self.call('GET', f'/v3/{kw.get("project", "p1")}{path}', **kw))

    def post(self, path, body, status=202, **kw):
        return self._good(status, self.call('POST', f'/v3/{kw.get("project", "p1")}{path}', body, **kw))

    def put(self, path, body, status=200, **kw):
        return self._good(status, self.call('PUT', f'/v3/{kw.get("project", "p1")}{path}', body, **kw))

    def delete(self, path, status=202, **kw):
        return self._good(status, self.call('DELETE', f'/v3/{kw.get("project", "p1")}{path}', **kw))

    def refused(self, status, method, path, body=None, **kw):
        """The sentence of an answer that must be this error."""
        answer = self.call(method, f'/v3/{kw.get("project", "p1")}{path}', body, **kw)
        assert answer.status == status, (answer.status, answer.raw)
        return answer.message

    @staticmethod
    def _good(status, answer):
        assert answer.status == status, (answer.status, answer.raw)
        return answer.json if answer.raw else None

    # ---------------------------------------------------------------- stories

    def create(self, size=1, run=True, **values):
        """A volume of `size` GiB; its id."""
        id = self.post('/volumes', {'volume': {'size': size, **values}})['volume']['id']
        if run:
            self.run()
        return id

    def volume(self, id, **kw):
        return self.get(f'/volumes/{id}', **kw)['volume']

    def attach(self, volume_id, server_id=None, complete=True, host='host1') -> str:
        """The volume on a (new) server, as a compute service does it; the attachment's id."""
        server_id = server_id or self.nova.boot()
        body = {'attachment': {'volume_uuid': volume_id, 'instance_uuid': server_id, 'connector': None}}
        id = self.post('/attachments', body, 200, **SERVICE)['attachment']['id']
        with self.eager():
            self.put(f'/attachments/{id}', {'attachment': {'connector': {**CONNECTOR, 'host': host}}}, **SERVICE)
        if complete:
            self.post(f'/attachments/{id}/action', {'os-complete': None}, 204, **SERVICE)
            self.nova.servers[server_id]['volumes'][volume_id] = id
        return id

    def extend(self, volume_id, new_size, **kw):
        return self.call('POST', f'/v3/p1/volumes/{volume_id}/action', {'os-extend': {'new_size': new_size}}, **kw)

    def act(self, volume_id, action, value=None, status=202, **kw):
        return self.post(f'/volumes/{volume_id}/action', {action: value}, status, **kw)

    def used(self, project='p1') -> dict:
        """What the project uses of its quota, as far as it uses anything."""
        with self.service.db.reader() as session:
            titles = limits.titles(session)
            return {titles[name]: amount for name, amount in quota.usage(session, project).items() if amount}

    def wrong_usage(self, repair=False) -> list:
        """(project, recorded, counted) wherever they differ."""
        return quota.differences(self.service.db, usage.counted, repair=repair)

    def rules(self, text):
        """The operator's policy file says so, and has been looked at."""
        self.policy_file.write_text(text + '\n')
        self.service.policy._looked = float('-inf')

    def report(self, **capabilities):
        """The backend says so of itself from now on."""
        def change(session):
            row = session.query(Row).filter_by(host=self.worker.host).one()
            row.capabilities = {**row.capabilities, **capabilities}
        self.service.db.run(change)
        self.service.forget_backends()

    def rows(self) -> list:
        """Everything that a request could have changed, to be compared."""
        with self.service.db.reader() as session:
            return [[{name: value for name, value in vars(row).items() if name != '_sa_instance_state'
                      and not name.startswith(('type', 'attachments')) and name != 'volume'}
                     for row in session.query(model)]
                    for model in (Volume, Snapshot, Attachment)] + [quota.usage(session, 'p1')]


ADMIN = {'roles': 'admin,member,reader', 'user': 'root'}
SERVICE = {'roles': 'service', 'user': 'nova', 'project': 'service', 'x_service_roles': 'service'}
CONNECTOR = {'host': 'host1', 'ip': '192.0.2.1', 'initiator': 'iqn.2026-01.example:host1', 'multipath': False,
             'platform': 'x86_64', 'os_type': 'linux', 'mountpoint': '/dev/vdb'}
