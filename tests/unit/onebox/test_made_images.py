"""Images that users make: by HTTP, over a real folder, with everything that may go wrong on the way."""
import hashlib
import io
import json

import pytest
from webob import Request, exc

from onebox.images.access import Caller
from onebox.images.api import PATCH, Images
from onebox.images.folder import Folder
from onebox.images.library import Library
from onebox.images.made import BLOCK, Made

DATA = b'x' * 10 + bytes(2 * BLOCK) + b'end'


def callers(token):
    """A token is 'project' or 'project:admin'."""
    project, _, role = token.partition(':')
    if not project:
        raise exc.HTTPUnauthorized('who?')
    return Caller(project, role == 'admin')


class Service:
    def __init__(self, path, room=0):
        self.path, self.room = path, room
        self.restart()

    def restart(self):
        """What a kill leaves is all that there is."""
        library = Library(Folder(self.path, 'service'), Made(self.path / 'made', self.room))
        self.app = Images(library, callers).application

    def ask(self, method, path, body=None, as_='p1', kind='application/json', **headers):
        body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body or b''
        request = Request.blank(f'/v2/images{path}', method=method, body=body, accept='application/json',
                                headers={'X-Auth-Token': as_, **headers}, content_type=kind)
        return request.get_response(self.app)

    def make(self, as_='p1', **values):
        answer = self.ask('POST', '', {'name': 'i', 'disk_format': 'raw', 'container_format': 'bare', **values}, as_)
        assert answer.status_int == 201, answer.text
        return answer.json['id']

    def send(self, id, data=DATA, as_='p1', kind='application/octet-stream', **headers):
        return self.ask('PUT', f'/{id}/file', data, as_, kind, **headers).status_int

    def show(self, id, as_='p1'):
        return self.ask('GET', f'/{id}', as_=as_).json

    def status(self, method, path, body=None, as_='p1', **kw):
        return self.ask(method, path, body, as_, **kw).status_int

    def change(self, id, *patch, as_='p1', kind=PATCH):
        return self.ask('PATCH', f'/{id}', list(patch), as_, kind)

    def names(self, as_='p1', query=''):
        return sorted(image['name'] for image in self.ask('GET', query, as_=as_).json['images'])


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


def test_from_nothing_to_data_and_away(service):
    made = service.ask('POST', '', {'name': 'mine', 'disk_format': 'raw', 'container_format': 'bare', 'min_disk': 2,
                                    'os_distro': 'tiny', 'tags': ['a', 'a', 'b']})
    image = made.json
    assert made.status_int == 201 and made.headers['Location'].endswith(image['file'].removesuffix('/file'))
    assert (image['status'], image['size'], image['checksum'], image['visibility'], image['owner']) == (
        'queued', None, None, 'shared', 'p1')
    assert (image['min_disk'], image['os_distro'], image['tags']) == (2, 'tiny', ['a', 'b'])
    assert service.status('GET', f'/{image["id"]}/file') == 204
    assert service.send(image['id']) == 204
    image = service.show(image['id'])
    assert (image['status'], image['size'], image['virtual_size']) == ('active', len(DATA), len(DATA))
    assert image['checksum'] == hashlib.md5(DATA, usedforsecurity=False).hexdigest()
    assert image['os_hash_value'] == hashlib.sha512(DATA).hexdigest()
    assert service.ask('GET', f'/{image["id"]}/file').body == DATA
    assert service.ask('GET', f'/{image["id"]}/file', Range='bytes=9-10').body == b'x\0'
    assert service.send(image['id']) == 409
    assert service.status('DELETE', f'/{image["id"]}') == 204
    assert service.status('GET', f'/{image["id"]}') == 404 and not list(service.path.glob('made/*'))


def test_empty_parts_take_no_room(service):
    id = service.make()
    assert service.send(id, bytes(16 * BLOCK)) == 204
    assert (service.path / 'made' / f'{id}.data').stat().st_blocks * 512 < BLOCK


def test_all_of_it_is_there_after_a_restart(service):
    id, waiting = service.make(tags=['t']), service.make()
    service.send(id)
    before = service.show(id), service.show(waiting)
    service.restart()
    assert (service.show(id), service.show(waiting)) == before
    assert service.ask('GET', f'/{id}/file').body == DATA


def test_what_a_kill_left_is_swept_away(service):
    """Killed while data came, before the record said so, and between the two steps of a deletion."""
    coming, arrived, deleted, whole = (service.make() for _ in range(4))
    service.send(whole)
    made = service.path / 'made'
    (made / f'{coming}.part').write_bytes(b'half')
    (made / f'{arrived}.data').write_bytes(b'whole, but nobody was told')
    service.send(deleted)
    (made / f'{deleted}.json').unlink()
    (made / f'{whole}.json.new').write_text('half a rec')
    service.restart()
    assert [service.show(id)['status'] for id in (coming, arrived, whole)] == ['queued', 'queued', 'active']
    assert service.status('GET', f'/{deleted}') == 404
    assert sorted(path.name for path in made.iterdir()) == sorted(
        [*(f'{id}.json' for id in (coming, arrived, whole)), f'{whole}.data'])
    assert service.send(coming) == 204 and service.send(arrived) == 204


def test_a_record_that_cannot_be_read_harms_no_other(service):
    spoilt, whole = service.make(), service.make()
    service.send(spoilt)
    (service.path / 'made' / f'{spoilt}.json').write_text('{"id": "ed')
    service.restart()
    assert service.show(whole)['status'] == 'queued' and service.status('GET', f'/{spoilt}') == 404
    assert (service.path / 'made' / f'{spoilt}.data').read_bytes() == DATA


class Broken(io.BytesIO):
    """A connection that ends early."""

    def read(self, size=-1):
        found = super().read(size)
        if not found:
            raise OSError('connection lost')
        return found


@pytest.mark.parametrize('sent, headers, status', [
    (io.BytesIO(b'abc'), {'CONTENT_LENGTH': '4'}, 400), (Broken(b'abc'), {'CONTENT_LENGTH': '4'}, 400),
    (Broken(b'abc'), {'HTTP_TRANSFER_ENCODING': 'chunked'}, 400),
    (io.BytesIO(b'abc'), {'HTTP_TRANSFER_ENCODING': 'chunked'}, 204),
    (io.BytesIO(b'abcdef'), {'CONTENT_LENGTH': '3'}, 204),
    (io.BytesIO(b'abc'), {'HTTP_TRANSFER_ENCODING': 'chunked', 'HTTP_X_OPENSTACK_IMAGE_SIZE': '2'}, 400),
    (io.BytesIO(b'abc'), {'CONTENT_LENGTH': '3', 'HTTP_X_OPENSTACK_IMAGE_SIZE': '4'}, 400),
    (io.BytesIO(b'abc'), {'CONTENT_LENGTH': '3', 'HTTP_X_OPENSTACK_IMAGE_SIZE': 'x'}, 400)])
def test_half_of_it_is_nothing(service, sent, headers, status):
    id = service.make()
    closed = []
    request = Request.blank(f'/v2/images/{id}/file', method='PUT', content_type='application/octet-stream',
                            headers={'X-Auth-Token': 'p1'})
    request.environ |= {'wsgi.input': sent, 'svckit.close': lambda: closed.append(1), **headers}
    assert request.get_response(service.app).status_int == status
    assert service.show(id)['status'] == ('active' if status == 204 else 'queued')
    if status == 400 and not headers.get('HTTP_X_OPENSTACK_IMAGE_SIZE') == 'x':
        assert closed, 'what may be left of the body would be taken for the next request'
        assert service.send(id) == 204


def test_one_at_a_time_and_none_after_deletion(service):
    id = service.make()
    seen = []

    class During(io.BytesIO):
        def read(self, size=-1):
            if not seen:
                seen.append((service.show(id)['status'], service.send(id)))
                service.ask('DELETE', f'/{id}')
            return super().read(size)
    request = Request.blank(f'/v2/images/{id}/file', method='PUT', content_type='application/octet-stream',
                            headers={'X-Auth-Token': 'p1'})
    request.environ |= {'wsgi.input': During(b'abc'), 'CONTENT_LENGTH': '3'}
    assert request.get_response(service.app).status_int == 410
    assert seen == [('saving', 409)] and not list(service.path.glob('made/*'))


def test_a_full_disk_is_said_and_nothing_stays(tmp_path):
    service = Service(tmp_path, room=1 << 60)
    id = service.make()
    assert service.send(id) == 413
    assert service.show(id)['status'] == 'queued' and not list(tmp_path.glob('made/*.part'))


def test_data_need_formats_and_a_type(service):
    id = service.make(disk_format=None)
    assert service.send(id) == 400
    assert service.change(id, {'op': 'replace', 'path': '/disk_format', 'value': 'raw'}).status_int == 200
    assert service.send(id, kind='text/plain') == 415
    assert service.send(id) == 204
    assert service.change(id, {'op': 'replace', 'path': '/disk_format', 'value': 'iso'}).status_int == 403


@pytest.mark.parametrize('body, status', [
    ({'id': 'x'}, 400), ({'name': 'n' * 256}, 400), ({'name': 7}, 400), ({'disk_format': 'floppy'}, 400),
    ({'container_format': 'box'}, 400), ({'min_disk': -1}, 400), ({'min_ram': 2 ** 31}, 400), ({'min_ram': True}, 400),
    ({'min_disk': '1'}, 400), ({'protected': 'yes'}, 400), ({'tags': 'a'}, 400), ({'tags': ['']}, 400),
    ({'tags': [str(n) for n in range(129)]}, 413), ({f'p{n}': '' for n in range(129)}, 413), ({'colour': 1}, 400),
    ({'visibility': 'secret'}, 400), ({'visibility': 'public'}, 403), ({'owner': 'p2'}, 403),
    ({'status': 'active'}, 403), ({'size': 1}, 403), ({'members': 'all'}, 403), ({'file_name': 'x'}, 403),
    ({'p' * 256: ''}, 403)])
def test_bad_input_is_refused(service, body, status):
    answer = service.ask('POST', '', body)
    assert answer.status_int == status and answer.json['message']
    assert service.names() == []


@pytest.mark.parametrize('raw, status', [(b'{', 400), (b'[]', 400), (b'"x"', 400), (b'[' * 60000, 400),
                                         (b'{"name": "' + b'n' * 70000 + b'"}', 413)])
def test_bad_bodies_are_refused(service, raw, status):
    assert service.status('POST', '', raw) == status


def test_an_id_can_be_chosen_once(service):
    id = '6f1e9c7e-7a3b-4a53-8f0a-0f2f0d6f4c55'
    assert service.make(id=id) == id
    assert service.status('POST', '', {'id': id}) == 409
    assert service.status('POST', '', {'id': id}, as_='p2') == 409


@pytest.mark.parametrize('patch, name, wanted', [
    ({'op': 'replace', 'path': '/name', 'value': 'new'}, 'name', 'new'),
    ({'op': 'add', 'path': '/os_distro', 'value': 'tiny'}, 'os_distro', 'tiny'),
    ({'op': 'replace', 'path': '/colour', 'value': 'blue'}, 'colour', 'blue'),
    ({'op': 'add', 'path': '/a~1b', 'value': 'x'}, 'a/b', 'x'),
    ({'op': 'remove', 'path': '/colour'}, 'colour', None),
    ({'op': 'add', 'path': '/tags/1', 'value': 'z'}, 'tags', ['a', 'z', 'b']),
    ({'op': 'add', 'path': '/tags/-', 'value': 'z'}, 'tags', ['a', 'b', 'z']),
    ({'op': 'replace', 'path': '/tags/0', 'value': 'z'}, 'tags', ['z', 'b']),
    ({'op': 'remove', 'path': '/tags/0'}, 'tags', ['b']),
    ({'op': 'replace', 'path': '/min_ram', 'value': 64}, 'min_ram', 64)])
def test_changes(service, patch, name, wanted):
    id = service.make(colour='red', tags=['a', 'b'])
    answer = service.change(id, patch)
    assert answer.status_int == 200 and answer.json.get(name) == wanted
    service.restart()
    assert service.show(id).get(name) == wanted


@pytest.mark.parametrize('patch, status', [
    ({'op': 'replace', 'path': '/nothing', 'value': 'x'}, 409), ({'op': 'remove', 'path': '/nothing'}, 409),
    ({'op': 'remove', 'path': '/name'}, 403), ({'op': 'replace', 'path': '/id', 'value': 'x'}, 403),
    ({'op': 'replace', 'path': '/checksum', 'value': 'x'}, 403),
    ({'op': 'replace', 'path': '/owner', 'value': 'x'}, 403),
    ({'op': 'replace', 'path': '/visibility', 'value': 'public'}, 403), ({'op': 'move', 'path': '/name'}, 400),
    ({'op': 'replace', 'path': 'name', 'value': 'x'}, 400), ({'op': 'replace', 'path': '/name'}, 400),
    ({'op': 'add', 'path': '/tags/9', 'value': 'x'}, 409), ({'op': 'add', 'path': '/name/0', 'value': 'x'}, 400),
    (7, 400)])
def test_changes_that_cannot_be(service, patch, status):
    id = service.make()
    before = service.show(id)
    first = {'op': 'replace', 'path': '/min_disk', 'value': 5}
    assert service.change(id, first, patch).status_int == status
    assert service.show(id) == before


def test_a_patch_has_its_type(service):
    answer = service.change(service.make(), kind='application/json')
    assert answer.status_int == 415 and answer.headers['Accept-Patch'] == PATCH


def test_tags(service):
    id = service.make()
    assert [service.status('PUT', f'/{id}/tags/{tag}') for tag in 'aba'] == [204] * 3
    assert service.status('DELETE', f'/{id}/tags/a') == 204
    assert service.status('DELETE', f'/{id}/tags/a') == 404
    assert service.show(id)['tags'] == ['b']


def test_protected_and_deactivated(service):
    id = service.make(protected=True)
    service.send(id)
    assert service.status('DELETE', f'/{id}') == 403
    assert service.status('POST', f'/{id}/actions/deactivate') == 403
    assert service.status('POST', f'/{id}/actions/deactivate', as_='a:admin') == 204
    assert (service.show(id)['status'], service.status('GET', f'/{id}/file')) == ('deactivated', 403)
    assert service.status('POST', f'/{id}/actions/reactivate', as_='a:admin') == 204
    assert service.status('GET', f'/{id}/file') == 200


@pytest.mark.parametrize('visibility', ['private', 'shared'])
def test_others_do_not_know_of_it(service, visibility):
    id = service.make(name='mine', visibility=visibility)
    service.send(id)
    assert service.names() == service.names('a:admin') == ['mine'] and service.names('p2') == []
    for method, path in (('GET', ''), ('GET', '/file'), ('PUT', '/file'), ('DELETE', ''), ('GET', '/members'),
                         ('PUT', '/tags/x'), ('POST', '/members')):
        assert service.status(method, f'/{id}{path}', {}, as_='p2', kind='application/octet-stream') == 404
    assert service.change(id, as_='p2').status_int == 404


def test_everybody_sees_what_is_public_and_only_its_owner_changes_it(service):
    id = service.make('p1:admin', name='all', visibility='public')
    service.send(id, as_='p1')
    assert service.names('p2') == ['all'] and service.status('GET', f'/{id}/file', as_='p2') == 200
    assert service.status('DELETE', f'/{id}', as_='p2') == 403
    assert service.change(id, {'op': 'replace', 'path': '/name', 'value': 'x'}, as_='p2').status_int == 403
    community = service.make(name='some', visibility='community')
    assert service.status('GET', f'/{community}', as_='p2') == 200
    assert (service.names('p2'), service.names('p2', '?visibility=community')) == (['all'], ['some'])


def test_shared_with_a_project(service):
    id = service.make(name='mine')
    member = f'/{id}/members/p2'
    assert service.status('POST', f'/{id}/members', {'member': 'p2'}) == 200
    assert service.status('POST', f'/{id}/members', {'member': 'p2'}) == 409
    assert service.status('GET', f'/{id}', as_='p2') == 200 and service.names('p2') == []
    assert service.names('p2', '?visibility=shared&member_status=all') == ['mine']
    assert service.status('PUT', member, {'status': 'accepted'}) == 403
    assert service.status('PUT', member, {'status': 'maybe'}, as_='p2') == 400
    assert service.ask('PUT', member, {'status': 'accepted'}, as_='p2').json['status'] == 'accepted'
    assert service.names('p2') == ['mine']
    assert service.status('DELETE', f'/{id}', as_='p2') == 403 and service.status('DELETE', member, as_='p2') == 403
    assert [one['member_id'] for one in service.ask('GET', f'/{id}/members', as_='p2').json['members']] == ['p2']
    assert service.status('DELETE', member) == 204
    assert service.status('GET', f'/{id}', as_='p2') == 404 and service.status('DELETE', member) == 404


def test_an_administrator_gives_it_an_owner(service):
    id = service.make('service:admin', name='for p2', owner='p2')
    assert service.send(id, as_='service:admin') == 204
    assert service.names('p2') == ['for p2'] and service.names('p1') == []


def test_files_of_the_folder_can_be_changed_by_administrators(service):
    (service.path / 'shipped.raw').write_bytes(b'abc')
    id = service.ask('GET', '?name=shipped').json['images'][0]['id']
    patch = {'op': 'replace', 'path': '/name', 'value': 'renamed'}
    assert service.change(id, patch).status_int == 403
    assert service.change(id, patch, as_='a:admin').json['name'] == 'renamed'
    service.restart()
    assert service.show(id)['name'] == 'renamed'
    assert service.status('DELETE', f'/{id}', as_='a:admin') == 204
    assert not (service.path / 'shipped.raw').exists() and service.names() == []


def test_hidden_ones_are_listed_on_request(service):
    service.make(name='old', os_hidden=True)
    assert (service.names(), service.names(query='?os_hidden=true')) == ([], ['old'])
