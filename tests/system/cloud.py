"""A small client of the APIs for tests: what is sent and what comes back are in sight."""
import pathlib

import requests
import yaml

from tests.system.processes import eventually

GIB = 1024 ** 3


class Cloud:
    """One user of the cloud `name` in `clouds`, logged in by password; the catalog says where things are."""

    def __init__(self, clouds: pathlib.Path, name='onebox', timeout=30):
        self._auth = yaml.safe_load(clouds.read_text())['clouds'][name]['auth']
        self._timeout = timeout
        self._http = requests.Session()
        self.log_in()

    def log_in(self):
        scope = {'project': {'name': self._auth['project_name'], 'domain': {'name': 'Default'}}}
        user = {'name': self._auth['username'], 'domain': {'name': 'Default'}, 'password': self._auth['password']}
        answer = self._http.post(self._auth['auth_url'] + '/auth/tokens', timeout=self._timeout, json={
            'auth': {'identity': {'methods': ['password'], 'password': {'user': user}}, 'scope': scope}})
        answer.raise_for_status()
        token = answer.json()['token']
        self.token, self.project_id = answer.headers['X-Subject-Token'], token['project']['id']
        self._endpoints = {
            service['type']: next(e['url'] for e in service['endpoints'] if e['interface'] == 'public')
            for service in token['catalog']}

    def volume(self, method, path, body=None, version='3.71', good=(200, 201, 202, 204)):
        """The answer's body of a Cinder v3 request (None if empty)."""
        return self._ask('volumev3', method, path, body, f'volume {version}', good)

    def compute(self, method, path, body=None, version='2.89', good=(200, 201, 202, 204)):
        """The answer's body of a Nova v2.1 request (None if empty)."""
        return self._ask('compute', method, path, body, f'compute {version}', good)

    def image(self, method, path, body=None, good=(200, 201, 204)):
        """The answer's body of a Glance v2 request (None if empty)."""
        return self._ask('image', method, path, body, 'image 2', good)

    def endpoint(self, service) -> str:
        return self._endpoints[service].rstrip('/')

    def image_id(self, name) -> str:
        """Of the image with that name, once its data is there."""
        def found():
            images = self.image('GET', f'/v2/images?name={name}')['images']
            assert [image['status'] for image in images] == ['active'], images
            return images[0]['id']
        return eventually(f'the image {name} is there', found, 120)

    def _ask(self, service, method, path, body, version, good):
        answer = self._http.request(
            method, self.endpoint(service) + path, json=body, timeout=self._timeout,
            headers={'X-Auth-Token': self.token, 'OpenStack-API-Version': version, 'Accept': 'application/json'})
        self.request_id = answer.headers.get('X-Openstack-Request-Id')
        assert answer.status_code in good, f'{method} {path}: {answer.status_code} {answer.text[:500]}'
        return answer.json() if answer.content else None

    # What the tests do over and over

    def new_volume(self, size: int, **fields) -> str:
        """Ask for a volume of `size` GiB; its id."""
        return self.volume('POST', '/volumes', {'volume': {'size': size, **fields}})['volume']['id']

    def volume_is(self, volume_id, **wanted) -> bool:
        """True if the volume has these values; AssertionError, which says what it has, if not."""
        found = self.volume('GET', f'/volumes/{volume_id}')['volume']
        got = {name: found[name] for name in wanted}
        assert got == wanted, f'{got}, not {wanted}'
        return True

    def server_is(self, server_id, status) -> bool:
        found = self.compute('GET', f'/servers/{server_id}')['server']
        assert found['status'] == status, f'{found["status"]}, {found.get("fault")}'
        return True

    def new_server(self, flavor_id: str) -> str:
        """A running server that boots from a volume with nothing on it: enough of a guest for its disks to be real."""
        root = self.new_volume(1)
        eventually('the root volume is made', lambda: self.volume_is(root, status='available'))
        self.volume('POST', f'/volumes/{root}/action', {'os-set_bootable': {'bootable': True}})
        disk = {'boot_index': 0, 'uuid': root, 'source_type': 'volume', 'destination_type': 'volume'}
        server = self.compute('POST', '/servers', {'server': {
            'name': 'guest', 'flavorRef': flavor_id, 'networks': 'none', 'block_device_mapping_v2': [disk]}})['server']
        eventually('the server runs', lambda: self.server_is(server['id'], 'ACTIVE'))
        return server['id']

    def new_volume_in_use(self, server_id: str) -> str:
        """A volume of 1 GiB that the server uses."""
        volume_id = self.new_volume(1)
        eventually('the volume is made', lambda: self.volume_is(volume_id, status='available'))
        self.attach(server_id, volume_id)
        eventually('the volume is attached', lambda: self.volume_is(volume_id, status='in-use'))
        return volume_id

    def attach(self, server_id, volume_id):
        self.compute('POST', f'/servers/{server_id}/os-volume_attachments', {
            'volumeAttachment': {'volumeId': volume_id}})

    def extend(self, volume_id, size: int) -> str:
        """Ask for it; the request's id."""
        self.volume('POST', f'/volumes/{volume_id}/action', {'os-extend': {'new_size': size}}, '3.42', (202,))
        return self.request_id

    def quota(self) -> dict:
        """Volumes and GiB in use, as the quota counts them."""
        found = self.volume('GET', f'/os-quota-sets/{self.project_id}?usage=True')['quota_set']
        return {name: found[name]['in_use'] for name in ('volumes', 'gigabytes')}

    def counted(self) -> dict:
        """Volumes and GiB that there are, counted by listing them."""
        volumes = self.volume('GET', '/volumes/detail')['volumes']
        return {'volumes': len(volumes), 'gigabytes': sum(volume['size'] for volume in volumes)}
