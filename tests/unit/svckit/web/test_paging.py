"""Pages: what is asked for, and the link to the next."""
from types import SimpleNamespace

import pytest

from svckit import errors
from svckit.web import Page, links

KEYS = ('created_at', 'name', 'size', 'id')


def page(lists=None, **query):
    return Page.from_query(query, 1000, KEYS, lists=lists)


def test_nothing_asked():
    assert page() == Page(1000, None, 0, [('created_at', 'desc'), ('id', 'desc')])


def test_all_asked():
    assert page(limit='5', marker='m', offset='2', sort='name:asc,size') == Page(
        5, 'm', 2, [('name', 'asc'), ('size', 'desc'), ('id', 'desc')])


def test_more_than_the_most_is_the_most():
    assert page(limit='5000').limit == 1000


def test_novas_way_to_sort():
    assert page(lists={'sort_key': ['name', 'size'], 'sort_dir': ['asc']}).sort == [
        ('name', 'asc'), ('size', 'desc'), ('id', 'desc')]
    assert page(sort_dir='asc').sort == [('created_at', 'asc'), ('id', 'asc')]
    assert page(sort_key='id', sort_dir='asc').sort == [('id', 'asc')]


@pytest.mark.parametrize('query', [
    {'limit': '-1'}, {'limit': 'x'}, {'limit': '1.5'}, {'limit': ''}, {'limit': '9' * 30}, {'limit': '²'},
    {'offset': '-1'}, {'offset': '99999999999'}, {'sort': 'secret'}, {'sort': 'name:up'}, {'sort': ','},
    {'sort_key': 'secret'}, {'sort_dir': 'sideways'}])
def test_nonsense_is_refused(query):
    with pytest.raises(errors.BadRequest):
        page(**query)


def test_a_full_page_links_to_the_next():
    req = SimpleNamespace(path_url='http://api/v3/p/volumes',
                          query_lists={'limit': ['2'], 'marker': ['a'], 'offset': ['1'], 'name': ['ü', 'x']})
    assert links(req, 'volumes', [{'id': 'b'}, {'id': 'c'}], page(limit='2')) == {'volumes_links': [
        {'rel': 'next', 'href': 'http://api/v3/p/volumes?limit=2&name=%C3%BC&name=x&marker=c'}]}
    assert links(req, 'volumes', [{'id': 'b'}], page(limit='2')) == {}
    assert links(req, 'volumes', [], page(limit='0')) == {}
