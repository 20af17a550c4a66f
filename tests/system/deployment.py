"""Both services as separate processes, as in production: a database each, RabbitMQ, file driver, real libvirt.

Identity and images come from onebox, which runs only these two then. The worker and the agent run under
halting.py, so that a test can kill them in the middle of a step.
"""
import pathlib

import yaml

from tests import databases
from tests.system.cloud import Cloud
from tests.system.processes import Processes, answers, eventually, run

HALTING = pathlib.Path(__file__).with_name('halting.py')
HOST = 'node1'
BACKEND = 'files'


class Deployment:
    """`start()` has all of it answering; `stop()` leaves nothing running.

    `urls` are the database URLs of {'volsvc', 'computesvc'}. `hypervisor` is a libvirt URI, or 'memory'.
    """

    def __init__(self, folder: pathlib.Path, urls: dict, transport_url: str, hypervisor: str):
        self.folder, self.hypervisor = folder, hypervisor
        self._urls, self._transport_url = urls, transport_url
        self.ports = {name: databases.free_port() for name in ('identity', 'image', 'volume', 'compute')}
        self.processes = Processes(folder)
        self.halts = {name: Halt(folder / f'halt-{name}') for name in ('worker', 'agent')}

    def start(self):
        self._identity()
        self._write_configuration()
        volsvc, computesvc = (['--config-file', self.folder / f'{name}.conf'] for name in ('volsvc', 'computesvc'))
        run('-m', 'volsvc.cmd.manage', *volsvc, 'db', 'sync', folder=self.folder)
        run('-m', 'computesvc.cmd.manage', *computesvc, 'db', 'sync', folder=self.folder)
        add = self.processes.add
        add('volsvc-api', '-m', 'volsvc.cmd.api', *volsvc)
        add('computesvc-api', '-m', 'computesvc.cmd.api', *computesvc)
        add('computesvc-conductor', '-m', 'computesvc.cmd.conductor', *computesvc)
        add('volsvc-worker', HALTING, 'volsvc.drivers.file:FileDriver.extend', 'after',
            self.halts['worker'].folder, 'volsvc.cmd.worker', *volsvc)
        add('computesvc-agent', HALTING, 'brick.connectors.local:LocalConnector.grow', 'before',
            self.halts['agent'].folder, 'computesvc.cmd.agent', *computesvc)
        for name in ('volsvc-api', 'computesvc-api', 'computesvc-conductor', 'volsvc-worker'):
            self.processes[name].start()
        for part in ('volume', 'compute'):
            eventually(f'the {part} API answers', lambda: answers(self.url(part)))  # noqa: B023
        self.user, self.admin = Cloud(self.clouds), Cloud(self.clouds, 'onebox-admin')
        eventually('worker and conductor report', lambda: {'cinder-volume', 'nova-conductor'} <= self._up())
        self.processes['computesvc-agent'].start()      # a call that comes before the conductor costs its time-out
        eventually('the agent reports', lambda: 'nova-compute' in self._up())
        return self

    def stop(self):
        self.processes.stop()

    def url(self, part) -> str:
        return f'http://127.0.0.1:{self.ports[part]}/'

    @property
    def clouds(self) -> pathlib.Path:
        return self.folder / 'identity' / 'clouds.yaml'

    def _identity(self):
        ports = [word for name, port in self.ports.items() for word in (f'--{name}-port', port)]
        self.processes.add('identity', '-m', 'onebox.app', '--state', self.folder / 'identity',
                           '--only', 'identity,image', *ports).start()
        eventually('the identity service has told how to log in', self.clouds.exists)
        eventually('the identity service answers', lambda: answers(self.url('identity')))

    def _up(self) -> set:
        """The kinds of processes that report."""
        rows = (self.admin.volume('GET', '/os-services')['services']
                + self.admin.compute('GET', '/os-services')['services'])
        return {row['binary'] for row in rows if row['state'] == 'up'}

    # Configuration

    def _write_configuration(self):
        files = self.folder / 'volumes'
        files.mkdir()
        self._write('volsvc', {
            'DEFAULT': {'enabled_backends': BACKEND},
            BACKEND: {'volume_driver': 'file', 'path': files},
            'compute': self._login('volsvc'), 'images': self._login('volsvc')})
        agent = {'hypervisor': 'memory'} if self.hypervisor == 'memory' else {
            # Emulation: it works on every machine, and these guests compute nothing.
            'hypervisor': 'libvirt', 'libvirt_uri': self.hypervisor, 'virt_type': 'qemu'}
        self._write('computesvc', {
            'DEFAULT': {'state_path': self.folder / 'servers'},
            'agent': {**agent, 'heartbeat_interval': 0.5},
            'cinder': self._login('computesvc'), 'glance': self._login('computesvc')})

    def _write(self, service, sections):
        port = self.ports['volume' if service == 'volsvc' else 'compute']
        common = {
            'DEFAULT': {'transport_url': self._transport_url, 'debug': True} | sections.pop('DEFAULT'),
            'database': {'connection': self._urls[service]},
            'api': {'port': port},
            # A lease is how long work of the dead rests: short, as these tests wait for its end.
            'service': {'host': HOST, 'lease': 3, 'poll': 0.5, 'report_interval': 1},
            'keystone_authtoken': self._login(service) | {
                'www_authenticate_uri': self.url('identity') + 'v3', 'service_token_roles_required': True},
            'oslo_policy': {'policy_file': self.folder / f'{service}-policy.yaml'}}
        text = ''
        for section, options in {**common, **sections}.items():
            text += f'[{section}]\n' + ''.join(f'{name} = {value}\n' for name, value in options.items()) + '\n'
        (self.folder / f'{service}.conf').write_text(text)

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
