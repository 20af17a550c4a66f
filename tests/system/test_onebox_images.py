"""Images that users make, by the real `openstack` and `nova` commands, on onebox with the memory hypervisor."""
import contextlib
import http.client
import os
import signal
import urllib.parse

import pytest

from tests.system.box import CommandFailed, with_tiny_image

pytestmark = pytest.mark.system


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = with_tiny_image(tmp_path_factory.mktemp('images'))
    yield box
    box.kill()


def images(box, cloud='onebox'):
    return {image['name']: image for image in box.api(cloud).image('GET', '/v2/images')['images']}


def test_from_a_file_to_a_file_and_away(box):
    data = os.urandom(3 << 20) + bytes(5 << 20)
    (box.folder / 'disk').write_bytes(data)
    made = box.openstack('image', 'create', '--file', str(box.folder / 'disk'), '--disk-format', 'raw', '--private',
                         '--property', 'os_distro=tiny', '--tag', 'a', 'mine')
    assert (made['status'], made['size'], made['tags'], made['properties']['os_distro']) == (
        'active', len(data), ['a'], 'tiny')
    box.act('image', 'set', '--name', 'renamed', '--min-disk', '1', '--tag', 'b', '--property', 'x=y', '--protected',
            'mine')
    image = images(box)['renamed']
    assert (image['min_disk'], sorted(image['tags']), image['x'], image['protected']) == (1, ['a', 'b'], 'y', True)
    with pytest.raises(CommandFailed, match='protected'):
        box.act('image', 'delete', 'renamed')
    box.act('image', 'unset', '--tag', 'a', '--property', 'x', 'renamed')
    box.act('image', 'set', '--unprotected', 'renamed')
    image = images(box)['renamed']
    assert image['tags'] == ['b'] and 'x' not in image
    box.act('image', 'save', '--file', str(box.folder / 'back'), 'renamed')
    assert (box.folder / 'back').read_bytes() == data
    box.act('image', 'delete', 'renamed')
    assert 'renamed' not in images(box)


def test_of_a_server_and_back_again(box):
    server = box.openstack('server', 'create', '--flavor', 'm1.nano', '--no-network', '--image', 'tiny', 'first')
    box.server_is('first', 'ACTIVE')
    made = box.openstack('server', 'image', 'create', '--name', 'snapshot', '--wait', 'first')
    assert (made['status'], made['min_disk'], made['visibility']) == ('active', 1, 'private')
    assert made['properties']['instance_uuid'] == server['id']
    box.act('server', 'shelve', 'first')
    box.server_is('first', 'SHELVED_OFFLOADED')
    assert images(box)['first-shelved']['status'] == 'active'
    box.act('server', 'unshelve', 'first')
    box.server_is('first', 'ACTIVE')
    box.wait(lambda: 'first-shelved' not in images(box), 'the image it was shelved as is gone')
    box.nova('image-create', '--poll', 'first', 'nightly')
    servers = box.api('onebox').compute
    second = servers('POST', '/servers', {'server': {
        'name': 'second', 'flavorRef': '42', 'networks': 'none', 'imageRef': images(box)['nightly']['id']}})['server']
    box.server_is('second', 'ACTIVE')
    servers('POST', f'/servers/{second["id"]}/action', {'shelve': None})
    box.server_is('second', 'SHELVED_OFFLOADED')
    for one in (server, second):
        servers('DELETE', f'/servers/{one["id"]}')
    box.wait(lambda: set(images(box)) >= {'snapshot', 'nightly'} and 'second-shelved' not in images(box),
             'the image that the server was shelved as goes with it')


def test_killed_while_data_come(box):
    """Afterwards the image waits for its data as before; those that were whole are still there."""
    api = box.api('onebox').image
    half, whole = (api('POST', '/v2/images', {'name': name, 'disk_format': 'raw', 'container_format': 'bare'},
                       good=(201,))['id'] for name in ('half', 'whole'))
    send(box, whole, b'all of it')
    with contextlib.closing(connection(box)) as wire:
        begin(box, wire, half, 2000)
        wire.send(b'x' * 1000)
        box.wait(lambda: api('GET', f'/v2/images/{half}')['status'] == 'saving', 'data come')
        box.stop(signal.SIGKILL)
    box.start()
    found = images(box)
    assert (found['half']['status'], found['whole']['status'], found['whole']['size']) == ('queued', 'active', 9)
    assert not list((box.state / 'images' / 'made').glob('*.part'))
    send(box, half, b'now all of it')
    assert images(box)['half']['size'] == 13


def connection(box):
    return http.client.HTTPConnection(urllib.parse.urlsplit(box.api('onebox').endpoint('image')).netloc, timeout=30)


def begin(box, wire, image_id, size):
    wire.putrequest('PUT', f'/v2/images/{image_id}/file')
    for name, value in {'X-Auth-Token': box.api('onebox').token, 'Content-Type': 'application/octet-stream',
                        'Content-Length': str(size)}.items():
        wire.putheader(name, value)
    wire.endheaders()


def send(box, image_id, data):
    with contextlib.closing(connection(box)) as wire:
        begin(box, wire, image_id, len(data))
        wire.send(data)
        assert wire.getresponse().status == 204
