"""Two hypervisor hosts: the first machine is node1, with all services and the storage, the second is node2."""
import json
import pathlib

from onebox.libvirtd import Libvirtd
from tests.lab import traces
from tests.lab.neighbour import Neighbour, Process
from tests.lab.services import PORTALS
from tests.system import processes
from tests.system.deployment import Deployment

ADDRESSES = {'node1': '10.12.0.1', 'node2': '10.12.0.2'}
FOLDER = pathlib.Path('/tmp/node2')     # noqa: S108 - of a machine that nobody else is on
LIBVIRTD = 'import sys; from onebox.libvirtd import Libvirtd; print(Libvirtd(sys.argv[1]).start(), flush=True)'
PATIENCE = 240          # seconds: all of it has one processor on each machine, and may have to share that


def eventually(what, look):
    """As that of processes: here each look keeps the processor from what is looked for."""
    return processes.eventually(what, look, PATIENCE, pause=1)


class TwoHosts(Deployment):
    """A Deployment on logical volumes, iSCSI and multipath, with an agent on each host."""
    address = ADDRESSES['node1']
    halting = {}
    eventually = staticmethod(eventually)
    service = {'lease': 15, 'poll': 1, 'report_interval': 5}

    def __init__(self, folder, transport_url):
        urls = {name: f'sqlite:///{folder}/{name}.sqlite' for name in ('volsvc', 'computesvc')}
        self._libvirtd = Libvirtd(folder / 'libvirtd')
        super().__init__(folder, urls, transport_url, self._libvirtd.uri)
        self.neighbour = Neighbour()

    def start(self):
        other = Process(self.neighbour, 'libvirtd', '-c', LIBVIRTD, FOLDER / 'libvirtd').start()
        self._libvirtd.start()
        super().start()
        uri = eventually('libvirtd on the second host has started', lambda: self.neighbour.read(other.log))
        self.hypervisors['node2'] = uri.decode().strip()
        self._start_second_agent()
        self.flavors = {vcpus: self.admin.compute('POST', '/flavors', {'flavor': {
            'name': f'of-{vcpus}', 'ram': 64 * vcpus, 'vcpus': vcpus, 'disk': 0}})['flavor']['id'] for vcpus in (1, 2)}
        return self

    def stop(self):
        super().stop()
        self._libvirtd.destroy()

    def traces(self, host) -> dict[str, list]:
        """What traces.py sees there now."""
        if host == 'node2':
            return json.loads(self.neighbour.python('-m', 'tests.lab.traces'))
        return {kind: sorted(names) for kind, names in traces.seen().items()}

    def logs(self) -> list[str]:
        """All that the processes of both hosts said."""
        return [self.processes['computesvc-agent@node2'].log_text(),
                *(file.read_text() for file in self.folder.glob('*.log'))]

    def initiator(self, host) -> str:
        """The IQN by which a host logs in."""
        read = self.neighbour.read if host == 'node2' else lambda path: pathlib.Path(path).read_bytes()
        return read('/etc/iscsi/initiatorname.iscsi').decode().strip().partition('=')[2]

    def backend(self):
        return {'volume_driver': 'lvm', 'volume_group': 'lab', 'lvm_type': 'thick', 'volume_clear': 'none',
                'target_portals': ','.join(f'{portal}:3260' for portal in PORTALS)}

    def agent(self):
        return {'heartbeat_interval': 1, 'volume_use_multipath': True, 'sweep_interval': 5, 'shutdown_timeout': 0}

    def new_server(self, name, host) -> str:
        """One without an operating system that is to run there; its id."""
        image = eventually('the image is there', lambda: self.admin.image_id('tiny'))
        return self.admin.compute('POST', '/servers', {'server': {
            'name': name, 'host': host, 'flavorRef': self.flavors[1], 'imageRef': image,
            'networks': 'none'}})['server']['id']

    def _start_second_agent(self):
        file = FOLDER / 'computesvc.conf'
        text = self.computesvc('node2', ADDRESSES['node2'], self.hypervisors['node2'], FOLDER / 'servers')
        self.neighbour.write(file, text.encode())
        agent = Process(self.neighbour, 'computesvc-agent', '-m', 'computesvc.cmd.agent', '--config-file', file)
        self.processes.put(agent).start()
        eventually('the second agent reports', lambda: ('nova-compute', 'node2') in self.up())
