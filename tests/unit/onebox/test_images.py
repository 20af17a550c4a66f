"""The image service by HTTP, over a folder of real files."""
import hashlib
import time

import pytest
from webob import Request, exc

from onebox.images.access import Caller
from onebox.images.api import Images
from onebox.images.folder import Folder
from onebox.images.library import Library
from onebox.images.made import Made


def callers(token):
    if token != 'good':
        raise exc.HTTPUnauthorized('who?')
    return Caller('p1')


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'small.raw').write_bytes(b'0123456789')
    (tmp_path / 'larger.qcow2').write_bytes(b'x' * 700_000)
    (tmp_path / 'notes.txt').write_text('no image')
    found = Folder(tmp_path)
    found.describe('small.raw', name='guest', min_disk=1, properties={'os_distro': 'tiny'})
    settle(found)
    return found


@pytest.fixture
def images(folder):
    return Images(Library(folder, Made(folder.path / 'made')), callers)


def settle(folder):
    """Waits until every file has been hashed."""
    until = time.monotonic() + 20
    while any(image['status'] != 'active' for image in folder.images()):
        assert time.monotonic() < until
        time.sleep(0.005)


def ask(images, path, token='good', method='GET', **headers):  # noqa: S107
    return Request.blank(path, method=method, accept='application/json',
                         headers={'X-Auth-Token': token, **headers}).get_response(images.application)


def names(images, query=''):
    return [image['name'] for image in ask(images, f'/v2/images{query}').json['images']]


def image_id(images, name):
    return ask(images, f'/v2/images?name={name}').json['images'][0]['id']


def test_versions_need_no_token(images):
    for path, status in (('/', 300), ('/versions', 200)):
        response = ask(images, path, token='')
        assert response.status_int == status
        assert response.json['versions'][0]['status'] == 'CURRENT'


def test_everything_else_does(images):
    for path in ('/v2/images', '/v2/images/x', '/v2/images/x/file', '/v2/schemas/image'):
        assert ask(images, path, token='bad').status_int == 401


@pytest.mark.parametrize('query, wanted', [
    ('?sort=name:asc', ['guest', 'larger']), ('?sort_key=size&sort_dir=desc', ['larger', 'guest']),
    ('?name=guest', ['guest']), ('?name=gues', []), ('?status=active&disk_format=qcow2', ['larger']),
    ('?name=in:guest,%22larger%22&sort=name', ['larger', 'guest']),
    ('?os_distro=tiny', ['guest']), ('?visibility=all&size_max=10', ['guest']),
    ('?status=queued', []), ('?os_hidden=true', []), ('?protected=false&name=guest', ['guest']),
])
def test_lists_are_chosen_and_sorted(images, query, wanted):
    assert names(images, query) == wanted


def test_pages(images):
    first = ask(images, '/v2/images?limit=1&sort=name:asc').json
    assert [image['name'] for image in first['images']] == ['guest']
    second = ask(images, first['next']).json
    assert [image['name'] for image in second['images']] == ['larger']
    assert 'next' not in second


@pytest.mark.parametrize('query', ['?limit=x', '?limit=-1', '?marker=nothing', '?sort=colour', '?sort=name:up',
                                   '?size_min=a'])
def test_bad_queries_say_so(images, query):
    response = ask(images, f'/v2/images{query}')
    assert response.status_int == 400
    assert response.json['message']


def test_show(images):
    image = ask(images, f'/v2/images/{image_id(images, "guest")}').json
    assert (image['size'], image['min_disk'], image['os_distro'], image['disk_format']) == (10, 1, 'tiny', 'raw')
    assert image['checksum'] == hashlib.md5(b'0123456789', usedforsecurity=False).hexdigest()
    assert image['os_hash_value'] == hashlib.sha512(b'0123456789').hexdigest()
    assert ask(images, '/v2/images/guest').status_int == 404


def test_download_whole_and_in_parts(images):
    path = f'/v2/images/{image_id(images, "guest")}/file'
    assert ask(images, path).body == b'0123456789'
    part = ask(images, path, Range='bytes=2-4')
    assert (part.status_int, part.body) == (206, b'234')
    assert ask(images, path, method='HEAD').body == b''
    large = ask(images, f'/v2/images/{image_id(images, "larger")}/file')
    assert large.body == b'x' * 700_000


def test_what_is_not_there_cannot_be_asked(images):
    assert ask(images, '/v2/images', method='PUT').status_int == 405


def test_schemas(images):
    assert 'os_hash_value' in ask(images, '/v2/schemas/image').json['properties']
    assert ask(images, '/v2/schemas/images').json['name'] == 'images'


def test_a_new_file_is_an_image_and_a_changed_one_is_hashed_again(folder, images):
    (folder.path / 'late.img').write_bytes(b'abc')
    assert 'late' in names(images)
    settle(folder)
    before = ask(images, f'/v2/images/{image_id(images, "late")}').json
    (folder.path / 'late.img').write_bytes(b'abcd')
    settle(folder)
    after = ask(images, f'/v2/images/{image_id(images, "late")}').json
    assert before['id'] == after['id']
    assert (after['size'], after['checksum'] != before['checksum']) == (4, True)


def test_while_it_is_hashed_there_is_nothing_to_download(folder, images):
    (folder.path / 'new.raw').write_bytes(b'abc')
    image = ask(images, '/v2/images?name=new').json['images'][0]
    if image['status'] == 'saving':
        assert image['checksum'] is None
        assert ask(images, image['file']).status_int in (200, 204)


def test_what_was_found_out_is_kept(folder, images):
    again = Folder(folder.path)
    assert [image['status'] for image in again.images()] == ['active', 'active']
    assert again.image(image_id(images, 'guest'))['name'] == 'guest'
