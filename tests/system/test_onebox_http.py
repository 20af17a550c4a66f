"""onebox by plain HTTP: what must never be a 500, policy files that are edited while it runs, health and metrics."""
import json
import time

import pytest
import requests

from tests.system.box import Box

pytestmark = pytest.mark.system
JSON = {'Content-Type': 'application/json'}


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp('http'), '--hypervisor', 'memory', '--backend', 'memory').start()
    yield box
    box.kill()


@pytest.fixture(scope='module')
def cloud(box):
    return box.api('onebox')


@pytest.fixture(scope='module')
def volume(box, cloud):
    made = cloud.new_volume(1)
    box.volume_is(made, 'available')
    return made


def send(cloud, service, method, path, body=b'', **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.request(method, cloud._endpoints[service].rstrip('/') + path, data=data, timeout=20,
                            headers={'X-Auth-Token': cloud.token, **JSON, **headers})


def refused(response, *statuses):
    """The answer is one of these errors, in the API's own format, with a sentence."""
    assert response.status_code in statuses, response.text
    (kind, fault), = response.json().items()
    assert fault['code'] == response.status_code and len(fault['message']) > 10, kind
    return fault['message']


class TestBadInput:
    @pytest.mark.parametrize('size', ['two', None, 0, -1, 1.5, True, 10 ** 30, [], {}, 1, ''])
    def test_sizes(self, cloud, volume, size):
        body = {'os-extend': {'new_size': size}}
        response = send(cloud, 'volumev3', 'POST', f'/volumes/{volume}/action', body)
        refused(response, 400, 413)
        shown = cloud.volume('GET', f'/volumes/{volume}')['volume']
        assert (shown['size'], shown['status']) == (1, 'available')

    @pytest.mark.parametrize('service, path', [('volumev3', '/volumes'), ('compute', '/servers')])
    @pytest.mark.parametrize('body', [b'', b'{', b'[]', b'null', b'"x"', b'\xff\xfe', b'{"a":1}', b'[' * 60_000,
                                      b'{"volume": null, "server": null}', b'{"volume": 1, "server": []}'])
    def test_bodies(self, cloud, service, path, body):
        refused(send(cloud, service, 'POST', path, body), 400)

    @pytest.mark.parametrize('service, path', [('volumev3', '/volumes'), ('compute', '/servers')])
    def test_too_large(self, cloud, service, path):
        refused(send(cloud, service, 'POST', path, b'{"x": "' + b'y' * 70_000 + b'"}'), 400, 413)

    @pytest.mark.parametrize('fields', [
        {'size': 1, 'name': 7}, {'size': 1, 'metadata': {'a': 1}}, {'size': 1, 'name': 'x' * 300},
        {'size': 1, 'volume_type': 'nothing'}, {'size': 1, 'imageRef': 'nothing'},
        {'size': 1, 'source_volid': 'nothing'}, {'size': 1, 'availability_zone': 'moon'}, {}, {'size': 2 ** 40}])
    def test_volumes_that_cannot_be(self, cloud, fields):
        before = len(cloud.volume('GET', '/volumes')['volumes'])
        refused(send(cloud, 'volumev3', 'POST', '/volumes', {'volume': fields}), 400, 404, 413)
        assert len(cloud.volume('GET', '/volumes')['volumes']) == before

    @pytest.mark.parametrize('fields', [
        {'name': 's'}, {'name': 's', 'flavorRef': 'nothing', 'networks': 'none'},
        {'name': 's', 'flavorRef': '42', 'networks': 'maybe', 'imageRef': ''},
        {'name': '', 'flavorRef': '42', 'networks': 'none'}, {'name': 's', 'flavorRef': 42.5},
        {'name': 's', 'flavorRef': '42', 'imageRef': 'nothing', 'networks': 'none'}])
    def test_servers_that_cannot_be(self, cloud, fields):
        refused(send(cloud, 'compute', 'POST', '/servers', {'server': fields},
                     **{'OpenStack-API-Version': 'compute 2.89'}), 400, 404)
        assert cloud.compute('GET', '/servers')['servers'] == []

    @pytest.mark.parametrize('service, path, low', [('volumev3', '/volumes', 'volume'),
                                                    ('compute', '/servers', 'compute')])
    @pytest.mark.parametrize('version, statuses', [('9.99', [406]), ('2.0', [406]), ('three', [400]), ('3', [400]),
                                                   ('3.1e3', [400]), ('-1.5', [400])])
    def test_microversions(self, cloud, service, path, low, version, statuses):
        response = send(cloud, service, 'GET', path, **{'OpenStack-API-Version': f'{low} {version}'})
        assert response.status_code in (*statuses, 400, 406), response.text
        assert response.status_code < 500

    @pytest.mark.parametrize('method, path', [
        ('GET', '/volumes/nothing'), ('GET', '/volumes/00000000-0000-4000-8000-000000000000'),
        ('DELETE', '/volumes/nothing'), ('GET', '/nothing'),
        ('GET', '/volumes/%00'), ('GET', '/volumes/' + 'x' * 2000), ('GET', '/types/nothing'),
        ('GET', '/attachments/nothing')])
    def test_unknown_things(self, cloud, method, path):
        refused(send(cloud, 'volumev3', method, path), 404, 400)

    @pytest.mark.parametrize('query', ['limit=-1', 'limit=x', 'marker=nothing', 'sort=colour:up', 'offset=-1',
                                       'limit=1e3', 'limit=99999999999999999999'])
    @pytest.mark.parametrize('service, path', [('volumev3', '/volumes/detail'), ('compute', '/servers/detail')])
    def test_lists(self, cloud, service, path, query):
        response = send(cloud, service, 'GET', f'{path}?{query}')
        assert response.status_code in (200, 400, 404), response.text

    def test_methods(self, cloud):
        response = send(cloud, 'volumev3', 'PATCH', '/volumes', {})
        refused(response, 405)
        assert 'POST' in response.headers['Allow']

    def test_actions(self, cloud, volume):
        for body in ({}, {'os-nothing': {}}, {'os-extend': {'new_size': 2}, 'os-reset_status': {'status': 'error'}}):
            refused(send(cloud, 'volumev3', 'POST', f'/volumes/{volume}/action', body), 400)


class TestPolicyFile:
    """An edit counts within a second, without a restart."""

    def write(self, box, service, text):
        path = box.state / f'{service}-policy.yaml'
        path.write_text(text) if text is not None else path.unlink()
        time.sleep(1.2)

    def test_volumes(self, box, cloud, volume):
        action = f'/volumes/{volume}/action'
        self.write(box, 'volsvc', '"volume:extend": "role:admin"\n')
        message = refused(send(cloud, 'volumev3', 'POST', action, {'os-extend': {'new_size': 2}}), 403)
        assert 'volume:extend' in message
        self.write(box, 'volsvc', '"volume:extend": "role:member"\n')
        assert send(cloud, 'volumev3', 'POST', action, {'os-extend': {'new_size': 2}}).status_code == 202
        assert box.volume_is(volume, 'available')['size'] == 2
        self.write(box, 'volsvc', None)

    def test_servers(self, box, cloud):
        self.write(box, 'computesvc', '"os_compute_api:servers:index": "role:admin"\n')
        refused(send(cloud, 'compute', 'GET', '/servers'), 403)
        self.write(box, 'computesvc', ': broken [\n')
        refused(send(cloud, 'compute', 'GET', '/servers'), 403)
        self.write(box, 'computesvc', None)
        assert send(cloud, 'compute', 'GET', '/servers').status_code == 200


class TestHealth:
    @pytest.mark.parametrize('service', ['volumev3', 'compute', 'identity', 'image'])
    def test_without_a_token(self, cloud, service):
        root = cloud._endpoints[service].split('/v')[0].rstrip('/')
        assert requests.get(f'{root}/healthcheck', timeout=10).status_code == 200

    @pytest.mark.parametrize('service', ['volumev3', 'compute'])
    def test_metrics(self, cloud, service):
        root = cloud._endpoints[service].split('/v')[0].rstrip('/')
        text = requests.get(f'{root}/metrics', timeout=10).text
        assert '# TYPE' in text and 'operations' in text
