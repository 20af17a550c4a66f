"""Lists of servers: what they are filtered by, for whom and since when; order; pages."""
import urllib.parse

import pytest

from computesvc.api.servers import SORTS
from computesvc.db.models import Server
from tests.api.computesvc.world import World

GIVEN = {
    'a': {'tags': ['red', 'big'], 'meta': {'team': 'x', 'of': 'y"z'}, 'hostname': 'ha', 'key_name': 'k1'},
    'b': {'tags': ['red'], 'meta': {'team': 'X'}, 'vm_state': 'stopped', 'power_state': 4, 'config_drive': True},
    'c': {'tags': ['re', 'd"red'], 'vm_state': 'active', 'task_state': 'rebooting', 'locked': True},
    'd': {'vm_state': 'error', 'availability_zone': 'nova', 'description': 'fourth', 'user_id': 'u2'},
}


@pytest.fixture
def four(world):
    return make_four(world)


def make_four(world):
    """Servers by name, each with something of its own."""
    ids = {}
    for number, (name, values) in enumerate(GIVEN.items()):
        ids[name] = world.boot(run=False, name=name)
        with world.service.db.transaction() as session:
            row = session.get(Server, ids[name])
            for column, value in ({'vm_state': 'active', 'task_state': None, 'launch_index': number} | values).items():
                setattr(row, column, value)
    return ids


def names(world, query='', **kw):
    found = world.get(f'/servers?{query}&sort_key=display_name&sort_dir=asc', **kw)['servers']
    return ''.join(server['name'] for server in found)


def test_by_tags(world, four):
    assert names(world, 'tags=red') == 'ab' and names(world, 'tags=red,big') == 'a'
    assert names(world, 'tags-any=big,re') == 'ac' and names(world, 'not-tags=red,big') == 'bcd'
    assert names(world, 'not-tags-any=big,re') == 'bd' and names(world, 'tags=red&not-tags=big') == 'b'
    assert names(world, 'tags=nonsense') == '' and names(world, 'tags=red', version='2.25') == 'abcd'


def test_by_state(world, four):
    assert names(world, 'status=ACTIVE') == 'a' and names(world, 'status=shutoff') == 'b'
    assert names(world, 'status=REBOOT') == 'c' and names(world, 'status=ACTIVE&status=ERROR') == 'ad'
    assert names(world, 'status=VERIFY_RESIZE') == ''
    assert names(world, 'vm_state=stopped') == 'b' and names(world, 'task_state=rebooting') == 'c'
    assert names(world, 'power_state=4') == 'b' and names(world, 'locked=true') == 'c'


def test_by_what_everybody_may(world, four):
    assert names(world, 'name=^[ab]$') == 'ab' and names(world, 'flavor=42') == 'abcd'
    assert names(world, 'flavor=1') == '' and names(world, 'image=x') == '' and names(world, 'ip=10.0.0.1') == ''
    assert names(world, 'hostname=ha') == 'a' and names(world, 'key_name=k1') == 'a'
    assert names(world, 'availability_zone=nova') == 'd' and names(world, 'config_drive=true') == 'b'
    assert names(world, 'user_id=u2') == 'd' and names(world, 'progress=0') == 'abcd'
    moment = world.server(four['a'])['created'].rstrip('Z')
    assert 'a' in names(world, f'created_at={moment}') and names(world, 'created_at=2001-01-01T00:00:00') == ''
    assert names(world, 'launched_at=2001-01-01T00:00:00') == ''


def test_what_only_some_may(world, four):
    """For others, and before its version, a filter is passed over."""
    admin = {'roles': 'admin'}
    wanted = urllib.parse.quote('{"team": "x"}')
    for query, found in (('launch_index=2', 'c'), ('description=fourth', 'd'), ('host=none', ''), ('node=none', ''),
                         (f'metadata={wanted}', 'a'), (f"uuid={four['b']}", 'b'), ('root_device_name=vdz', '')):
        assert names(world, query, **admin) == found, query
        assert names(world, query) == 'abcd', query
    for query, since in (('vm_state=stopped', '2.83'), ('locked=true', '2.73'), ('hostname=ha', '2.90'),
                         ('ip6=::1', '2.5'), ('key_name=k1', '2.83')):
        assert len(names(world, query, version=since)) < 4, query
        earlier = f"2.{int(since.split('.')[1]) - 1}"
        assert names(world, query, version=earlier) == 'abcd', query
    assert names(world, 'vm_state=stopped', version='2.1', **admin) == 'b'
    assert world.call('GET', '/v2.1/servers?metadata=x', **admin).status == 400
    assert world.call('GET', '/v2.1/servers?power_state=on').status == 400
    assert world.call('GET', '/v2.1/servers?all_tenants=perhaps', **admin).status == 400


def test_deleted_ones(world, four):
    world.call('DELETE', f"/v2.1/servers/{four['b']}")
    world.run()
    long_ago = '2020-01-01T00:00:00Z'
    assert names(world) == 'acd' and names(world, f'changes-since={long_ago}') == 'abcd'
    assert names(world, 'changes-before=2099-01-01T00:00:00Z') == 'abcd'
    assert names(world, 'deleted=true') == 'acd' and names(world, 'deleted=true', roles='admin') == 'b'
    assert names(world, f'changes-since={long_ago}&deleted=false', roles='admin') == 'acd'
    assert names(world, 'status=deleted', roles='admin') == 'b'
    assert world.call('GET', '/v2.1/servers?status=deleted').status == 403
    assert world.call(
        'GET', f'/v2.1/servers?changes-since=2021-01-01T00:00:00Z&changes-before={long_ago}').status == 400


def test_every_order_has_every_page(world, four):
    for key in SORTS:
        for direction in ('asc', 'desc'):
            path, seen = f'/v2.1/servers?sort_key={key}&sort_dir={direction}&limit=3', []
            while path:
                page = world.call('GET', path, roles='admin').json
                seen += [server['id'] for server in page['servers']]
                following = [link['href'] for link in page.get('servers_links', ())]
                path = following[0].removeprefix('http://compute:80') if following else None
            assert sorted(seen) == sorted(four.values()), (key, direction)
    for key in ('host', 'node'):
        assert world.call('GET', f'/v2.1/servers?sort_key={key}').status == 403
    assert len(world.get('/servers?limit=0')['servers']) == 4
    assert world.call('GET', '/v2.1/servers?limit=x').status == 400


def test_update_shows_less_before_2_75(world, four):
    body = {'server': {'name': 'new'}}
    old = world.call('PUT', f"/v2.1/servers/{four['a']}", body, version='2.74', roles='admin').json['server']
    new = world.call('PUT', f"/v2.1/servers/{four['a']}", body, version='2.75', roles='admin').json['server']
    assert not [name for name in old if name.startswith(('OS-EXT', 'OS-SRV', 'os-ext'))]
    assert set(new) - set(old) >= {'OS-EXT-STS:vm_state', 'OS-EXT-SRV-ATTR:host', 'config_drive', 'host_status'}
    assert set(new) == set(world.server(four['a'], version='2.75', roles='admin'))


def test_faults(world, four):
    with world.service.db.transaction() as session:
        row = session.get(Server, four['d'])
        row.fault = {'code': 500, 'created': '2026-01-01T00:00:00Z', 'message': 'no', 'details': 'because'}
    assert world.server(four['d'])['fault'] == {'code': 500, 'created': '2026-01-01T00:00:00Z', 'message': 'no'}
    assert world.server(four['d'], roles='admin')['fault']['details'] == 'because'
    assert 'fault' not in world.server(four['a'])


@pytest.mark.parametrize('kind', ['postgresql', 'mariadb'])
def test_on_other_databases(kind, all_databases, tmp_path):
    """They differ in how they compare, sort and search."""
    world = World(all_databases.wiped(kind, 'computesvc api'), tmp_path)
    ids = make_four(world)
    for story in (test_by_tags, test_by_state, test_by_what_everybody_may, test_what_only_some_may,
                  test_every_order_has_every_page):
        story(world, ids)
    world.service.db.dispose()
