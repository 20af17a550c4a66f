"""Both services in one process, speaking HTTP to each other without a wire; volumes are files on this machine.

volsvc does its work as soon as it is there, computesvc when it is told to (`settle()`), so a story says what happens
between any two steps of a move.
"""
import io
import json
import urllib.parse

from svckit import operations
from tests.api.computesvc import fakes
from tests.api.computesvc.world import World as ComputeWorld
from tests.api.volsvc.world import World as VolumeWorld
from volsvc.compute import Compute

GIB = 1024 ** 3
ROUNDS = 60


class Peer:
    """A service as the other one reaches it."""

    def __init__(self, world):
        self._world = world

    def answer(self, method, path, query, body, headers):
        raw = json.dumps(body).encode() if body is not None else b''
        environ = {
            'REQUEST_METHOD': method, 'SCRIPT_NAME': '', 'PATH_INFO': path, 'SERVER_NAME': 'peer', 'SERVER_PORT': '80',
            'QUERY_STRING': urllib.parse.urlencode(query), 'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.url_scheme': 'http',
            'wsgi.input': io.BytesIO(raw), 'CONTENT_LENGTH': str(len(raw)), 'CONTENT_TYPE': 'application/json',
            **{f'HTTP_{name.upper().replace("-", "_")}': value for name, value in headers.items()}}
        status = {}

        def start_response(line, headers, exc_info=None):
            status.update(code=int(line.split()[0]), headers=dict(headers))
        raw = b''.join(self._world.app(environ, start_response))
        return status['code'], raw, status['headers']


class Cloud:
    """`volumes` and `compute` are the worlds of the two; `compute` has the hosts host1 and host2."""

    def __init__(self, folder):
        for name in ('volumes', 'compute'):
            (folder / name).mkdir()
        self.volumes = VolumeWorld(folder / 'volumes', enabled_backends=['file'], state_path=str(folder / 'volumes'),
                                   compute__endpoint_override='http://compute/v2.1')
        self.compute = ComputeWorld(f'sqlite:///{folder}/compute/compute.sqlite', folder / 'compute',
                                    hosts=('host1', 'host2'), volumes=Peer(self.volumes))
        self._always = self.volumes.eager()
        self._always.__enter__()
        self.compute.flavor('small')        # its root disk is as small as the image
        self.volumes.service.compute = Compute(self.volumes.conf, fakes.session(Peer(self.compute)))

    def close(self):
        self._always.__exit__(None, None, None)
        for world in (self.volumes, self.compute):
            world.service.db.dispose()

    def settle(self):
        """Everything has come to rest, or waits for what is not going to come by itself."""
        for _ in range(ROUNDS):
            self.compute.run()
            self.volumes.run()
            if not self.leftovers():
                return
            self.compute.hurry()
            self.volumes.wait(5)

    # ---------------------------------------------------------------- stories

    def volume(self, size=1, multiattach=False) -> str:
        wish = {'size': size}
        if multiattach:
            kind = self.volumes.post('/types', {'volume_type': {
                'name': 'shared', 'extra_specs': {'multiattach': '<is> True'}}}, 200, roles='admin')
            wish['volume_type'] = kind['volume_type']['id']
        return self.volumes.post('/volumes', {'volume': wish})['volume']['id']

    def boot(self, volumes=1, **values) -> tuple[str, list[str]]:
        """A server on an image, with so many volumes: (its id, theirs)."""
        image = self.compute.images.add(b'root')
        ids = [self.volume() for _ in range(volumes)]
        answer = self.compute.post('/servers', {'server': {
            'name': 's', 'flavorRef': 'small', 'networks': 'none', 'imageRef': image, 'block_device_mapping_v2': [
                {'source_type': 'volume', 'destination_type': 'volume', 'uuid': id} for id in ids], **values}},
            roles='admin,member')     # whom alone such a flavor is for
        self.settle()
        server_id = answer.json['server']['id']
        assert self.server(server_id)['status'] == 'ACTIVE'
        return server_id, ids

    def server(self, server_id) -> dict:
        return self.compute.server(server_id, roles='admin')

    def act(self, server_id, action, value=None, settle=True, **kw):
        answer = self.compute.act(server_id, action, value, **kw)
        if settle:
            self.settle()
        return answer

    def extend(self, volume_id, size) -> None:
        """The volume has grown on its backend, and the news is on its way."""
        self.ask_to_extend(volume_id, size)
        shown = self.volumes.get(f'/volumes/{volume_id}')['volume']
        assert (shown['size'], shown['status']) == (size, 'in-use'), shown

    def ask_to_extend(self, volume_id, size) -> None:
        self.volumes.post(f'/volumes/{volume_id}/action', {'os-extend': {'new_size': size}})

    def before(self, operation, step, work) -> None:
        """Have `work()` done once, just before that step begins, which then does not commit with the one before it."""
        left = [work]

        def is_next(op, position):
            here = self.compute.service.registry[op.name, op.version].steps[position].name
            return left and (op.name, here) == (operation, step)

        def watch(runner, advance, with_next):
            def stopped(op):
                if is_next(op, op.position):
                    left.pop()()
                return advance(op)

            def apart(definition, op, to):
                return runner._checkpoint(op, to) if is_next(op, to.position) else with_next(definition, op, to)
            runner._advance, runner._with_next = stopped, apart
        for worker in self.compute.workers:
            watch(worker.runner, worker.runner._advance, worker.runner._with_next)

    # ---------------------------------------------------------------- what is so

    def host(self, server_id) -> str | None:
        return self.server(server_id)['OS-EXT-SRV-ATTR:host']

    def running(self, server_id) -> list[str]:
        """The hosts on which the server's guest runs."""
        return [name for name, hypervisor in self.compute.hypervisors.items()
                if hypervisor.power_state(server_id) in ('running', 'paused')]

    def seen(self, server_id, volume_id) -> int:
        """GiB that the guest sees, where it is."""
        size = self.compute.hypervisors[self.host(server_id)].disk_size(server_id, volume_id)
        assert size % GIB == 0
        return size // GIB

    def growths(self, server_id) -> list[tuple[str, str]]:
        """(result, details) of each growth that its user can read of."""
        found = []
        for action in self.compute.get(f'/servers/{server_id}/os-instance-actions')['instanceActions']:
            if action['action'] == 'extend_volume':
                shown = self.compute.get(f"/servers/{server_id}/os-instance-actions/{action['request_id']}",
                                         roles='admin')
                found += [(e['result'], e['details']) for e in shown['instanceAction']['events']]
        return found

    def told(self, volume_id) -> list[str]:
        """The states of what the volume service does to tell servers of the volume's growth."""
        found = self.volumes.get(f'/operations?volume_id={volume_id}', roles='admin')['operations']
        return [child['state'] for op in found for child in op['children'] if child['name'] == 'tell-server']

    def attached(self, volume_id) -> list[str]:
        """The hosts that a volume is connected to."""
        shown = self.volumes.get(f'/volumes/{volume_id}', roles='admin')['volume']
        return [attachment['host_name'] for attachment in shown['attachments']]

    def leftovers(self) -> list[str]:
        return [f'{name}: {op.name} {op.state} {op.error}' for name, world in
                (('volumes', self.volumes), ('compute', self.compute)) for op in self._live(world)]

    @staticmethod
    def _live(world):
        with world.service.db.reader() as session:
            return operations.queries.find(session, 'live')
