"""Images of volumes, volumes of images, and what these keep of them."""
import pathlib
import shutil
import subprocess

import pytest

from svckit.operations import queries
from tests.api.volsvc.world import ADMIN, GIB
from volsvc import progress

UPLOAD = 'os-volume_upload_image'


@pytest.fixture
def volume(world):
    return filled(world, world.create(2))


def filled(world, volume, data=b'what it holds'):
    world.driver.volumes[volume]['data'] = data
    return volume


def upload(world, volume, **kw):
    """(the answer, the image that comes of it, its data)."""
    version = kw.pop('version', '3.71')
    answer = world.act(volume, UPLOAD, {'image_name': 'copy', **kw}, version=version)[UPLOAD]
    world.run()
    return answer, *world.glance.images[answer['image_id']]


def refused(world, code, volume, **kw):
    before, who = world.rows(), {name: kw.pop(name) for name in ('roles', 'project', 'version') if name in kw}
    message = world.refused(code, 'POST', f'/volumes/{volume}/action', {UPLOAD: {'image_name': 'copy', **kw}}, **who)
    assert world.rows() == before and not world.glance.images and not world.driver.snapshots
    return message


def status(world, volume):
    return world.volume(volume)['status']


class TestUpload:

    def test_the_image_holds_what_the_volume_does(self, world, volume):
        answer = world.act(volume, UPLOAD, {'image_name': 'copy'})[UPLOAD]
        assert status(world, volume) == 'uploading'
        world.run()
        image, data = world.glance.images[answer['image_id']]
        assert data.rstrip(b'\0') == b'what it holds' and len(data) == 512
        assert {name: image[name] for name in ('name', 'owner', 'visibility', 'disk_format', 'container_format',
                                               'min_disk', 'status')} == {
            'name': 'copy', 'owner': 'p1', 'visibility': 'private', 'disk_format': 'raw', 'container_format': 'bare',
            'min_disk': 2, 'status': 'active'}
        assert status(world, volume) == 'available' and world.get('/messages')['messages'] == []

    def test_the_answer(self, world, volume):
        answer, image, _ = upload(world, volume)
        assert answer.pop('volume_type')['name'] == '__DEFAULT__' and answer.pop('updated_at')
        assert answer == {'id': volume, 'status': 'uploading', 'display_description': None, 'size': 2,
                          'image_id': image['id'], 'image_name': 'copy', 'container_format': 'bare',
                          'disk_format': 'raw', 'visibility': 'private', 'protected': False}

    def test_a_volume_is_made_of_it(self, world, volume):
        answer, *_ = upload(world, volume)
        again = world.create(2, imageRef=answer['image_id'])
        assert world.driver.volumes[again]['data'].rstrip(b'\0') == b'what it holds'
        assert 'larger than 1 GiB' in world.refused(400, 'POST', '/volumes', {'volume': {
            'size': 1, 'imageRef': answer['image_id']}})

    def test_one_in_use_as_it_was_at_one_moment(self, world, volume):
        world.attach(volume)
        send = world.service.images.upload

        def write_meanwhile(*arguments):
            filled(world, volume, b'written since')
            send(*arguments)
        world.service.images.upload = write_meanwhile
        _, _, data = upload(world, volume, force=True)
        assert data.rstrip(b'\0') == b'what it holds'
        assert status(world, volume) == 'in-use' and world.driver.snapshots == {}

    def test_one_in_use_not_without_force(self, world, volume):
        world.attach(volume)
        assert 'in-use' in refused(world, 400, volume)

    def test_a_detach_meanwhile(self, world, volume):
        attachment = world.attach(volume)
        world.act(volume, UPLOAD, {'image_name': 'copy', 'force': 'True'})
        world.nova.servers.clear()
        with world.eager():
            world.delete(f'/attachments/{attachment}', 200, roles='service', user='nova', project='service',
                         x_service_roles='service')
        world.run()
        assert status(world, volume) == 'available'

    @pytest.mark.parametrize('now', ['creating', 'error', 'deleting', 'extending', 'reserved', 'uploading'])
    def test_status(self, world, volume, now):
        world.act(volume, 'os-reset_status', {'status': now}, **ADMIN)
        assert now in refused(world, 400, volume, force=True)

    def test_nothing_else_meanwhile(self, world, volume):
        world.act(volume, UPLOAD, {'image_name': 'copy'})
        assert 'uploading' in world.refused(400, 'DELETE', f'/volumes/{volume}')
        assert world.extend(volume, 3).status == 400

    def test_properties_of_the_image_it_was_made_from(self, world):
        source = world.glance.add(b'os', name='linux', hw_disk_bus='scsi', os_hash_algo='sha512', min_ram=64,
                                  checksum='0' * 32, os_glance_import_task='x', visibility='public', owner='p0',
                                  stores='rbd')
        volume = world.create(1, imageRef=source)
        _, image, data = upload(world, volume)
        assert data.rstrip(b'\0') == b'os'
        assert image['hw_disk_bus'] == 'scsi' and (image['owner'], image['visibility']) == ('p1', 'private')
        assert not {'os_hash_algo', 'os_glance_import_task', 'stores', 'image_name', 'image_id'} & set(image)

    @pytest.mark.parametrize('asked, shown', [({'visibility': 'shared'}, ('shared', False)),
                                              ({'visibility': 'community', 'protected': 'True'}, ('community', True)),
                                              ({'protected': True}, ('private', True))])
    def test_visibility_and_protection(self, world, volume, asked, shown):
        answer, image, _ = upload(world, volume, version='3.1', **asked)
        assert (answer['visibility'], answer['protected']) == shown
        assert (image['visibility'], image.get('protected', False)) == shown

    def test_before_3_1_they_are_glances_own(self, world, volume):
        answer, image, _ = upload(world, volume, version='3.0')
        assert (answer['visibility'], image['visibility']) == ('shared', 'shared')

    def test_public_ones_are_for_administrators(self, world, volume):
        assert 'upload_public' in refused(world, 403, volume, visibility='public')
        answer = world.act(volume, UPLOAD, {'image_name': 'copy', 'visibility': 'public'}, **ADMIN)
        assert answer[UPLOAD]['visibility'] == 'public'

    @pytest.mark.parametrize('version, wrong', [
        ('3.71', {'image_name': ''}), ('3.71', {'image_name': None}), ('3.71', {'image_name': 'n' * 256}),
        ('3.71', {'disk_format': 'iso'}), ('3.71', {'disk_format': 'x'}), ('3.71', {'container_format': 'compressed'}),
        ('3.71', {'container_format': ''}), ('3.71', {'force': 'maybe'}), ('3.71', {'visibility': 'secret'}),
        ('3.71', {'protected': 'maybe'}), ('3.71', {'x': 1}), ('3.0', {'visibility': 'private'}),
        ('3.0', {'protected': True})])
    def test_wrong(self, world, volume, version, wrong):
        refused(world, 400, volume, version=version, **wrong)

    @pytest.mark.parametrize('code, who', [(403, {'roles': 'reader'}), (404, {'project': 'p2'})])
    def test_whose_it_is_not(self, world, volume, code, who):
        refused(world, code, volume, **who)

    def test_the_image_services_refusal_is_the_answer(self, world, volume):
        world.glance.broken = {'POST /v2/images': 413}
        with world.eager():
            assert 'broken on purpose' in world.refused(400, 'POST', f'/volumes/{volume}/action',
                                                        {UPLOAD: {'image_name': 'copy'}})
        assert status(world, volume) == 'available'

    @pytest.mark.parametrize('broken', [{'POST images$': 503}, {'PUT file': 503}, {'PUT file': 413}])
    def test_what_fails_leaves_nothing_and_is_told(self, world, volume, broken):
        world.attach(volume)
        world.glance.broken = broken
        world.act(volume, UPLOAD, {'image_name': 'copy', 'force': True})
        for _ in range(8):
            world.run()
            world.wait()
        assert status(world, volume) == 'in-use' and not world.glance.images and not world.driver.snapshots
        message, = world.get('/messages')['messages']
        assert message['user_message'].startswith('No image could be made') and message['resource_uuid'] == volume

    def test_an_image_that_its_owner_deletes_meanwhile(self, world, volume):
        world.act(volume, UPLOAD, {'image_name': 'copy'})
        world.glance.before = {'PUT file': world.glance.images.clear}
        world.run()
        assert status(world, volume) == 'available'
        assert 'No image' in world.get('/messages')['messages'][0]['user_message']


@pytest.mark.skipif(not shutil.which('qemu-img'), reason='needs qemu-img')
class TestFormats:

    @pytest.fixture
    def world(self, make_world, tmp_path):
        return make_world(memory__image_folder=str(tmp_path / 'images'))

    @pytest.mark.parametrize('disk_format, magic', [('qcow2', b'QFI\xfb'), ('vmdk', b'KDMV'), ('vhdx', b'vhdxfile')])
    def test_packed(self, world, volume, disk_format, magic, tmp_path):
        answer, image, data = upload(world, volume, disk_format=disk_format)
        assert (answer['disk_format'], image['disk_format']) == (disk_format, disk_format)
        assert data.startswith(magic) and len(data) < 64 * 1024 * 1024
        assert list((tmp_path / 'images').iterdir()) == []
        raw, file = tmp_path / 'raw', tmp_path / 'image'
        file.write_bytes(data)
        subprocess.run(['qemu-img', 'convert', '-O', 'raw', file, raw], check=True)
        with open(raw, 'rb') as unpacked:
            assert unpacked.read(13) == b'what it holds'
        assert raw.stat().st_size == 2 * GIB

    def test_without_qemu_img(self, world, volume, monkeypatch):
        monkeypatch.setattr(shutil, 'which', lambda name: None)
        world.act(volume, UPLOAD, {'image_name': 'copy', 'disk_format': 'qcow2'})
        world.run()
        assert not world.glance.images and status(world, volume) == 'available'
        assert 'qemu-img' in world.get('/messages')['messages'][0]['user_message']

    def test_no_room(self, make_world, tmp_path):
        (tmp_path / 'images').touch()
        world = make_world(memory__image_folder=str(tmp_path / 'images' / 'x'))
        volume = filled(world, world.create())
        world.act(volume, UPLOAD, {'image_name': 'copy', 'disk_format': 'qcow2'})
        for _ in range(6):
            world.run()
            world.wait()
        message = world.get('/messages')['messages'][0]['user_message']
        assert 'could not be packed' in message and str(tmp_path) not in message


class TestFromImage:

    def test_how_far_it_is(self, world, monkeypatch):
        """Its operation says so, and its status that it is filled from an image."""
        monkeypatch.setattr(progress, 'SECONDS', 0.0)
        seen = []
        image = world.glance.add(b'x' * 8 * 1024 * 1024)
        chunks = world.service.images.chunks

        def watched(id):
            for chunk in chunks(id):
                yield chunk
                op, = world.get(f'/volumes/{volume}/operations')['operations']
                seen.append((status(world, volume), op['steps'][0].get('progress')))
        world.service.images.chunks = watched
        volume = world.create(run=False, imageRef=image)
        world.run()
        assert {now for now, _ in seen} == {'downloading'}
        told = [int(text.split()[0]) for _, text in seen if text]
        assert told == sorted(told) and len(set(told)) > 4 and told[-1] > 70
        assert status(world, volume) == 'available'

    def test_one_that_breaks_off(self, world):
        image = world.glance.add(b'x' * 100)
        world.glance.broken = {'GET file': 503}
        volume = world.create(imageRef=image)
        assert status(world, volume) == 'downloading'
        for _ in range(8):
            world.wait()
            world.run()
        assert status(world, volume) == 'error' and not world.driver.volumes

    def test_whoever_lost_the_operation_stops(self, world, monkeypatch):
        monkeypatch.setattr(progress, 'SECONDS', 0.0)
        image = world.glance.add(b'x' * 4 * 1024 * 1024)
        chunks, read = world.service.images.chunks, []

        def stolen(id):
            for chunk in chunks(id):
                read.append(len(chunk))
                with world.service.db.transaction() as session:
                    op, = queries.find(session, 'live')
                    table = queries.OPERATIONS
                    session.execute(table.update().where(table.c.id == op.id).values(lease=op.lease + 1))
                yield chunk
        world.service.images.chunks = stolen
        world.create(imageRef=image)
        assert len(read) == 1 and not world.driver.volumes


class TestMetadata:

    @pytest.fixture
    def volume(self, world):
        return world.create(imageRef=world.glance.add(name='linux', os_distro='tiny'))

    def test_show(self, world, volume):
        found = world.act(volume, 'os-show_image_metadata', None, 200)['metadata']
        assert found == world.volume(volume)['volume_image_metadata']
        assert (found['image_name'], found['os_distro'], found['disk_format']) == ('linux', 'tiny', 'raw')

    def test_of_a_volume_without_an_image(self, world):
        volume = world.create()
        assert world.act(volume, 'os-show_image_metadata', None, 200) == {'metadata': {}}
        assert 'volume_image_metadata' not in world.volume(volume)

    def test_set(self, world, volume):
        answer = world.act(volume, 'os-set_image_metadata', {'metadata': {'hw_rng': 'yes', 'os_distro': 'y' * 1000}},
                           200)
        found = world.volume(volume)['volume_image_metadata']
        assert (found['hw_rng'], found['image_name'], len(found['os_distro'])) == ('yes', 'linux', 1000)
        assert answer == {'metadata': found}

    def test_unset(self, world, volume):
        assert world.act(volume, 'os-unset_image_metadata', {'key': 'image_name'}, 200) is None
        assert 'image_name' not in world.volume(volume)['volume_image_metadata']

    def test_unset_what_is_not_there(self, world, volume):
        world.act(volume, 'os-unset_image_metadata', {'key': 'x'}, 404)

    def test_at_most_128(self, world, volume):
        before = world.rows()
        world.act(volume, 'os-set_image_metadata', {'metadata': {str(n): 'x' for n in range(128)}}, 413)
        assert world.rows() == before

    @pytest.mark.parametrize('action, value', [
        ('os-set_image_metadata', None), ('os-set_image_metadata', {}), ('os-set_image_metadata', {'metadata': None}),
        ('os-set_image_metadata', {'metadata': {'a': 1}}), ('os-set_image_metadata', {'metadata': {'': 'x'}}),
        ('os-set_image_metadata', {'metadata': {'a' * 256: 'x'}}), ('os-unset_image_metadata', None),
        ('os-unset_image_metadata', {}), ('os-unset_image_metadata', {'key': ''}),
        ('os-unset_image_metadata', {'key': 1})])
    def test_wrong(self, world, volume, action, value):
        before = world.rows()
        world.act(volume, action, value, 400)
        assert world.rows() == before

    def test_reader_may_look_and_no_more(self, world, volume):
        world.act(volume, 'os-show_image_metadata', None, 200, roles='reader')
        world.act(volume, 'os-set_image_metadata', {'metadata': {'a': 'b'}}, 403, roles='reader')
        world.act(volume, 'os-unset_image_metadata', {'key': 'image_name'}, 403, roles='reader')

    def test_copies_and_snapshots_hand_it_on(self, world, volume):
        again = world.create(source_volid=volume, size=None)
        assert world.volume(again)['volume_image_metadata'] == world.volume(volume)['volume_image_metadata']


def test_nothing_is_kept_where_images_are_packed(world, volume):
    upload(world, volume)
    assert not pathlib.Path(world.driver.options.image_folder).exists()
