"""The application: good requests, and everything a client can do wrong."""
import datetime
import json
import re

import pytest
import webob
from oslo_db import exception as db
from sqlalchemy import exc

from svckit import errors, web
from svckit.web import metrics

VERSIONS = web.Versions(('volume', 'block-storage'), '3.0', '3.71', path='/v3', id='v3.0')
COMPUTE = web.Versions(('compute',), '2.1', '2.96', path='/v2.1', id='v2.1', single=True,
                       legacy_header='X-OpenStack-Nova-API-Version')
SIZE = {'type': 'object', 'properties': {'os-extend': {
    'type': 'object', 'properties': {'new_size': {'type': 'integer', 'minimum': 1}},
    'required': ['new_size'], 'additionalProperties': False}}, 'required': ['os-extend']}
NAMED = {'type': 'object', 'properties': {'name': {'type': 'string'}}, 'additionalProperties': False}


class Full(errors.OverQuota):
    message = 'Only {left}G left.'


@web.handler(query=[('3.10', NAMED)])
def show(req, volume_id):
    req.context.authorize('volume:extend', {'project_id': req.context.project_id})
    return {'id': volume_id, 'project': req.context.project_id, 'user': req.context.user_id,
            'version': str(req.version), 'query': req.query, 'url': req.path_url,
            'request_id': req.context.request_id, 'global_id': req.context.global_id}


@web.handler(202, body=SIZE)
def extend(req, volume_id):
    if req.data['os-extend']['new_size'] > 100:
        raise Full(left=3)


@web.handler(min='3.42')
def newer(req, volume_id):
    return web.Response({'made': datetime.datetime(2026, 1, 2, 3, 4, 5)}, 203, {'X-Extra': 'yes'})


@web.handler(202, min='3.42')
def later(req, volume_id):
    return None


@web.handler(body=[('3.0', {'type': 'object'}), ('3.50', NAMED)])
def update(req, volume_id):
    return req.data


@web.handler(204)
def delete(req, volume_id):
    if volume_id == 'broken':
        raise RuntimeError('secret detail')


@web.handler()
def old(req):
    return {'shape': 'old'}


@web.handler(200, query={'type': 'object'})
def new(req):
    return {'shape': 'new'}


ROUTES = {
    '/v3/{project_id}/volumes/{volume_id}': {'GET': show, 'DELETE': delete, 'PUT': update},
    '/v3/{project_id}/volumes/{volume_id}/newer': {'GET': newer},
    '/v3/{project_id}/volumes/{volume_id}/action': {'POST': web.actions({'os-extend': extend, 'os-newer': later})},
    '/v3/{project_id}/shapes': {'GET': web.by_version(('3.8', old), ('3.42', new))},
}


@pytest.fixture
def app(service):
    return web.application(service, ROUTES, VERSIONS)


def call(app, path, method='GET', body=None, environ=None, **headers):
    request = webob.Request.blank(path, base_url='http://api:8776', method=method, environ=environ)
    request.headers['X-Auth-Token'] = 'u:p'
    request.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
    if body is not None:
        request.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.headers.setdefault('Content-Type', 'application/json')
    return request.get_response(app)


def extended(app, body, path='/v3/p/volumes/v1/action', **headers):
    return call(app, path, 'POST', body, **headers)


def fault(response, status, name):
    """The message of an answer that is this fault and nothing else."""
    assert response.status_int == status, response.body
    assert response.content_type == 'application/json'
    assert list(response.json) == [name] and response.json[name]['code'] == status, response.body
    assert response.headers['X-OpenStack-Request-ID'].startswith('req-')
    return response.json[name]['message']


def test_a_good_request(app):
    response = call(app, '/v3/p/volumes/v1', OpenStack_API_Version='volume 3.42')
    assert response.status_int == 200
    assert {'id': 'v1', 'project': 'p', 'user': 'u', 'version': '3.42', 'url': 'http://api:8776/v3/p/volumes/v1'
            }.items() <= response.json.items()
    assert response.headers['OpenStack-API-Version'] == 'volume 3.42'
    assert response.headers['Vary'] == 'OpenStack-API-Version'


def test_request_ids(app):
    given = 'req-01234567-89ab-cdef-0123-456789abcdef'
    response = call(app, '/v3/p/volumes/v1', X_OpenStack_Request_ID=given)
    assert response.json['global_id'] == given
    assert response.headers['X-OpenStack-Request-ID'] == response.json['request_id'] != given
    for nonsense in ('req-1', given + '\n', 'x' * 5000, ''):
        answer = call(app, '/v3/p/volumes/v1', environ={'HTTP_X_OPENSTACK_REQUEST_ID': nonsense}).json
        assert answer['global_id'] == answer['request_id']


def test_an_empty_answer_and_its_status(app):
    response = extended(app, {'os-extend': {'new_size': 2}})
    assert (response.status_int, response.body, response.headers['Content-Length']) == (202, b'', '0')
    response = call(app, '/v3/p/volumes/v1', 'DELETE')
    assert response.status_int == 204 and 'Content-Type' not in response.headers


def test_a_response_of_its_own(app):
    response = call(app, '/v3/p/volumes/v1/newer', OpenStack_API_Version='volume 3.42')
    assert (response.status_int, response.headers['X-Extra']) == (203, 'yes')
    assert response.json == {'made': '2026-01-02T03:04:05.000000'}


def test_other_kinds_of_answers(service):
    def answering(body, kind):
        return web.handler()(lambda req: web.Response(body, content_type=kind))

    app = web.application(service, {
        '/v3/text': {'GET': answering('grün', 'text/plain')}, '/v3/bytes': {'GET': answering(b'{}', 'a/b')},
        '/v3/stream': {'GET': answering(iter([b'a', b'b']), 'a/b')},
        '/v3/wrong': {'GET': web.handler()(lambda req: {'x': object()})}}, VERSIONS)
    assert call(app, '/v3/text').body == 'grün'.encode()
    assert call(app, '/v3/bytes').body == b'{}'
    assert call(app, '/v3/stream').body == b'ab'
    fault(call(app, '/v3/wrong'), 500, 'computeFault')


def test_what_is_newer_is_not_found_before(app):
    fault(call(app, '/v3/p/volumes/v1/newer'), 404, 'itemNotFound')
    assert 'no such action: os-newer' in fault(extended(app, {'os-newer': None}), 400, 'badRequest')
    assert extended(app, {'os-newer': None}, OpenStack_API_Version='volume latest').status_int == 202


def test_handlers_by_version(app):
    fault(call(app, '/v3/p/shapes'), 404, 'itemNotFound')
    assert call(app, '/v3/p/shapes', OpenStack_API_Version='volume 3.8').json == {'shape': 'old'}
    assert call(app, '/v3/p/shapes', OpenStack_API_Version='volume 3.41').json == {'shape': 'old'}
    assert call(app, '/v3/p/shapes', OpenStack_API_Version='volume 3.42').json == {'shape': 'new'}


def test_schemas_by_version(app):
    assert call(app, '/v3/p/volumes/v1', 'PUT', {'x': 1}).json == {'x': 1}
    newer = {'OpenStack_API_Version': 'volume 3.50'}
    fault(call(app, '/v3/p/volumes/v1', 'PUT', {'x': 1}, **newer), 400, 'badRequest')
    assert call(app, '/v3/p/volumes/v1?x=1').json['query'] == {'x': '1'}
    fault(call(app, '/v3/p/volumes/v1?x=1', OpenStack_API_Version='volume 3.10'), 400, 'badRequest')


@pytest.mark.parametrize('size', [
    '"two"', 'null', '0', '-1', '1.5', '1.0', 'true', '1' + '0' * 30, 'NaN', 'Infinity', '-Infinity', '1e999',
    '1e400', '[]', '{}', '9' * 5000, '"2"', '9223372036854775808'])
def test_sizes_that_are_none(app, size):
    message = fault(extended(app, b'{"os-extend": {"new_size": %s}}' % size.encode()), 400, 'badRequest')
    assert 10 < len(message) < 600


def test_the_sentence_names_the_place(app):
    message = fault(extended(app, {'os-extend': {'new_size': 'two'}}), 400, 'badRequest')
    assert message == ("Invalid input for field/attribute os-extend.new_size. Value: 'two'. "
                       "'two' is not of type 'integer'")
    assert "'new_size' is a required property" in fault(extended(app, {'os-extend': {}}), 400, 'badRequest')


@pytest.mark.parametrize('body', [
    b'', b' ', b'{', b'[]', b'"x"', b'5', b'null', b'{"a": 1,}', b"{'a': 1}", b'\xff\xfe', b'{"a": "\xe9"}',
    b'{"os-extend": {"new_size": 2}} x', b'[' * 60000, b'{"a":' * 10000, b'{}', b'{"a": 1, "b": 2}',
    b'{"os-unknown": {}}', b'{"os-extend": {"new_size": 2, "x": "\\u0000"}}', b'{"\\u0000": 1}',
    b'{"a": ["\\ud800"]}', b'\xef\xbb\xbf{"os-extend": {"new_size": 2}}', b'{"os-extend": "\x00"}',
    b'{"os-extend": {"new_size": 2, "y": 1}}'])
def test_bodies_that_are_none(app, body):
    fault(extended(app, body), 400, 'badRequest')


def test_escapes_that_are_harmless_pass(app):
    text = {'a': 'ü\U0001f600', 'b': '\\u0000', 'ö': ['\\']}
    assert call(app, '/v3/p/volumes/v1', 'PUT', text).json == text


def test_only_json_is_taken(app):
    response = extended(app, b'new_size=2', Content_Type='application/x-www-form-urlencoded')
    fault(response, 415, 'badMediaType')
    good = {'os-extend': {'new_size': 2}}
    assert extended(app, good, Content_Type='application/JSON; charset=utf-8').status_int == 202


def test_a_large_body(app):
    message = fault(extended(app, b'{"os-extend": "%s"}' % (b'x' * 65536)), 413, 'overLimit')
    assert '65536' in message
    fits = b'{"os-extend": {"new_size": 2}%s}' % (b' ' * 65505)
    assert len(fits) <= 65536 and extended(app, fits).status_int == 202


@pytest.mark.parametrize('length', ['-1', 'x', '1e3', '٣', '5 5'])
def test_a_content_length_that_is_none(app, length):
    fault(call(app, '/v3/p/volumes/v1/action', 'POST', environ={'CONTENT_LENGTH': length}), 400, 'badRequest')


def test_a_body_shorter_than_it_says(app):
    fault(extended(app, b'{}', environ={'CONTENT_LENGTH': '10'}, Content_Length='10'), 400, 'badRequest')


@pytest.mark.parametrize('path', ['/v3/p/volumes/%ff', '/v3/p/volumes/%00', '/v3/p/volumes/v1?x=%00',
                                  '/v3/p/volumes/v1?x=%ff', '/v3/p/volumes/v1?' + 'a=1&' * 1001])
def test_paths_and_queries_that_are_none(app, path):
    fault(call(app, path), 400, 'badRequest')


def test_paths_may_be_any_text(app):
    answer = call(app, '/v3/p/volumes/gr%C3%BC%C3%9Fe%20x?name=%C3%BC').json
    assert (answer['id'], answer['query']) == ('grüße x', {'name': 'ü'})
    assert answer['url'] == 'http://api:8776/v3/p/volumes/gr%C3%BC%C3%9Fe%20x'


def test_unknown_paths_and_methods(app):
    fault(call(app, '/v3/p/nothing'), 404, 'itemNotFound')
    fault(call(app, '/other'), 404, 'itemNotFound')
    response = call(app, '/v3/p/volumes/v1', 'POST', {})
    fault(response, 405, 'badMethod')
    assert response.headers['Allow'] == 'DELETE, GET, PUT'


def test_head_is_get_without_a_body(app):
    response = call(app, '/v3/p/volumes/v1', 'HEAD')
    assert response.status_int == 200 and response.body == b'' and int(response.headers['Content-Length']) > 0


def test_versions_that_are_none(app):
    message = fault(call(app, '/v3/p/volumes/v1', OpenStack_API_Version='volume 3.99'), 406, 'computeFault')
    assert 'Minimum is 3.0 and maximum is 3.71' in message
    fault(call(app, '/v3/p/volumes/v1', OpenStack_API_Version='volume x'), 400, 'badRequest')


def test_quota_says_when_to_come_back(app):
    response = extended(app, {'os-extend': {'new_size': 101}})
    assert fault(response, 413, 'overLimit') == 'Only 3G left.'
    assert response.headers['Retry-After'] == '0' and response.json['overLimit']['retryAfter'] == '0'


def test_refused_by_policy(app, policy_file, clock):
    assert call(app, '/v3/p/volumes/v1').status_int == 200
    policy_file.write_text('"volume:extend": "!"\n')
    clock.now += 1
    assert 'volume:extend' in fault(call(app, '/v3/p/volumes/v1'), 403, 'forbidden')


def test_another_project_in_the_path(app):
    headers = {'X_User_Id': 'u', 'X_Project_Id': 'p', 'X_Roles': 'member'}
    assert call(app, '/v3/p/volumes/v1', **headers).status_int == 200
    assert call(app, '/v3/volumes/v1', **headers).json['project'] == 'p'
    fault(call(app, '/v3/q/volumes/v1', **headers), 400, 'badRequest')
    assert call(app, '/v3/q/volumes/v1', **{**headers, 'X_Roles': 'admin'}).json['project'] == 'p'
    assert call(app, '/v3/q/volumes/v1', **headers, X_Service_Roles='service').status_int == 200


def test_who_belongs_to_no_project_makes_nothing(service):
    app = web.application(service, {'/v3/{project_id}/things': {'GET': new, 'POST': new},
                                    '/v3/{project_id}/things/{id}/action': {'POST': later}}, VERSIONS)
    admin = {'X_User_Id': 'u', 'X_Roles': 'admin'}
    assert call(app, '/v3/things', **admin).status_int == 200
    assert 'scoped' in fault(call(app, '/v3/things', 'POST', {}, **admin), 400, 'badRequest')
    fault(call(app, '/v3/things', X_User_Id='u', X_Roles='member'), 403, 'forbidden')


def test_without_any_credentials_the_path_names_the_project(app):
    assert call(app, '/v3/somewhere/volumes/v1', X_Auth_Token='').json['project'] == 'somewhere'


def test_an_error_that_nobody_foresaw_is_logged_and_tells_nothing(app, caplog):
    response = call(app, '/v3/p/volumes/broken', 'DELETE')
    message = fault(response, 500, 'computeFault')
    assert 'secret' not in message and 'secret detail' in caplog.text


@pytest.mark.parametrize('error, status', [
    (db.DBConnectionError(Exception('inside')), 503), (db.DBDeadlock(Exception('inside')), 503),
    (exc.TimeoutError('inside'), 503), (db.DBDataError(Exception('inside')), 400),
    (db.DBError(exc.DataError('SELECT', {}, Exception('inside'))), 400), (db.DBError(Exception('inside')), 500)])
def test_what_a_database_may_say(service, error, status):
    @web.handler()
    def broken(req):
        raise error

    response = call(web.application(service, {'/v3/broken': {'GET': broken}}, VERSIONS), '/v3/broken')
    assert response.status_int == status and 'inside' not in response.text


@pytest.mark.parametrize('path', ['/', '/volume', '/volume/'])
def test_the_root_document(app, path):
    response = call(app, path)
    assert response.status_int == 300
    (version,) = response.json['versions']
    assert (version['id'], version['version'], version['min_version'], version['status']) == (
        'v3.0', '3.71', '3.0', 'CURRENT')
    prefix = '/volume' if 'volume' in path else ''
    assert version['links'][0] == {'rel': 'self', 'href': f'http://api:8776{prefix}/v3/'}


@pytest.mark.parametrize('path', ['/v3', '/v3/', '/volume/v3/'])
def test_the_version_document(app, path):
    response = call(app, path, X_Auth_Token='', OpenStack_API_Version='volume 9.99')
    assert response.status_int == 200 and response.json['versions'][0]['id'] == 'v3.0'
    fault(call(app, path, 'POST', {}), 405, 'badMethod')


def test_compute_discovery(service):
    app = web.application(service, {}, COMPUTE)
    assert call(app, '/').status_int == 200
    assert call(app, '/').json['versions'][0]['id'] == 'v2.1'
    document = call(app, '/v2.1').json['version']
    assert (document['version'], document['links'][0]['href']) == ('2.96', 'http://api:8776/v2.1/')


def test_links_behind_a_proxy(service):
    service.conf.set_override('public_endpoint', 'https://cloud.example/volume', 'api')
    app = web.application(service, ROUTES, VERSIONS)
    assert call(app, '/').json['versions'][0]['links'][0]['href'] == 'https://cloud.example/volume/v3/'
    assert call(app, '/v3/p/volumes/v1').json['url'] == 'https://cloud.example/volume/v3/p/volumes/v1'


def test_headers_of_a_proxy_count_where_it_is_said_so(service):
    headers = {'X_Forwarded_Proto': 'https', 'X_Forwarded_Host': 'cloud.example, inner',
               'X_Forwarded_Prefix': '/storage/'}
    app = web.application(service, ROUTES, VERSIONS)
    assert call(app, '/v3/p/volumes/v1', **headers).json['url'] == 'http://api:8776/v3/p/volumes/v1'
    service.conf.set_override('enable_proxy_headers_parsing', True, 'api')
    app = web.application(service, ROUTES, VERSIONS)
    assert call(app, '/v3/p/volumes/v1', **headers).json['url'] == (
        'https://cloud.example/storage/v3/p/volumes/v1')
    assert call(app, '/v3/p/volumes/v1').json['url'] == 'http://api:8776/v3/p/volumes/v1'


def test_under_a_mount_point(app):
    response = call(app, '/v3/p/volumes/v1', environ={'SCRIPT_NAME': '/cinder', 'PATH_INFO': '/v3/p/volumes/v1'})
    assert response.json['url'] == 'http://api:8776/cinder/v3/p/volumes/v1'


def test_healthcheck_needs_no_token(app):
    response = call(app, '/healthcheck', X_Auth_Token='')
    assert response.status_int == 200 and 'OK' in response.text or response.body == b''


def test_metrics(app):
    stuck = metrics.Family('operations_stuck', 'Stuck.', 'gauge', [({'name': 'extend-volume'}, 2)])
    app.metrics.add(lambda: [stuck])
    call(app, '/v3/p/volumes/v1')
    call(app, '/v3/p/volumes/v2')
    text = call(app, '/metrics').text
    assert re.search(r'http_request_duration_seconds_count{method="GET",'
                     r'route="/v3/{project_id}/volumes/{volume_id}",status="200"} 2.0', text)
    assert 'operations_stuck{name="extend-volume"} 2.0' in text


def test_one_access_line(app, caplog):
    caplog.set_level('INFO', 'svckit.access')
    call(app, '/volume/v3/p/volumes/v1?x=1')
    (line,) = [record.getMessage() for record in caplog.records if record.name == 'svckit.access']
    assert '"GET /volume/v3/p/volumes/v1?x=1" 200' in line


def test_a_client_cannot_write_lines_of_its_own(app, caplog):
    caplog.set_level('INFO', 'svckit.access')
    call(app, '/v3/p/volumes/%0aERROR%20%c3%a9')
    (line,) = [record.getMessage() for record in caplog.records if record.name == 'svckit.access']
    assert r'volumes/\nERROR ' in line and line.isascii() and '\n' not in line


def test_made_up_methods_are_counted_as_one(app):
    for number in range(5):
        fault(call(app, '/v3/p/volumes/v1', f'METHOD{number}'), 405, 'badMethod')
    text = call(app, '/metrics').text
    assert 'method="OTHER"' in text and 'METHOD' not in text
