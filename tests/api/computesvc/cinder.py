"""volsvc itself as the volume service of a computesvc world, without a wire."""
import json
import urllib.parse

from computesvc.volumes import Volumes
from tests.api.computesvc import fakes
from tests.api.volsvc import world as volsvc

_HEADERS = ('X-User-Id', 'X-Project-Id', 'X-Roles', 'X-Service-Roles', 'X-Openstack-Request-Id')


class Cinder(volsvc.World):
    """What computesvc asks for is done before it is answered."""

    def answer(self, method, path, query, body, headers):
        known = {name.lower().replace('-', '_'): headers[name] for name in _HEADERS if name in headers}
        address = f'{path}?{urllib.parse.urlencode(query)}' if query else path
        with self.eager():
            found = self.call(
                method, address, body, version='3.44', user=known.pop('x_user_id', 'u1'),
                project=known.pop('x_project_id', 'p1'), roles=known.pop('x_roles', ''), **known)
        return found.status, json.loads(found.raw) if found.raw else None


def behind(world, folder, **options) -> Cinder:
    """The world's volume service from now on."""
    cinder = Cinder(folder, **options)
    world.service.volumes = Volumes(world.conf, fakes.session(cinder))
    return cinder
