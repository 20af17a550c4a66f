"""Whatever a client sends, no answer is a 5xx: every route of both services, with almost right requests."""
import json
import urllib.parse

from computesvc.api import routes as computesvc_routes
from svckit.web import testing
from tests.api.computesvc.world import World as Compute
from tests.api.volsvc.world import ADMIN, LATEST
from tests.api.volsvc.world import World as Volumes
from volsvc.api import routes as volsvc_routes


def failures(world, routes, known, version, **who):
    """The requests that the service failed at, not more than a few."""
    found = []
    for method, path, body in testing.requests(routes, known):
        path, _, query = path.partition('?')
        path = urllib.parse.unquote_to_bytes(path).decode('latin-1')      # as a server does
        raw = b'' if body is None else json.dumps(body).encode()
        answer = world.call(method, f'{path}?{query}', raw=raw, version=version, **who)
        # 503 says that a worker does not answer, and here none runs.
        if answer.status >= 500 and answer.status != 503:
            found.append((answer.status, method, path[:100], query[:100], json.dumps(body)[:200]))
            if len(found) > 20:
                break
    return found


def test_volsvc(tmp_path):
    world = Volumes(tmp_path)
    volumes = [world.create(1), world.create(2), world.create(1)]
    attachment = world.attach(volumes[1])
    snapshots = [world.post('/snapshots', {'snapshot': {'volume_id': id}})['snapshot']['id'] for id in volumes[::2]]
    world.run()
    known = {'project_id': ['p1'], 'volume_id': volumes, 'snapshot_id': snapshots, 'attachment_id': [attachment],
             'key': ['k'], 'target_id': ['p1'], 'name': ['default']}
    assert failures(world, volsvc_routes.ROUTES, known, LATEST, **ADMIN) == []


def test_computesvc(tmp_path):
    world = Compute(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path)
    servers = [world.boot(), world.boot()]
    volume = world.attach(servers[0])
    known = {'project_id': ['p1'], 'server_id': servers, 'flavor_id': ['42'], 'volume_id': [volume], 'id': ['p1'],
             'attachment_id': [volume], 'key': ['k'], 'hypervisor_id': ['host1'], 'name': ['k']}
    assert failures(world, computesvc_routes.ROUTES, known, '2.96', roles='admin,member,reader') == []
