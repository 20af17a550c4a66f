"""onebox as a process: started twice, stopped in the middle, restarted; and callers it must refuse."""
import pathlib
import signal
import socket
import stat
import time

import pytest
import requests

from onebox.identity.tokens import Tokens
from tests.system.box import Box, CommandFailed
from tests.system.cloud import Cloud

pytestmark = pytest.mark.system
OPTIONS = ('--hypervisor', 'memory', '--backend', 'file')
GIB = 1 << 30


@pytest.fixture
def box(tmp_path):
    box = Box(tmp_path, *OPTIONS)
    yield box
    box.kill()


@pytest.fixture(scope='module')
def running(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp('running'), *OPTIONS).start()
    yield box
    box.kill()


class TestStart:
    def test_the_first_lines_say_where_everything_is(self, running):
        said = running.said()
        for word in ('identity', 'volumev3', 'compute', 'image', 'http://127.0.0.1:', f'{running.state}/clouds.yaml'):
            assert word in said
        assert stat.S_IMODE((running.state / 'clouds.yaml').stat().st_mode) == 0o600

    def test_a_folder_is_never_used_twice(self, running):
        second = Box(running.folder, *OPTIONS)
        second._said = running.folder / 'second'
        second.spawn()
        assert second.process.wait(30) == 1
        assert f'in use by another onebox, process {running.process.pid}' in second.said()
        assert running.openstack('volume', 'list') == []

    def test_a_port_that_is_taken(self, box):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            box.spawn(f'--volume-port={port}')
            assert box.process.wait(30) == 1
        assert f'The volume API cannot listen on 127.0.0.1:{port}' in box.said()
        assert '--volume-port' in box.said()

    @pytest.mark.parametrize('options, word', [
        (['--volume-port', '99999'], 'no port number'), (['--hypervisor', 'xen'], 'invalid choice'),
        (['--state', '/proc/nowhere'], 'cannot be used'), (['--only', 'volume'], 'identity,image')])
    def test_nonsense_on_the_command_line(self, box, options, word):
        box.spawn(*options)
        assert box.process.wait(30) in (1, 2)
        assert word in box.said() and 'Traceback' not in box.said()

    def test_soon(self, box):
        """Not a measurement, a limit: it is well below on an idle machine."""
        began = time.monotonic()
        box.start('volumev3')
        assert requests.get(box.auth()['auth_url'], timeout=5).ok
        assert time.monotonic() - began < 20


class TestStop:
    @pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
    def test_a_clean_end(self, box, number):
        box.start()
        assert box.stop(number) == 0
        assert 'Stopping.' in box.said() and 'Traceback' not in box.said()

    @pytest.mark.parametrize('seconds', [0.3, 0.8, 1.3])
    def test_while_it_starts(self, box, seconds):
        box.spawn()
        time.sleep(seconds)
        box.process.send_signal(signal.SIGINT)
        assert box.process.wait(30) in (0, 130, -signal.SIGINT)
        box.start()         # the folder is fine afterwards

    def test_everything_is_there_after_a_restart(self, box):
        box.start()
        box.openstack('volume', 'create', '--size', '1', 'v')
        box.volume_is('v', 'available')
        box.openstack('volume', 'create', '--size', '1', '--bootable', 'root')
        box.volume_is('root', 'available')
        server = box.openstack('server', 'create', '--flavor', 'm1.nano', '--no-network', '--volume', 'root', 's')
        box.server_is('s', 'ACTIVE')
        box.openstack('server', 'add', 'volume', 's', 'v')
        attached = box.volume_is('v', 'in-use')
        before = box.auth()
        token = box.act('token', 'issue', '-f', 'value', '-c', 'id').strip()
        box.stop()

        box.start()
        assert box.auth()['password'] == before['password']
        again = requests.get(f'{box.auth()["auth_url"]}/auth/projects', headers={'X-Auth-Token': token}, timeout=5)
        assert again.ok
        assert box.openstack('volume', 'show', 'v')['attachments'] == attached['attachments']
        assert box.openstack('server', 'show', 's')['id'] == server['id']
        box.server_is('s', 'ACTIVE')
        box.act('volume', 'set', '--size', '2', 'v')
        assert box.volume_is('v', 'in-use')['size'] == 2
        box.act('server', 'remove', 'volume', 's', 'v')
        box.volume_is('v', 'available')

    @pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
    def test_in_the_middle_of_operations(self, box, number):
        """Twenty volumes grow while it is stopped: all have grown once it has been started again."""
        box.start()
        admin = Cloud(box.state / 'clouds.yaml', 'onebox-admin')
        ids = [admin.new_volume(1, name=f'v{number}') for number in range(10)]
        box.wait(lambda: status(admin, ids) == {'available'}, 'all volumes are available')
        for volume_id in ids:
            admin.volume('POST', f'/volumes/{volume_id}/action', {'os-extend': {'new_size': 3}}, good=(202,))
        box.process.send_signal(number)
        box.process.wait(60)

        box.start()
        admin = Cloud(box.state / 'clouds.yaml', 'onebox-admin')
        box.wait(lambda: status(admin, ids) == {'available'}, 'all volumes are available again')
        for volume in admin.volume('GET', '/volumes/detail')['volumes']:
            assert volume['size'] == 3
            file, = (box.state / 'volumes').glob(f'*{volume["id"]}*')
            assert file.stat().st_size == 3 * GIB
        usage = admin.volume('GET', f'/os-quota-sets/{admin.project_id}?usage=True')['quota_set']
        assert usage['gigabytes']['in_use'] == 30


def status(cloud, ids) -> set:
    return {volume['status'] for volume in cloud.volume('GET', '/volumes/detail')['volumes'] if volume['id'] in ids}


class TestCallers:
    """Whoever has no good token gets 401 from each service, in that service's own format."""

    @pytest.fixture(scope='class')
    def cloud(self, running):
        return Cloud(running.state / 'clouds.yaml')

    def endpoints(self, cloud):
        return {'volumev3': '/volumes', 'compute': '/servers', 'image': '/v2/images', 'identity': '/auth/projects'}

    def ask(self, cloud, service, token):
        url = cloud._endpoints[service].rstrip('/') + self.endpoints(cloud)[service]
        return requests.get(url, headers={'X-Auth-Token': token} if token else {}, timeout=10)

    @pytest.mark.parametrize('service', ['volumev3', 'compute', 'image', 'identity'])
    def test_no_token_rubbish_expired_withdrawn(self, running, cloud, service):
        assert self.ask(cloud, service, cloud.token).status_code == 200
        expired = self.make_token(running, cloud, time.time() - 7200)
        withdrawn = Cloud(running.state / 'clouds.yaml').token
        requests.delete(f'{running.auth()["auth_url"]}/auth/tokens', timeout=10,
                        headers={'X-Auth-Token': withdrawn, 'X-Subject-Token': withdrawn}).raise_for_status()
        for token in (None, 'rubbish', expired, withdrawn):
            response = self.ask(cloud, service, token)
            assert response.status_code == 401, (token, response.text)
            assert response.headers['WWW-Authenticate'].startswith('Keystone')
        assert self.ask(cloud, service, self.make_token(running, cloud, time.time() - 60)).status_code == 200

    def make_token(self, running, cloud, issued_at):
        """One that was issued at that time, under the box's own key."""
        tokens = Tokens(running.state / 'identity', clock=lambda: issued_at)
        user_id = requests.get(f'{running.auth()["auth_url"]}/auth/tokens', timeout=10, headers={
            'X-Auth-Token': cloud.token, 'X-Subject-Token': cloud.token}).json()['token']['user']['id']
        return tokens.issue(user_id, cloud.project_id, ['password'])[0]

    def test_the_client_says_so(self, running, cloud):
        url = running.auth()['auth_url']
        with pytest.raises(CommandFailed, match='401|authentication'):
            running.act('--os-cloud', '', '--os-auth-type', 'token', '--os-auth-url', url, '--os-token', 'rubbish',
                        '--os-project-id', cloud.project_id, 'volume', 'list')
        with pytest.raises(CommandFailed, match='401|authentication'):
            running.act('--os-password', 'wrong', 'volume', 'list')

    def test_nothing_secret_is_in_the_log(self, running, cloud):
        self.ask(cloud, 'volumev3', cloud.token)
        said = running.said() + pathlib.Path(running.state / 'onebox.log').read_text()
        for secret in (cloud.token, running.auth()['password'], running.auth('onebox-admin')['password']):
            assert secret not in said
