"""Tags of servers."""
from computesvc.db.models import Server


def call(world, server_id, method, tag='', body=None, **kw):
    return world.call(method, f'/v2.1/servers/{server_id}/tags{tag}', body, **kw)


def test_a_tags_life(world):
    server_id = world.boot(tags=['red', 'red', 'big'])
    assert world.server(server_id)['tags'] == ['big', 'red']
    added = call(world, server_id, 'PUT', '/new')
    assert added.status == 201 and added.headers['Location'].endswith(f'/servers/{server_id}/tags/new')
    assert call(world, server_id, 'PUT', '/new').status == 204
    assert call(world, server_id, 'GET').json == {'tags': ['big', 'new', 'red']}
    assert (call(world, server_id, 'GET', '/new').status, call(world, server_id, 'GET', '/old').status) == (204, 404)
    assert call(world, server_id, 'DELETE', '/new').status == 204
    assert call(world, server_id, 'DELETE', '/new').status == 404
    assert call(world, server_id, 'PUT', '', {'tags': ['b', 'a', 'b']}).json == {'tags': ['a', 'b']}
    assert call(world, server_id, 'DELETE').status == 204
    assert world.server(server_id)['tags'] == []


def test_refused(world):
    server_id = world.boot()
    for body in ({'tags': ['a,b']}, {'tags': ['']}, {'tags': 'a'}, {'tags': [f't{n}' for n in range(51)]}, {}, None,
                 {'tags': ['x' * 61]}, {'tags': [1]}, {'tags': [], 'more': 1}):
        assert call(world, server_id, 'PUT', '', body).status == 400, body
    assert call(world, server_id, 'PUT', f"/{'x' * 61}").status == 400
    assert call(world, server_id, 'PUT', '/a,b').status == 400
    assert call(world, server_id, 'PUT', '', {'tags': [f't{n}' for n in range(50)]}).status == 200
    assert call(world, server_id, 'PUT', '/one-more').status == 400
    assert call(world, server_id, 'GET', project='p2').status == 404
    assert call(world, server_id, 'PUT', '/x', roles='reader').status == 403
    for method, tag in (('GET', ''), ('PUT', '/a'), ('DELETE', '')):
        assert call(world, server_id, method, tag, version='2.25').status == 404
    with world.service.db.transaction() as session:
        session.get(Server, server_id).vm_state = 'building'
    assert call(world, server_id, 'PUT', '/a').status == call(world, server_id, 'DELETE').status == 409
