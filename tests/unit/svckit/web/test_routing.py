"""The route table."""
import pytest

from svckit import errors
from svckit.web.routing import Router

ROUTES = {
    '/v3/{project_id}/volumes': {'GET': 'list', 'POST': 'create'},
    '/v3/{project_id}/volumes/detail': {'GET': 'detail'},
    '/v3/{project_id}/volumes/{volume_id}': {'GET': 'show', 'DELETE': 'delete'},
    '/v3/{project_id}/volumes/{volume_id}/action': {'POST': 'action'},
    '/v3/extensions': {'GET': 'extensions'},
}
router = Router(ROUTES)


@pytest.mark.parametrize('path, handler, arguments', [
    ('/v3/p/volumes', 'list', {'project_id': 'p'}),
    ('/v3/p/volumes/', 'list', {'project_id': 'p'}),
    ('/v3/volumes', 'list', {}),
    ('/v3/p/volumes/detail', 'detail', {'project_id': 'p'}),
    ('/v3/volumes/detail', 'detail', {}),
    ('/v3/p/volumes/v1', 'show', {'project_id': 'p', 'volume_id': 'v1'}),
    ('/v3/volumes/v1', 'show', {'volume_id': 'v1'}),
    ('/v3/volumes/volumes/v1', 'show', {'project_id': 'volumes', 'volume_id': 'v1'}),
    ('/v3/p/volumes/schöne grüße', 'show', {'project_id': 'p', 'volume_id': 'schöne grüße'}),
    ('/v3/extensions', 'extensions', {}),
])
def test_found(path, handler, arguments):
    assert router.find(path, 'GET')[:2] == (handler, arguments)


def test_a_literal_that_leads_nowhere_gives_way():
    assert router.find('/v3/p/volumes/detail/action', 'POST')[:2] == (
        'action', {'project_id': 'p', 'volume_id': 'detail'})


@pytest.mark.parametrize('path', ['/v3', '/v4/p/volumes', '/v3/p/volumes/v1/x', '/v3/p', '/v3/p//volumes', '',
                                  '/v3/p/volumes/v1/action/', '/v3//volumes', '//'])
def test_unknown(path):
    with pytest.raises(errors.NotFound if 'action' not in path else errors.MethodNotAllowed):
        router.find(path, 'GET')


def test_another_method():
    with pytest.raises(errors.MethodNotAllowed) as caught:
        router.find('/v3/p/volumes', 'PUT')
    assert caught.value.headers['Allow'] == 'GET, POST'


def test_the_route_is_told_as_it_was_written():
    assert router.find('/v3/volumes/v1', 'GET')[2] == '/v3/{project_id}/volumes/{volume_id}'
