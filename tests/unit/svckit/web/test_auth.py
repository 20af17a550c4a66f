"""Tokens, validated by the real keystonemiddleware against a small Keystone."""
import time

import pytest
import webob

from svckit import conf as configuration
from svckit import policy, web
from svckit.web import auth
from tests.unit.svckit.web.keystone import Keystone

VERSIONS = web.Versions(('volume', 'block-storage'), '3.0', '3.71', path='/v3', id='v3.0')


@web.handler()
def whoami(req):
    context = req.context
    return {'user': context.user_id, 'name': context.user_name, 'project': context.project_id,
            'roles': sorted(context.roles), 'admin': context.is_admin, 'service': context.is_service,
            'token': context.auth_token}


@pytest.fixture(scope='module')
def server():
    keystone = Keystone()
    yield keystone
    keystone.stop()


@pytest.fixture
def keystone(server):
    server.broken = False
    server.tokens = {'service-token': server.tokens['service-token']}
    server.validated.clear()
    return server


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


class Service:
    def __init__(self, url, tmp_path):
        own = {'auth_type': 'password', 'auth_url': url, 'username': 'cinder', 'password': 'x',
               'project_name': 'service', 'user_domain_id': 'default', 'project_domain_id': 'default',
               'www_authenticate_uri': 'http://identity.example'}
        self.conf = configuration.load(
            'testsvc', {}, files=[], oslo_policy__policy_file=str(tmp_path / 'policy.yaml'),
            **{f'keystone_authtoken__{name}': value for name, value in own.items()})
        self.policy = policy.Policy(self.conf, [])


@pytest.fixture
def app(keystone, tmp_path):
    return web.application(Service(keystone.url, tmp_path), {'/v3/{project_id}/whoami': {'GET': whoami}}, VERSIONS)


def ask(app, token=None, path='/v3/p/whoami', **headers):
    request = webob.Request.blank(path, base_url='http://api:8776')
    if token:
        request.headers['X-Auth-Token'] = token
    request.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
    return request.get_response(app)


def refused(response):
    assert response.status_int == 401
    assert response.json == {'unauthorized': {
        'code': 401, 'message': 'The request you have made requires authentication.'}}
    assert response.headers['WWW-Authenticate'] == 'Keystone uri="http://identity.example"'
    return True


def test_a_valid_token(app, keystone):
    keystone.token('good')
    assert ask(app, 'good').json == {'user': 'u', 'name': 'U', 'project': 'p', 'roles': ['member', 'reader'],
                                     'admin': False, 'service': False, 'token': 'good'}


def test_no_token_and_an_unknown_one(app):
    assert refused(ask(app)) and refused(ask(app, 'unknown'))
    assert refused(ask(app, path='/nowhere'))


def test_documents_need_none(app):
    assert [ask(app, path=path).status_int for path in ('/', '/v3/', '/healthcheck')] == [300, 200, 200]


def test_an_expired_token(app, keystone):
    keystone.token('old', seconds=-1)
    assert refused(ask(app, 'old'))


def test_a_token_ends_when_it_says(app, keystone):
    keystone.token('short', seconds=0.3)
    assert ask(app, 'short').status_int == 200
    time.sleep(0.35)
    assert refused(ask(app, 'short'))


def test_nobody_becomes_somebody_by_headers(app, keystone):
    assert refused(ask(app, X_User_Id='root', X_Roles='admin', X_Identity_Status='Confirmed'))
    keystone.token('good')
    for _ in range(2):
        answer = ask(app, 'good', X_User_Id='root', X_Roles='admin', X_Service_Roles='service').json
        assert (answer['user'], answer['admin'], answer['service']) == ('u', False, False)


def test_a_burst_asks_keystone_once(app, keystone):
    keystone.token('good')
    for _ in range(5):
        assert ask(app, 'good').status_int == 200
    assert keystone.validated['good'] == 1


def test_keystone_is_not_asked_again_soon_but_later(keystone, tmp_path):
    clock = Clock()
    authenticate = auth.Keystone(Service(keystone.url, tmp_path).conf, 'volume', clock)
    keystone.token('good')
    for seconds, asked in ((0, 1), (20, 1), (200, 1), (200, 2)):
        clock.now += seconds
        assert authenticate(webob.Request.blank('/', headers={'X-Auth-Token': 'good'}).environ)['user_id'] == 'u'
        assert keystone.validated['good'] == asked


def test_a_service_with_a_users_token(app, keystone):
    keystone.token('good')
    keystone.token('nova', user='nova', project='service', roles=['service'])
    keystone.token('fake', user='x', roles=['member'])
    answer = ask(app, 'good', X_Service_Token='nova').json
    assert (answer['user'], answer['service']) == ('u', True)
    assert ask(app, 'good').json['service'] is False
    assert refused(ask(app, 'good', X_Service_Token='fake')) and refused(ask(app, 'good', X_Service_Token='none'))


def test_an_administrator(app, keystone):
    keystone.token('boss', roles=['admin'])
    assert ask(app, 'boss', path='/v3/elsewhere/whoami').json['admin'] is True


def test_a_token_without_a_project_has_none_whatever_the_path_says(app, keystone):
    keystone.token('unscoped', project=None)
    keystone.token('system', project=None, roles=['admin'], system={'all': True})
    keystone.tokens['system']['token']['roles'] = [{'id': 'a', 'name': 'admin'}]
    assert ask(app, 'unscoped').status_int == 400
    assert ask(app, 'unscoped', path='/v3/whoami').status_int == 403
    assert ask(app, 'system').json['project'] is None


def test_access_rules_are_checked_for_each_request(app, keystone):
    keystone.token('limited', application_credential={'id': 'a', 'name': 'a', 'restricted': True, 'access_rules': [
        {'id': '1', 'service': 'volume', 'method': 'GET', 'path': '/v3/p/other'}]})
    assert refused(ask(app, 'limited')) and refused(ask(app, 'limited'))


def test_keystone_away_is_no_fault_of_the_users(app, keystone):
    keystone.token('good')
    keystone.broken = True
    response = ask(app, 'good')
    assert response.status_int == 503 and response.json['serviceUnavailable']['code'] == 503
    keystone.broken = False
    assert ask(app, 'good').status_int == 200


@pytest.mark.parametrize('token', ['x' * 5000, 'ü', ' ', '\t', 'a b', '%00', "'; --"])
def test_odd_tokens(app, token):
    environ_token = token.encode().decode('latin-1')
    assert refused(ask(app, environ_token))
