"""Both services as separate processes, as in production: a database each, RabbitMQ, real libvirt.

Identity and images come from onebox, which runs only these two then.
"""
import pathlib

import yaml

from tests import databases
from tests.system.cloud import Cloud
from tests.system.processes import Processes, answers, eventually, run

HALTING = pathlib.Path(__file__).with_name('halting.py')
BACKEND = 'backend'


class Deployment:
    """`start()` has all of it answering; `stop()` leaves nothing running.

    `urls` are the database URLs of {'volsvc', 'computesvc'}. `hypervisor` is a libvirt URI, or 'memory'; `others` are
    those of further hosts, by name, each with an agent and an address of its own.
    A subclass may have another backend, other options of agents, and listen elsewhere.
    """
    eventually = staticmethod(eventually)
    address = '127.0.0.1'
    host = 'node1'
    # Where a test can have a process halt, to kill it in the middle of a step.
    halting = {'worker': ('volsvc.drivers.file:FileDriver.extend', 'after'),
               'agent': ('brick.connectors.local:LocalConnector.grow', 'before')}
    # A lease is how long work of the dead rests: short, as tests wait for its end.
    service = {'lease': 3, 'poll': 0.5, 'report_interval': 1}

    def __init__(self, folder: pathlib.Path, urls: dict, transport_url: str, hypervisor: str, others=None):
        self.folder, self.hypervisor, self._others = folder, hypervisor, others or {}
        self.hypervisors = {self.host: hypervisor, **self._others}
        self._urls, self._transport_url = urls, transport_url
        self.ports = {name: databases.free_port() for name in ('identity', 'image', 'volume', 'compute')}
        self.processes = Processes(folder)
        self.halts = {name: Halt(folder / f'halt-{name}') for name in self.halting}

    def start(self):
        self._identity()
        self._write_configuration()
        volsvc, computesvc = (['--config-file', self.folder / f'{name}.conf'] for name in ('volsvc', 'computesvc'))
        run('-m', 'volsvc.cmd.manage', *volsvc, 'db', 'sync', folder=self.folder)
        run('-m', 'computesvc.cmd.manage', *computesvc, 'db', 'sync', folder=self.folder)
        add = self.processes.add
        add('volsvc-api', '-m', 'volsvc.cmd.api', *volsvc)
        add('computesvc-api', '-m', 'computesvc.cmd.api', *computesvc)
        add('computesvc-conductor', *self._under_halting('conductor'), 'computesvc.cmd.conductor', *computesvc)
        add('volsvc-worker', *self._under_halting('worker'), 'volsvc.cmd.worker', *volsvc)
        add('computesvc-agent', *self._under_halting('agent'), 'computesvc.cmd.agent', *computesvc)
        for name in ('volsvc-api', 'computesvc-api', 'computesvc-conductor', 'volsvc-worker'):
            self.processes[name].start()
        for part in ('volume', 'compute'):
            self.eventually(f'the {part} API answers', lambda: answers(self.url(part)))  # noqa: B023
        self.user, self.admin = Cloud(self.clouds), Cloud(self.clouds, 'onebox-admin')
        self.eventually('worker and conductor report', lambda: self.up() >= {
            ('cinder-volume', f'{self.host}@{BACKEND}'), ('nova-conductor', self.host)})
        self.processes['computesvc-agent'].start()      # a call that comes before the conductor costs its time-out
        self.eventually('the agent reports', lambda: ('nova-compute', self.host) in self.up())
        self._start_others()
        return self

    def agent_of(self, host):
        """Its process."""
        return self.processes['computesvc-agent' if host == self.host else f'computesvc-agent@{host}']

    def add_image(self, name, content: bytes):
        """Before the start."""
        images = self.folder / 'identity' / 'images'
        images.mkdir(parents=True, exist_ok=True)
        (images / f'{name}.raw').write_bytes(content)

    def stop(self):
        self.processes.stop()

    def url(self, part) -> str:
        return f'http://{self.address}:{self.ports[part]}/'

    @property
    def clouds(self) -> pathlib.Path:
        return self.folder / 'identity' / 'clouds.yaml'

    def _identity(self):
        ports = [word for name, port in self.ports.items() for word in (f'--{name}-port', port)]
        self.processes.add('identity', '-m', 'onebox.app', '--state', self.folder / 'identity',
                           '--host', self.address, '--only', 'identity,image', *ports).start()
        self.eventually('the identity service has told how to log in', self.clouds.exists)
        self.eventually('the identity service answers', lambda: answers(self.url('identity')))

    def _start_others(self):
        for number, (host, hypervisor) in enumerate(self._others.items(), 2):
            file = self.folder / f'computesvc-{host}.conf'
            file.write_text(self.computesvc(host, f'127.0.0.{number}', hypervisor, self.folder / f'servers-{host}'))
            self.processes.add(f'computesvc-agent@{host}', *self._under_halting('agent'), 'computesvc.cmd.agent',
                               '--config-file', file).start()
        self.eventually('all agents report', lambda: self.up() >= {('nova-compute', host) for host in self._others})

    def up(self) -> set[tuple]:
        """(kind of process, host) of all that report."""
        rows = (self.admin.volume('GET', '/os-services')['services']
                + self.admin.compute('GET', '/os-services')['services'])
        return {(row['binary'], row['host']) for row in rows if row['state'] == 'up'}

    def _under_halting(self, name) -> tuple:
        return (HALTING, *self.halting[name], self.halts[name].folder) if name in self.halting else ('-m',)

    # Configuration

    def _write_configuration(self):
        volsvc = self._sections('volsvc', self.host, {
            'DEFAULT': {'enabled_backends': BACKEND}, BACKEND: self.backend(),
            'compute': self._login('volsvc'), 'images': self._login('volsvc')})
        computesvc = self.computesvc(self.host, self.address, self.hypervisor, self.folder / 'servers')
        for service, text in ('volsvc', volsvc), ('computesvc', computesvc):
            (self.folder / f'{service}.conf').write_text(text)

    def backend(self) -> dict:
        """Options of the volume backend."""
        files = self.folder / 'volumes'
        files.mkdir()
        return {'volume_driver': 'file', 'path': files}

    def agent(self) -> dict:
        """Options of agents."""
        return {'heartbeat_interval': 0.5}

    def computesvc(self, host, address, hypervisor, state_path) -> str:
        """The configuration file of computesvc on a host."""
        # Emulation: it works on every machine, and these guests compute nothing.
        agent = {'hypervisor': 'memory'} if hypervisor == 'memory' else {
            'hypervisor': 'libvirt', 'libvirt_uri': hypervisor, 'virt_type': 'qemu'}
        return self._sections('computesvc', host, {
            'DEFAULT': {'state_path': state_path, 'my_ip': address}, 'agent': agent | self.agent(),
            'cinder': self._login('computesvc'), 'glance': self._login('computesvc')})

    def _sections(self, service, host, own) -> str:
        port = self.ports['volume' if service == 'volsvc' else 'compute']
        sections = {**own, 'DEFAULT': {'transport_url': self._transport_url, 'debug': True, **own['DEFAULT']},
                    'database': {'connection': self._urls[service]},
                    'api': {'host': self.address, 'port': port},
                    'service': {'host': host, **self.service},
                    'keystone_authtoken': self._login(service) | {
                        'www_authenticate_uri': self.url('identity') + 'v3', 'service_token_roles_required': True},
                    'oslo_policy': {'policy_file': self.folder / f'{service}-policy.yaml'}}
        return ''.join(f'[{section}]\n' + ''.join(f'{name} = {value}\n' for name, value in options.items()) + '\n'
                       for section, options in sections.items())

    def _login(self, user) -> dict:
        auth = yaml.safe_load(self.clouds.read_text())['clouds'][user]['auth']
        return {'auth_type': 'password', 'auth_url': auth['auth_url'], 'username': auth['username'],
                'password': auth['password'], 'user_domain_name': 'Default',
                'project_name': auth['project_name'], 'project_domain_name': 'Default'}


class Halt:
    """The test's end of halting.py."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir()

    def arm(self):
        """The next call of the function halts."""
        (self.folder / 'reached').unlink(missing_ok=True)
        (self.folder / 'armed').touch()

    def reached(self) -> bool:
        return (self.folder / 'reached').exists()
