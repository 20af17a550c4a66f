"""What the databases could take differently, on each of them."""
import concurrent.futures
import itertools
import urllib.parse
import uuid

import pytest

from tests.api.volsvc.world import ADMIN, SERVICE
from tests.conftest import KINDS


@pytest.fixture(params=KINDS)
def world(request, make_world, all_databases):
    return make_world(database__connection=all_databases.wiped(request.param, 'volsvc api'))


def names(world, query):
    found = world.get(f'/volumes/detail?{urllib.parse.quote(query, safe="=&~")}')['volumes']
    return ''.join(volume['name'] for volume in found)


def test_lists(world):
    for size, name in ((3, 'c'), (1, 'a'), (2, 'b')):
        world.create(size, name=name, metadata={'is': name, 'of': '😀'})
    world.put(f'/volumes/{world.get("/volumes?name=b")["volumes"][0]["id"]}', {'volume': {'description': '😀'}})
    for query, found in (
            ('', 'bac'), ('sort=name:asc', 'abc'), ('sort=size:desc,name:asc', 'cba'), ('sort=updated_at:desc', 'bac'),
            ('sort=bootable,name:asc', 'abc'), ("metadata={'is': 'c'}", 'c'), ("metadata={'is': 'x'}", ''),
            ('bootable=false', 'bac'), ('name~=a', 'a'), ('name=A', ''), ('name~=_', ''), ('description=😀', 'b'),
            ('size=2', 'b'), ('created_at=gt:2020-01-01', 'bac'), ('status=available', 'bac')):
        assert names(world, query) == found, query


@pytest.mark.parametrize('sort', ['created_at:desc', 'updated_at:asc', 'name:asc', 'size:desc', 'bootable:asc',
                                  'status', 'host:asc,size:asc', 'availability_zone', 'id:asc'])
def test_pages_hold_each_once(world, sort):
    ids = {world.create(size % 3 + 1, run=False, name=f'v{size % 2}') for size in range(7)}
    world.run()
    found, address = [], f'/v3/p1/volumes?limit=2&sort={sort}'
    while address:
        answer = world.call('GET', address).json
        found += [volume['id'] for volume in answer['volumes']]
        (link,) = answer.get('volumes_links') or [None]
        address = link and '{0.path}?{0.query}'.format(urllib.parse.urlsplit(link['href']))
    assert len(found) == 7 and set(found) == ids


def test_a_life(world):
    id = world.create(1, name='😀', metadata={'a': 'b'})
    attachment = world.attach(id)
    world.extend(id, 2)
    world.run()
    assert (world.volume(id)['status'], world.volume(id)['size']) == ('in-use', 2)
    assert [op['name'] for op in world.get(f'/operations?volume_id={id}')['operations']] == [
        'extend-volume', 'connect-attachment', 'create-volume']
    with world.eager():
        world.delete(f'/attachments/{attachment}', 200, **SERVICE)
    world.delete(f'/volumes/{id}')
    world.run()
    assert world.used() == {}


def test_types_and_quotas(world):
    world.post('/types', {'volume_type': {'name': 'gold', 'extra_specs': {'multiattach': '<is> True'}}}, 200, **ADMIN)
    assert world.call('POST', '/v3/p1/types', {'volume_type': {'name': 'gold'}}, **ADMIN).status == 409
    world.put('/os-quota-sets/p1', {'quota_set': {'gigabytes_gold': 2}}, **ADMIN)
    world.create(2, volume_type='gold')
    assert world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1, 'volume_type': 'gold'}}).status == 413
    assert world.used() == {'volumes': 1, 'gigabytes': 2, 'volumes_gold': 1, 'gigabytes_gold': 2}


def test_attachments_and_messages_in_pages(world):
    id = world.create()
    world.attach(id)
    world.nova.hosts['host1']['extend_attached'] = False
    for size in (2, 3):
        world.extend(id, size)
        world.run()
    first = world.get('/messages?limit=1')
    second = world.get(f'/messages?limit=1&marker={first["messages"][0]["id"]}')
    assert '3 GiB' in first['messages'][0]['user_message'] and '2 GiB' in second['messages'][0]['user_message']
    assert len(world.get('/attachments?limit=1')['attachments']) == 1


def at_once(number, request) -> list[int]:
    """The statuses that so many threads get which ask at once."""
    with concurrent.futures.ThreadPoolExecutor(number) as pool:
        return sorted(answer.status for answer in pool.map(lambda _: request(), range(number)))


def test_of_many_extends_at_once_one_begins(world):
    id = world.create()
    found = at_once(8, lambda: world.extend(id, 3))
    assert found[0] == 202 and set(found[1:]) <= {400, 409}
    assert world.used()['gigabytes'] == 3
    world.run()
    assert (world.volume(id)['status'], world.volume(id)['size']) == ('available', 3)


def test_of_many_creates_at_once_so_many_begin_as_the_quota_has(world):
    world.put('/os-quota-sets/p1', {'quota_set': {'volumes': 3}}, **ADMIN)
    found = at_once(8, lambda: world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1}}))
    assert found == 3 * [202] + 5 * [413]
    assert world.used()['volumes'] == 3 and len(world.get('/volumes')['volumes']) == 3


def test_of_many_reservations_at_once_one_holds(world):
    id = world.create()
    found = at_once(8, lambda: world.call('POST', '/v3/service/attachments', {'attachment': {
        'volume_uuid': id, 'instance_uuid': str(uuid.uuid4())}}, **SERVICE))
    assert found[0] == 200 and set(found[1:]) <= {400, 409}
    assert len(world.get('/attachments')['attachments']) == 1


def test_extend_and_delete_at_once(world):
    """One of them wins, the other is refused."""
    id = world.create()
    asks = iter([lambda: world.extend(id, 2), lambda: world.call('DELETE', f'/v3/p1/volumes/{id}')] * 4)
    found = at_once(8, lambda: next(asks)())
    assert found[0] == 202 and set(found[1:]) <= {400, 404, 409}
    world.run()
    assert world.used().get('gigabytes', 0) in (0, 2)


def test_metadata_from_many_at_once_is_all_there(world):
    id, names = world.create(), itertools.count()
    at_once(8, lambda: world.call('POST', f'/v3/p1/volumes/{id}/metadata', {'metadata': {f'k{next(names)}': 'v'}}))
    assert len(world.volume(id)['metadata']) == 8


def snapshot(world, volume, **values):
    return world.call('POST', '/v3/p1/snapshots', {'snapshot': {'volume_id': volume, **values}})


def test_lists_of_snapshots(world):
    volume = world.create()
    for name in 'cab':
        assert snapshot(world, volume, name=name, metadata={'is': name, 'of': '😀'}).status == 202
    world.run()
    for query, found in (('', 'bac'), ('sort=name:asc', 'abc'), ('sort=updated_at:asc,name:asc', 'cab'),
                         ("metadata={'is': 'a'}", 'a'), ('name~=b', 'b'), ('availability_zone=nova', 'bac'),
                         ('limit=1&sort=size:asc,name:desc', 'c')):
        listed = world.get(f'/snapshots?{urllib.parse.quote(query, safe="=&~")}')['snapshots']
        assert ''.join(one['name'] for one in listed) == found, query


def test_of_snapshots_and_a_deletion_at_once(world):
    """The volume goes with none, or stays with some; the quota is right."""
    volume = world.create()
    asks = iter([lambda: snapshot(world, volume), lambda: world.call('DELETE', f'/v3/p1/volumes/{volume}')] * 4)
    found = at_once(8, lambda: next(asks)())
    assert found[0] == 202 and set(found) <= {202, 400, 404, 409}
    world.run()
    left = len(world.get('/snapshots')['snapshots'])
    assert world.used().get('snapshots', 0) == left
    assert (world.call('GET', f'/v3/p1/volumes/{volume}').status == 200) == bool(left)
    assert world.wrong_usage() == []


def test_of_many_snapshots_at_once_so_many_begin_as_the_quota_has(world):
    volume = world.create()
    world.put('/os-quota-sets/p1', {'quota_set': {'snapshots': 3}}, **ADMIN)
    assert at_once(8, lambda: snapshot(world, volume)) == 3 * [202] + 5 * [413]
    assert world.used()['snapshots'] == 3 and world.used()['gigabytes'] == 4


def test_a_type_is_deleted_while_it_is_asked_for(world):
    """Whoever has it keeps it: no volume and no project is left with a type that is gone."""
    path = '/v3/p1/types/' + world.post('/types', {'volume_type': {'name': 'gold'}}, 200, **ADMIN)['volume_type']['id']
    asks = itertools.cycle([
        lambda: world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1, 'volume_type': 'gold'}}),
        lambda: world.call('DELETE', path, **ADMIN),
        lambda: world.call('PUT', '/v3/p1/default-types/p1', {'default_type': {'volume_type': 'gold'}}, **ADMIN)])
    assert set(at_once(9, lambda: next(asks)())) <= {200, 202, 400, 404}
    world.run()
    kept = world.call('GET', path, **ADMIN).status == 200
    used = [volume['volume_type'] for volume in world.get('/volumes/detail')['volumes']]
    assert kept == bool(used or world.get('/default-types', **ADMIN)['default_types']) and set(used) <= {'gold'}


def test_many_choose_a_default_at_once(world):
    body = {'default_type': {'volume_type': '__DEFAULT__'}}
    assert set(at_once(8, lambda: world.call('PUT', '/v3/p1/default-types/p1', body, **ADMIN))) == {200}
    assert len(world.get('/default-types', **ADMIN)['default_types']) == 1
