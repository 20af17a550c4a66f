"""A whole computesvc in one process, and a client that talks to it without a wire."""
import contextlib
import datetime
import io
import json

from sqlalchemy import update

from computesvc import conf as options
from computesvc.db import flavors
from computesvc.db.models import Server
from computesvc.host.memory import Memory
from computesvc.service import Service
from svckit import conf
from svckit.db import utcnow
from svckit.messaging import Local, Messaging
from svckit.operations.models import OPERATIONS
from tests.api.computesvc import fakes


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def message(self):
        """The sentence of a fault."""
        return next(iter(self.json.values()))['message']


class World:
    """`run()` does all work that is due in the caller's thread; nothing runs by itself.

    `hypervisors` and `agents` are by host; `hypervisor` and `agent` are the first host's.
    """

    def __init__(self, url, folder, db=None, hosts=('host1',), volumes=None, **overrides):
        overrides.setdefault('reserve_wait', 0.0)
        overrides.setdefault('database__sqlite_synchronous', False)
        self.folder = folder
        self.conf = conf.load(
            'computesvc', options.OPTS, files=[], database__connection=url, api__auth_strategy='noauth',
            service__host='host1', state_path=str(folder), cinder__auth_type='none',
            cinder__endpoint_override='http://volumes/v3/%(project_id)s', glance__auth_type='none',
            glance__endpoint_override='http://images', **overrides)
        self.volumes, self.images = volumes or fakes.Volumes(), fakes.Images()
        self.local = Local()
        self.service = Service(self.conf, Messaging(self.conf, 'computesvc', self.local),
                               fakes.session(self.volumes), fakes.session(self.images))
        if db:
            db.on_wake = self.service.messaging.wake
            self.service.db = db
        else:
            self.service.migrate()
        self.service.db.run(flavors.seed)
        self.conductor = self.service.conductor()
        self.workers = [self.conductor.worker]
        self.hypervisors, self.agents = {}, {}
        for host in hosts:
            self.add_host(host)
        self.hypervisor, self.agent = self.hypervisors[hosts[0]], self.agents[hosts[0]]
        self.conductor.report()
        self.app = self.service.api()

    def add_host(self, name):
        """One more host, whose agent has reported."""
        self.hypervisors[name] = Memory(name)
        agent = self.agents[name] = self.service.agent(self.hypervisors[name], host=name)
        self.workers.append(agent.worker)
        agent.heartbeat()

    def run(self, *workers):
        """Until nothing is due for any worker (of `workers`, if given)."""
        while sum(worker.run_due() for worker in workers or self.workers):
            pass

    def hurry(self):
        """Whatever waits is due now."""
        with self.service.db.transaction() as session:
            session.execute(update(OPERATIONS).where(OPERATIONS.c.due_at.is_not(None)).values(due_at=0))

    def age_servers(self):
        """All servers changed a minute earlier than they did."""
        with self.service.db.transaction() as session:
            for server in session.query(Server):
                server.updated_at = utcnow() - datetime.timedelta(seconds=60)

    @contextlib.contextmanager
    def running(self, **overrides):
        """Workers run by themselves, with these options changed."""
        for name, value in overrides.items():
            self.conf.set_override(name, value)
        for worker in self.workers:
            worker.start()
        yield
        for worker in self.workers:
            worker.stop()

    def call(self, method, path, body=None, *, version='2.96', roles='member,reader', project='p1', user='u1',
             raw=None, headers=(), **extra):
        raw = raw if raw is not None else json.dumps(body).encode() if body is not None else b''
        path, _, query = path.partition('?')
        environ = {
            'REQUEST_METHOD': method, 'SCRIPT_NAME': '', 'PATH_INFO': path, 'QUERY_STRING': query,
            'SERVER_NAME': 'compute', 'SERVER_PORT': '80', 'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
            'wsgi.input': io.BytesIO(raw), 'CONTENT_LENGTH': str(len(raw)), 'CONTENT_TYPE': 'application/json',
            'HTTP_X_USER_ID': user, 'HTTP_X_PROJECT_ID': project,
            'HTTP_X_ROLES': roles, **dict(headers)}
        if version:
            environ['HTTP_OPENSTACK_API_VERSION'] = f'compute {version}'
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer.update(status=int(status.split()[0]), headers=dict(headers))
        raw = b''.join(self.app(environ, start_response))
        return Answer(answer['status'], answer['headers'], raw)

    def get(self, path, **kw):
        answer = self.call('GET', f'/v2.1{path}', **kw)
        assert answer.status == 200, (answer.status, answer.raw)
        return answer.json

    def post(self, path, body, status=202, **kw):
        answer = self.call('POST', f'/v2.1{path}', body, **kw)
        assert answer.status == status, (answer.status, answer.raw)
        return answer

    # ---------------------------------------------------------------- stories

    def boot(self, run=True, size=1, **values):
        """A server on a new volume; its id."""
        volume_id = self.volumes.add(size)
        answer = self.post('/servers', {'server': {
            'name': 's1', 'flavorRef': '42', 'networks': 'none', 'imageRef': '', 'block_device_mapping_v2': [
                {'boot_index': 0, 'uuid': volume_id, 'source_type': 'volume', 'destination_type': 'volume'}],
            **values}})
        if run:
            self.run()
        return answer.json['server']['id']

    def flavor(self, id, **values):
        """A flavor of this id and name, small where nothing else is said."""
        values = {'ram': 64, 'vcpus': 1, 'disk': 0, **values}
        self.post('/flavors', {'flavor': {'id': id, 'name': id, **values}}, 200, roles='admin')

    def attach(self, server_id, volume_id=None, run=True, **values):
        """A (new) volume on the server; its id."""
        volume_id = volume_id or self.volumes.add(1)
        self.post(f'/servers/{server_id}/os-volume_attachments',
                  {'volumeAttachment': {'volumeId': volume_id, 'device': None, **values}}, 200)
        if run:
            self.run()
        return volume_id

    def grown(self, server_id, volume_id, size=None):
        """The volume service says that the volume has grown (to `size` GiB)."""
        if size:
            self.volumes.volumes[volume_id]['size'] = size
        return self.post('/os-server-external-events', {'events': [
            {'name': 'volume-extended', 'server_uuid': server_id, 'tag': volume_id}]},
            200, roles='service', user='cinder', project='service', version='2.51')

    def server(self, server_id, **kw):
        return self.get(f'/servers/{server_id}', **kw)['server']

    def act(self, server_id, action, value=None, status=202, **kw):
        return self.post(f'/servers/{server_id}/action', {action: value}, status, **kw)
