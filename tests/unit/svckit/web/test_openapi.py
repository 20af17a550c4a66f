"""The API's description: what there is at a version, with the bodies and statuses of that version."""
import json

import pytest

from svckit import web
from svckit.web import openapi
from svckit.web.microversion import Microversion

VERSIONS = web.Versions(('volume', 'block-storage'), '3.0', '3.71', path='/v3', id='v3.0')
NAME = {'type': 'object', 'properties': {'name': {'type': 'string'}}}
SIZE = {'type': 'object', 'properties': {'grow': {'type': 'integer'}}, 'required': ['grow']}


@web.handler(query=NAME, reads={'force': Microversion(3, 23), 'detail': None})
def show(req, volume_id):
    """One volume.

    All that is known
    of it.
    """


@web.handler(status=202, body=[('3.0', NAME), ('3.50', {**NAME, 'additionalProperties': False})], also=(412,))
def update(req, volume_id):
    """Change it."""


@web.handler(status=202, body=SIZE)
def grow(req, volume_id):
    """Make it larger."""


@web.handler(status=204, min='3.40', also=(201,))
def revert(req, volume_id):
    """Take it back."""


@web.handler()
def old(req):
    """As it was."""


@web.handler(status=202)
def new(req):
    """As it is."""


ROUTES = {
    '/v3/{project_id}/volumes/{volume_id}': {'GET': show, 'PUT': update},
    '/v3/{project_id}/volumes/{volume_id}/action': {'POST': web.actions({'grow': grow, 'revert': revert})},
    '/v3/{project_id}/shapes': {'GET': web.by_version(('3.8', old), ('3.42', new))},
    '/v3/{project_id}/revert': {'POST': revert},
}
ONE, ACTION = list(ROUTES)[:2]
FAULTS = {'400', '401', '403', '404', '406', '503'}


@pytest.fixture
def at():
    """at('3.42'): the document of that version."""
    return lambda version: openapi.document(ROUTES, VERSIONS, Microversion.of(version), 'http://api/volume')


def test_what_it_says_of_itself(at):
    document = at('3.42')
    assert document['openapi'] == '3.1.0'
    assert document['info']['version'] == '3.42' and document['servers'] == [{'url': 'http://api/volume'}]
    assert document['components']['parameters']['version']['schema'] == {'const': 'volume 3.42'}
    assert document['components']['parameters']['version']['required']
    assert not at('3.0')['components']['parameters']['version']['required']
    json.dumps(document)


def test_only_what_the_version_has(at):
    assert list(at('3.0')['paths']) == list(ROUTES)[:2]
    assert list(at('3.8')['paths']) == list(ROUTES)[:3]
    assert list(at('3.40')['paths']) == list(ROUTES)
    assert at('3.41')['paths']['/v3/{project_id}/shapes']['get']['summary'] == 'As it was.'
    assert at('3.42')['paths']['/v3/{project_id}/shapes']['get']['summary'] == 'As it is.'


def test_an_operation(at):
    path = at('3.42')['paths'][ONE]
    assert [each['name'] for each in path['parameters'] if each['in'] == 'path'] == ['project_id', 'volume_id']
    shown = path['get']
    assert (shown['summary'], shown['description']) == ('One volume.', 'All that is known of it.')
    assert (shown['operationId'], shown['tags']) == ('get-volumes-volume_id', ['volumes'])
    assert shown['parameters'][1:] == [{'name': name, 'in': 'query', 'schema': {'type': 'string'}}
                                       for name in ('name', 'force', 'detail')]
    assert [each['name'] for each in at('3.22')['paths'][ONE]['get']['parameters'][1:]] == ['name', 'detail']
    assert 'requestBody' not in shown and set(shown['responses']) == {'200', *FAULTS}


def test_bodies_are_those_of_the_version(at):
    def body(version):
        return at(version)['paths'][ONE]['put']['requestBody']['content']['application/json']['schema']
    assert body('3.49') == NAME
    assert body('3.50') == {**NAME, 'additionalProperties': False}
    assert set(at('3.0')['paths'][ONE]['put']['responses']) == {'202', '409', '412', '413', '415', *FAULTS}


def test_actions(at):
    def bodies(version):
        return at(version)['paths'][ACTION]['post']['requestBody']['content']['application/json']['schema']['oneOf']
    assert bodies('3.39') == [{'title': 'grow', 'description': 'Make it larger.', **SIZE}]
    assert [body['title'] for body in bodies('3.40')] == ['grow', 'revert']
    assert bodies('3.40')[1]['required'] == ['revert'] and not bodies('3.40')[1]['additionalProperties']
    responses = at('3.40')['paths'][ACTION]['post']['responses']
    assert {'201', '202', '204'} < set(responses) and responses['204']['description'] == 'Take it back.'


def test_every_error_that_is_named_is_described(at):
    document = at('3.71')
    named = {status for path in document['paths'].values() for method, operation in path.items()
             if method != 'parameters' for status in operation['responses'] if status >= '400'}
    assert named <= set(document['components']['responses'])
    schema = document['components']['responses']['404']['content']['application/json']['schema']
    assert list(schema['properties']) == ['itemNotFound']


def test_served_without_a_token(service):
    import webob
    app = web.application(service, ROUTES, VERSIONS, auth=None)

    def get(path, **headers):
        return webob.Request.blank(path, base_url='http://api:8776', headers=headers).get_response(app)
    assert get('/openapi.json').json['info']['version'] == '3.71'
    found = get('/volume/openapi.json', **{'OpenStack-API-Version': 'volume 3.42'})
    assert found.json['info']['version'] == '3.42' and found.headers['OpenStack-API-Version'] == 'volume 3.42'
    assert found.json['servers'] == [{'url': 'http://api:8776/volume'}]
    assert get('/openapi.json', **{'OpenStack-API-Version': 'volume 3.99'}).status_int == 406
