"""Lists of migrations, and of servers by what is done with them."""
import pytest

from tests.api.computesvc import moving
from tests.api.computesvc.moving import ADMIN, boot, resize, resized


@pytest.fixture
def world(tmp_path):
    yield from moving.two_hosts(tmp_path)


def test_lists_of_migrations(world):
    first, second = resized(world), boot(world)
    assert world.get(f'/servers/{second}/migrations', **ADMIN) == {'migrations': []}
    world.act(second, 'migrate', **ADMIN)
    shown = world.get(f'/servers/{second}/migrations', **ADMIN)['migrations']
    assert [(m['status'], m['server_uuid'], m['project_id']) for m in shown] == [('pre-migrating', second, 'ops')]
    assert world.get(f"/servers/{second}/migrations/{shown[0]['id']}", **ADMIN)['migration'] == shown[0]
    world.run()
    assert world.call('GET', f"/v2.1/servers/{second}/migrations/{shown[0]['id']}", **ADMIN).status == 404
    assert world.call('GET', f'/v2.1/servers/{second}/migrations', version='2.22', **ADMIN).status == 404
    assert world.call('GET', f'/v2.1/servers/{second}/migrations/x', **ADMIN).status == 404
    page = world.get('/os-migrations?limit=1', **ADMIN)
    assert [m['instance_uuid'] for m in page['migrations']] == [second]
    assert f"marker={page['migrations'][0]['uuid']}" in page['migrations_links'][0]['href']
    rest = world.get(f"/os-migrations?limit=1&marker={page['migrations'][0]['uuid']}", **ADMIN)
    assert [m['instance_uuid'] for m in rest['migrations']] == [first]
    both = [second, first]
    for query, found in {
            'migration_type=resize': [first], f'instance_uuid={second}': [second], 'host=host2': both,
            'status=finished': both, 'status=error': [], 'source_compute=host2': [], 'user_id=u1': [first],
            'project_id=p2': [], 'changes-since=2999-01-01T00:00:00Z': [],
            'changes-before=2999-01-01T00:00:00Z': both}.items():
        listed = world.get(f'/os-migrations?{query}', **ADMIN)['migrations']
        assert [m['instance_uuid'] for m in listed] == found, query
    for wrong in ('marker=nothing', 'limit=-1', 'what=ever', 'changes-since=never',
                  'changes-since=2999-01-01T00:00:00Z&changes-before=2000-01-01T00:00:00Z'):
        assert world.call('GET', f'/v2.1/os-migrations?{wrong}', **ADMIN).status == 400, wrong


@pytest.mark.parametrize('version, has, has_not', [
    ('2.1', [], ['migration_type', 'uuid', 'user_id']), ('2.23', ['migration_type'], ['uuid', 'user_id']),
    ('2.59', ['migration_type', 'uuid'], ['user_id']),
    ('2.80', ['migration_type', 'uuid', 'user_id', 'project_id'], [])])
def test_versions_of_migrations(world, version, has, has_not):
    resized(world)
    shown = world.get('/os-migrations', version=version, **ADMIN)['migrations'][0]
    assert all(name in shown for name in has) and not any(name in shown for name in has_not)


def test_servers_by_status(world):
    server_id = boot(world)
    found = lambda word: [s['id'] for s in world.get(f'/servers?status={word}')['servers']]     # noqa: E731
    resize(world, server_id)
    assert found('RESIZE') == [server_id] and found('ACTIVE') == [] == found('VERIFY_RESIZE')
    world.run()
    assert found('VERIFY_RESIZE') == [server_id] and found('RESIZE') == []
    world.act(server_id, 'revertResize')
    assert found('REVERT_RESIZE') == [server_id] and found('VERIFY_RESIZE') == []
