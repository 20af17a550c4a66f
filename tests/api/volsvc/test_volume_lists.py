"""Lists of volumes: pages, order, filters, whose."""
import urllib.parse

import pytest

from tests.api.volsvc.world import ADMIN, SERVICE


@pytest.fixture
def three(world):
    """Ids of volumes of 3, 1 and 2 GiB, named c, a and b, in the order they were made."""
    return [world.create(size, name=name, metadata={'is': name}) for size, name in ((3, 'c'), (1, 'a'), (2, 'b'))]


def names(world, query='', path='/volumes/detail', **kw):
    return ''.join(volume['name'] for volume in world.get(f'{path}?{query}', **kw)['volumes'])


def test_newest_first(world, three):
    assert names(world) == 'bac'


def test_summary_of_each(world, three):
    assert set(world.get('/volumes')['volumes'][0]) == {'id', 'name', 'links'}


def test_details_of_each(world, three):
    assert world.get('/volumes/detail')['volumes'][2] == world.volume(three[0])


@pytest.mark.parametrize('query, found', [
    ('sort=name:asc', 'abc'), ('sort=name', 'cba'), ('sort=size:desc', 'cba'), ('sort_key=size&sort_dir=asc', 'abc'),
    ('sort=status,name:asc', 'abc'), ('sort_key=created_at&sort_dir=asc', 'cab'), ('sort=display_name:asc', 'abc')])
def test_order(world, three, query, found):
    assert names(world, query) == found


def test_pages(world, three):
    first = world.get('/volumes?limit=2&sort=name:asc')
    assert [volume['name'] for volume in first['volumes']] == ['a', 'b']
    (link,) = first['volumes_links']
    assert link['rel'] == 'next'
    rest = urllib.parse.urlsplit(link['href'])
    second = world.call('GET', f'{rest.path}?{rest.query}').json
    assert [volume['name'] for volume in second['volumes']] == ['c'] and 'volumes_links' not in second


@pytest.mark.parametrize('query, found', [('limit=1&sort=name:asc&offset=1', 'b'), ('limit=0', ''), ('offset=7', '')])
def test_part(world, three, query, found):
    assert names(world, query) == found


def test_count(world, three):
    assert world.get('/volumes?with_count=True&limit=1')['count'] == 3


def test_no_count_below_3_45(world, three):
    assert 'count' not in world.get('/volumes?with_count=True', version='3.44')


@pytest.mark.parametrize('query', ['limit=-1', 'limit=x', 'offset=-1', 'sort=colour', 'sort=name:up', 'sort_key=x',
                                   'sort=name&sort_key=size', 'sort=name&sort_dir=asc', 'glance_metadata=x',
                                   'offset=99999999999999', 'bootable=perhaps', 'size=big',
                                   'metadata=x', 'metadata=%7B1:2%7D', 'created_at=gt:yesterday',
                                   'created_at=xx:2026-01-01', 'colour=red', 'host=x', 'consumes_quota=maybe',
                                   'size=%00'])
def test_wrong(world, three, query):
    assert world.call('GET', f'/v3/p1/volumes/detail?{query}').status == 400


@pytest.mark.parametrize('path', ['volumes', 'volumes/detail', 'snapshots', 'attachments', 'messages', 'types'])
def test_marker_that_is_not_there(world, path):
    assert 'nothing could not be found' in world.refused(404, 'GET', f'/{path}?marker=nothing')


@pytest.mark.parametrize('key', ['a"b', "a'b", 'a.b', 'a\\b', '$', '*', 'ä', '[0]', ''])
def test_metadata_with_odd_keys(world, three, key):
    assert names(world, urllib.parse.urlencode({'metadata': repr({key: 'x'})})) == ''


def test_image_metadata(world, three):
    for id, value in zip(three, 'xxy', strict=True):
        world.act(id, 'os-set_image_metadata', {'metadata': {'os': value}}, 200)
    query = urllib.parse.urlencode({'glance_metadata': repr({'os': 'x'})})
    assert names(world, query) == 'ac' and names(world, query, version='3.4') == 'ac'
    assert names(world, query, version='3.3') == 'bac'


def test_made_from(world, three):
    copy = world.create(3, name='k', source_volid=three[0])
    assert names(world, f'source_volid={three[0]}') == 'k' and world.volume(copy)['source_volid'] == three[0]


def test_alike_ones_are_sorted_by_time(world, three):
    assert names(world, 'sort=status:asc') == 'cab' and names(world, 'sort=availability_zone') == 'bac'


def test_unknown_filters_pass_below_3_31(world, three):
    assert names(world, 'colour=red', version='3.30') == 'bac'


@pytest.mark.parametrize('query, found', [
    ('name=a', 'a'), ('name=nothing', ''), ('status=available', 'bac'), ('status=error', ''), ('size=2', 'b'),
    ('bootable=True', ''), ('bootable=false', 'bac'), ("metadata={'is': 'c'}", 'c'), ('metadata={"is": "c"}', 'c'),
    ("metadata={'is': 'c', 'x': 'y'}", ''), ('availability_zone=nova', 'bac'), ('availability_zone=x', ''),
    ('name~=a', 'a'), ('status~=avail', 'bac'), ('name~=%25', ''), ('display_name=b', 'b'), ('group_id=x', ''),
    ('migration_status=x', ''), ('consumes_quota=true', 'bac'), ('consumes_quota=false', ''),
    ('created_at=gt:2020-01-01T00:00:00', 'bac'), ('created_at=lt:2020-01-01', ''),
    ('created_at=gte:2020-01-01T00:00:00Z,lte:2100-01-01T00:00:00%2B01:00', 'bac'), ('updated_at=lt:2020-01-01', '')])
def test_filter(world, three, query, found):
    query = query if '%' in query else urllib.parse.quote(query, safe='=&')
    assert names(world, query) == found


def test_like_came_with_3_34(world, three):
    assert world.call('GET', '/v3/p1/volumes?name~=a', version='3.33').status == 400


def test_bootable_was_loose_below_3_2(world, three):
    assert names(world, 'bootable=perhaps', version='3.1') == ''


class TestWhose:

    @pytest.fixture(autouse=True)
    def others(self, world, three):
        world.post('/volumes', {'volume': {'size': 1, 'name': 'z'}}, project='p2')

    def test_own(self, world):
        assert names(world) == 'bac'

    def test_all_tenants_means_nothing_to_users(self, world):
        assert names(world, 'all_tenants=1&sort=name:asc') == 'abc'

    def test_administrators_own(self, world):
        assert names(world, project='p2', **ADMIN) == 'z'

    @pytest.mark.parametrize('value', ['1', 'True', 'true'])
    def test_administrators_all(self, world, value):
        assert names(world, f'all_tenants={value}&sort=name:asc', **ADMIN) == 'abcz'

    def test_administrators_of_one_project(self, world):
        assert names(world, 'all_tenants=1&project_id=p2', **ADMIN) == 'z'

    def test_project_means_nothing_to_users(self, world):
        assert names(world, 'project_id=p2') == 'bac'

    def test_by_host(self, world):
        assert names(world, 'all_tenants=1&host=host@memory%23memory&sort=name:asc', **ADMIN) == 'abcz'

    def test_marker_of_another_project(self, world):
        other = world.get('/volumes', project='p2')['volumes'][0]['id']
        assert other in world.refused(404, 'GET', f'/volumes?marker={other}')

    def test_another_project_in_the_path(self, world):
        assert world.call('GET', '/v3/p2/volumes').status == 400


class TestSummary:

    def test_numbers(self, world, three):
        assert world.get('/volumes/summary', version='3.12') == {
            'volume-summary': {'total_count': 3, 'total_size': 6}}

    def test_metadata(self, world, three):
        assert world.get('/volumes/summary', version='3.36')['volume-summary']['metadata'] == {'is': ['a', 'b', 'c']}

    def test_came_with_3_12(self, world):
        assert world.call('GET', '/v3/p1/volumes/summary', version='3.11').status == 404


def test_same_number_of_queries_for_many(world, three):
    """A list costs the same few queries, however long it is."""
    from sqlalchemy import event
    statements = []
    event.listen(world.service.db.reading, 'before_cursor_execute', lambda *a: statements.append(a[2]))
    world.get('/volumes/detail')
    assert len([text for text in statements if text != 'BEGIN']) <= 3, statements


def test_service_lists_all(world, three):
    assert names(world, 'all_tenants=1&sort=name:asc', **{**SERVICE, 'roles': 'admin,service'}) == 'abc'
