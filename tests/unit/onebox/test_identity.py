"""The identity service by HTTP, and with the libraries that speak to a Keystone."""
import json
import stat
import time

import pytest
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from webob import Request

from onebox.identity.api import Identity
from onebox.identity.catalog import Catalog
from onebox.identity.directory import Directory
from onebox.identity.tokens import GRACE, Invalid, Tokens
from svckit.web.server import Server

PASSWORDS = {'demo': 'demo-secret', 'admin': 'admin-secret', 'volsvc': 'service-secret'}


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('identity')
    Directory(path / 'directory.json').set_passwords(PASSWORDS)
    return path


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def identity(folder, clock):
    return start(folder, clock)


def start(folder, clock):
    catalog = Catalog()
    catalog.offer('volumev3', 'cinderv3', 'http://127.0.0.1:8776/v3/{project_id}')
    return Identity(Directory(folder / 'directory.json'), Tokens(folder, clock=clock), catalog)


def ask(identity, path, method='GET', token=None, document=None, **headers):
    request = Request.blank(path, method=method, headers=headers)
    if token:
        request.headers['X-Auth-Token'] = token
    if document is not None:
        request.body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return request.get_response(identity.application)


def password_of(user, password=None, scope=None):
    auth = {'identity': {'methods': ['password'], 'password': {'user': {
        'name': user, 'domain': {'name': 'Default'}, 'password': password or PASSWORDS[user]}}}}
    if scope:
        auth['scope'] = scope
    return {'auth': auth}


def log_in(identity, user, scope=None):
    response = ask(identity, '/v3/auth/tokens', 'POST', document=password_of(user, scope=scope))
    assert response.status_int == 201, response.text
    return response.headers['X-Subject-Token']


def project(name):
    return {'project': {'name': name, 'domain': {'id': 'default'}}}


class TestDiscovery:
    def test_root_lists_versions_as_keystone_does(self, identity):
        response = ask(identity, '/')
        assert response.status_int == 300
        assert response.json['versions']['values'][0]['id'].startswith('v3.')

    @pytest.mark.parametrize('path', ['/v3', '/v3/'])
    def test_version(self, identity, path):
        assert ask(identity, path).json['version']['links'][0]['href'] == 'http://localhost/v3/'


class TestLogin:
    def test_the_default_project_without_a_scope(self, identity):
        token = ask(identity, '/v3/auth/tokens', 'POST', document=password_of('demo')).json['token']
        assert token['project']['name'] == 'demo'
        assert [role['name'] for role in token['roles']] == ['member', 'reader']
        assert token['methods'] == ['password']
        assert token['catalog'][0]['endpoints'][0]['url'].endswith(f'/v3/{token["project"]["id"]}')

    def test_unscoped_has_neither_roles_nor_catalog(self, identity):
        token = ask(identity, '/v3/auth/tokens', 'POST', document=password_of('demo', scope='unscoped')).json['token']
        assert not {'project', 'roles', 'catalog'} & set(token)

    def test_services_have_the_service_role(self, identity):
        token = ask(identity, '/v3/auth/tokens', 'POST', document=password_of('volsvc')).json['token']
        assert 'service' in [role['name'] for role in token['roles']]

    def test_a_token_for_another_project_ends_with_its_parent(self, identity, clock):
        first = log_in(identity, 'admin')
        clock.now += 600
        request = {'auth': {'identity': {'methods': ['token'], 'token': {'id': first}}, 'scope': project('demo')}}
        token = ask(identity, '/v3/auth/tokens', 'POST', document=request).json['token']
        parent = ask(identity, '/v3/auth/tokens', token=first, **{'X-Subject-Token': first}).json['token']
        assert token['project']['name'] == 'demo'
        assert token['methods'] == ['password', 'token']
        assert token['expires_at'] == parent['expires_at']
        assert token['audit_ids'][1] == parent['audit_ids'][0]

    @pytest.mark.parametrize('request_', [
        password_of('demo', 'wrong'), password_of('nobody', 'demo-secret'), password_of('demo', scope=project('admin')),
        password_of('demo', scope=project('nowhere')), password_of('computesvc', 'no password was ever set'),
    ])
    def test_refused_alike(self, identity, request_):
        response = ask(identity, '/v3/auth/tokens', 'POST', document=request_)
        assert response.status_int == 401
        assert response.json == {'error': {'code': 401, 'title': 'Unauthorized', 'message':
                                           'The request you have made requires authentication.'}}
        assert response.headers['WWW-Authenticate'] == 'Keystone uri="http://localhost/v3"'

    @pytest.mark.parametrize('document', [
        b'', b'{', b'[]', b'"x"', b'null', {}, {'auth': None}, {'auth': {'identity': {}}},
        {'auth': {'identity': {'methods': []}}}, {'auth': {'identity': {'methods': ['password'], 'password': 'x'}}},
        {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': 'demo', 'password': 'x'}}}}},
        {'auth': {'identity': {'methods': 'password'}, 'scope': 7}}, b'[' * 5000,
    ])
    def test_nonsense_is_400(self, identity, document):
        response = ask(identity, '/v3/auth/tokens', 'POST', document=document)
        assert response.status_int == 400, response.text
        assert response.json['error']['message']

    def test_no_answer_quotes_the_password(self, identity):
        document = password_of('demo', 'hunter2')
        document['auth']['identity']['password']['user']['domain'] = 'hunter2 is no domain'
        assert 'hunter2' not in ask(identity, '/v3/auth/tokens', 'POST', document=document).text

    def test_a_large_body_is_413(self, identity):
        response = ask(identity, '/v3/auth/tokens', 'POST', document=b' ' * 70_000)
        assert response.status_int == 413


class TestTokens:
    def test_looked_at_by_itself_and_by_services_only(self, identity):
        demo, service, other = log_in(identity, 'demo'), log_in(identity, 'volsvc'), log_in(identity, 'demo')
        for caller, status in ((demo, 200), (service, 200), (other, 403), (None, 401), ('rubbish', 401)):
            response = ask(identity, '/v3/auth/tokens', token=caller, **{'X-Subject-Token': demo})
            assert response.status_int == status
        assert ask(identity, '/v3/auth/tokens', token=service, **{'X-Subject-Token': 'rubbish'}).status_int == 404

    def test_head_has_no_body(self, identity):
        token = log_in(identity, 'demo')
        response = ask(identity, '/v3/auth/tokens', 'HEAD', token=token, **{'X-Subject-Token': token})
        assert (response.status_int, response.body) == (200, b'')

    def test_expires(self, identity, clock):
        token, service = log_in(identity, 'demo'), log_in(identity, 'volsvc')
        clock.now += 3600
        fresh = log_in(identity, 'volsvc')
        assert ask(identity, '/v3/auth/projects', token=token).status_int == 401
        assert ask(identity, '/v3/auth/tokens', token=service, **{'X-Subject-Token': token}).status_int == 401
        assert ask(identity, '/v3/auth/tokens', token=fresh, **{'X-Subject-Token': token}).status_int == 404
        late = ask(identity, '/v3/auth/tokens?allow_expired=1', token=fresh, **{'X-Subject-Token': token})
        assert late.status_int == 200
        clock.now += GRACE
        fresh = log_in(identity, 'volsvc')
        late = ask(identity, '/v3/auth/tokens?allow_expired=1', token=fresh, **{'X-Subject-Token': token})
        assert late.status_int == 404

    def test_survives_a_restart_and_so_does_its_end(self, identity, folder, clock):
        kept, withdrawn = log_in(identity, 'demo'), log_in(identity, 'demo')
        response = ask(identity, '/v3/auth/tokens', 'DELETE', token=withdrawn, **{'X-Subject-Token': withdrawn})
        assert response.status_int == 204
        for running in (identity, start(folder, clock)):
            assert ask(running, '/v3/auth/projects', token=kept).status_int == 200
            assert ask(running, '/v3/auth/projects', token=withdrawn).status_int == 401

    def test_under_another_key_it_is_rubbish(self, identity, tmp_path, clock):
        with pytest.raises(Invalid):
            Tokens(tmp_path, clock=clock).read(log_in(identity, 'demo'))


class TestLists:
    @pytest.mark.parametrize('kind', ['users', 'projects', 'domains', 'roles', 'services', 'endpoints'])
    def test_for_administrators(self, identity, kind):
        assert ask(identity, f'/v3/{kind}', token=log_in(identity, 'admin')).json[kind]
        assert ask(identity, f'/v3/{kind}', token=log_in(identity, 'demo')).status_int == 403
        assert ask(identity, f'/v3/{kind}').status_int == 401

    def test_names_are_looked_up(self, identity):
        admin = log_in(identity, 'admin')
        assert ask(identity, '/v3/projects/demo', token=admin).status_int == 404
        found, = ask(identity, '/v3/projects?name=demo&domain_id=default', token=admin).json['projects']
        assert ask(identity, f'/v3/projects/{found["id"]}', token=admin).json['project']['name'] == 'demo'
        assert ask(identity, '/v3/projects?name=dem', token=admin).json['projects'] == []

    def test_no_hash_leaves_the_service(self, identity):
        assert '$2b$' not in ask(identity, '/v3/users', token=log_in(identity, 'admin')).text

    def test_users_see_themselves(self, identity):
        token = log_in(identity, 'demo')
        described = ask(identity, '/v3/auth/tokens', token=token, **{'X-Subject-Token': token}).json['token']
        user_id = described['user']['id']
        assert ask(identity, f'/v3/users/{user_id}', token=token).json['user']['name'] == 'demo'
        found, = ask(identity, f'/v3/users/{user_id}/projects', token=token).json['projects']
        assert found['name'] == 'demo'

    def test_nothing_can_be_changed(self, identity):
        response = ask(identity, '/v3/projects', 'POST', token=log_in(identity, 'admin'), document={'project': {}})
        assert (response.status_int, response.headers['Allow']) == (405, 'GET')

    def test_unknown_paths(self, identity):
        assert ask(identity, '/v3/groups').json['error']['code'] == 404


def test_files_are_private_and_hold_no_password(identity, folder):
    log_in(identity, 'demo')
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert not any(password in path.read_text() for password in PASSWORDS.values())


@pytest.fixture(scope='module')
def url(folder):
    identity = start(folder, time.time)
    server = Server(identity.application, '127.0.0.1', 0)
    server.start()
    identity.catalog.offer('identity', 'keystone', f'http://127.0.0.1:{server.port}/v3')
    yield f'http://127.0.0.1:{server.port}'
    server.stop(1)


class TestKeystoneauth:
    """The library that every OpenStack client and service logs in with."""

    @pytest.mark.parametrize('path', ['', '/', '/v3'])
    def test_password_scope_and_catalog(self, url, path):
        auth = v3.Password(url + path, username='demo', password=PASSWORDS['demo'], user_domain_name='Default',
                           project_name='demo', project_domain_name='Default')
        client = session.Session(auth)
        assert client.get_endpoint(service_type='block-storage').endswith(client.get_project_id())
        assert client.get_endpoint(service_type='volumev3', interface='internal')
        assert client.get('/auth/projects', endpoint_filter={'service_type': 'identity'},
                          endpoint_override=f'{url}/v3').json()['projects'][0]['name'] == 'demo'

    def test_wrong_password(self, url):
        auth = v3.Password(url, username='demo', password='wrong', user_domain_name='Default')  # noqa: S106
        with pytest.raises(exceptions.Unauthorized, match='requires authentication'):
            session.Session(auth).get_token()

    def test_keystonemiddleware_takes_a_member_and_refuses_rubbish(self, url):
        from keystonemiddleware import auth_token
        seen = {}

        def app(environ, start_response):
            seen.update(environ)
            start_response('204 No Content', [])
            return []

        middleware = auth_token.AuthProtocol(app, {
            'auth_type': 'password', 'auth_url': url, 'username': 'volsvc', 'password': PASSWORDS['volsvc'],
            'user_domain_name': 'Default', 'project_name': 'service', 'project_domain_name': 'Default',
            'service_token_roles_required': True, 'www_authenticate_uri': url})
        auth = v3.Password(url, username='demo', password=PASSWORDS['demo'], user_domain_name='Default',
                           project_name='demo', project_domain_name='Default')
        token = session.Session(auth).get_token()
        assert Request.blank('/', headers={'X-Auth-Token': token}).get_response(middleware).status_int == 204
        assert (seen['HTTP_X_PROJECT_NAME'], seen['HTTP_X_ROLES']) == ('demo', 'member,reader')
        assert Request.blank('/', headers={'X-Auth-Token': 'rubbish'}).get_response(middleware).status_int == 401
