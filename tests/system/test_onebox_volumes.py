"""Every volume call of the real `openstack` and `cinder` commands, on onebox with the file driver."""

import pytest

from tests.system.box import CommandFailed, properties, rows, with_tiny_image
from tests.system.cloud import Cloud

pytestmark = pytest.mark.system


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = with_tiny_image(tmp_path_factory.mktemp('volumes'))
    yield box
    box.kill()


@pytest.fixture(scope='module')
def admin(box):
    return Cloud(box.state / 'clouds.yaml', 'onebox-admin')


@pytest.fixture(autouse=True)
def clean(box, admin):
    """Each test begins without volumes; those of the last one are removed by force, not by what is tested here."""
    for volume in admin.volume('GET', '/volumes?all_tenants=1')['volumes']:
        admin.volume('DELETE', f'/volumes/{volume["id"]}?cascade=True&force=True')
    box.wait(lambda: not admin.volume('GET', '/volumes?all_tenants=1')['volumes'], 'all volumes are gone')


@pytest.fixture
def volume(box):
    """The id of an available volume of 1 GiB."""
    made = box.openstack('volume', 'create', '--size', '1', 'base')
    box.volume_is(made['id'], 'available')
    return made['id']


class TestOpenstackVolumes:
    def test_a_volume_s_life(self, box):
        made = box.openstack('volume', 'create', '--size', '1', '--description', 'first', '--property', 'a=b', 'life')
        assert (made['size'], made['name'], made['status']) == (1, 'life', 'creating')
        box.volume_is('life', 'available')
        shown = box.openstack('volume', 'show', 'life')
        assert (shown['description'], shown['properties'], shown['bootable']) == ('first', {'a': 'b'}, False)

        box.act('volume', 'set', '--name', 'renamed', '--description', 'second', '--property', 'c=d', 'life')
        shown = box.openstack('volume', 'show', 'renamed')
        assert (shown['description'], shown['properties']) == ('second', {'a': 'b', 'c': 'd'})
        box.act('volume', 'unset', '--property', 'a', 'renamed')
        assert box.openstack('volume', 'show', 'renamed')['properties'] == {'c': 'd'}

        box.act('volume', 'set', '--size', '2', 'renamed')
        assert box.volume_is('renamed', 'available')['size'] == 2
        file, = (box.state / 'volumes').glob(f'*{made["id"]}*')
        assert file.stat().st_size == 2 << 30
        assert file.stat().st_blocks * 512 < 1 << 20      # sparse

        box.act('volume', 'delete', 'renamed')
        box.wait(lambda: box.openstack('volume', 'list') == [], 'the volume is gone')
        assert not file.exists()

    def test_from_an_image_and_from_a_volume(self, box):
        made = box.openstack('volume', 'create', '--size', '1', '--image', 'tiny', 'imaged')
        box.volume_is('imaged', 'available')
        shown = box.openstack('volume', 'show', 'imaged')
        assert (shown['volume_image_metadata']['image_name'], shown['bootable']) == ('tiny', True)
        original = (box.state / 'images' / 'tiny.raw').read_bytes()
        file, = (box.state / 'volumes').glob(f'*{made["id"]}*')
        with file.open('rb') as volume:
            assert volume.read(len(original)) == original
        copy = box.openstack('volume', 'create', '--source', 'imaged', '--size', '2', 'copy')
        assert box.volume_is('copy', 'available')['size'] == 2
        file, = (box.state / 'volumes').glob(f'*{copy["id"]}*')
        with file.open('rb') as volume:
            assert volume.read(len(original)) == original

    def test_to_an_image_and_back(self, box, volume):
        file, = (box.state / 'volumes').glob(f'*{volume}*')
        with file.open('r+b') as data:
            data.write(b'what it holds')
        made = box.openstack('--os-volume-api-version', '3.1', 'image', 'create', '--volume', 'base', '--protected',
                             'of-base')
        assert (made['status'], made['disk_format'], made['volume_type']) == ('uploading', 'raw', '__DEFAULT__')
        box.volume_is('base', 'available')
        image = box.api('onebox').image('GET', f'/v2/images/{made["image_id"]}')
        assert (image['status'], image['min_disk'], image['visibility'], image['protected']) == (
            'active', 1, 'private', True)
        again = box.openstack('volume', 'create', '--size', '1', '--image', 'of-base', 'again')
        box.volume_is('again', 'available')
        file, = (box.state / 'volumes').glob(f'*{again["id"]}*')
        with file.open('rb') as data:
            assert data.read(13) == b'what it holds'
        box.act('image', 'set', '--unprotected', 'of-base')
        box.act('image', 'delete', 'of-base')

    def test_lists(self, box, volume):
        box.openstack('volume', 'create', '--size', '1', 'another')
        box.volume_is('another', 'available')
        names = [row['Name'] for row in box.openstack('volume', 'list')]
        assert sorted(names) == ['another', 'base']
        assert [row['Name'] for row in box.openstack('volume', 'list', '--name', 'base')] == ['base']
        assert box.openstack('volume', 'list', '--status', 'error') == []
        assert len(rows(box.cinder('list', '--limit', '1'))) == 1
        assert [row['Name'] for row in box.openstack('volume', 'list', '--marker', volume, '--limit', '5')] == []
        long = box.openstack('volume', 'list', '--long', '--property', 'none=such')
        assert long == []
        everyones = box.openstack('volume', 'list', '--all-projects', cloud='onebox-admin')
        assert {row['Name'] for row in everyones} >= {'another', 'base'}
        project = box.openstack('volume', 'list', '--project', 'demo', cloud='onebox-admin')
        assert len(project) == len(everyones)
        assert box.openstack('volume', 'list', cloud='onebox-admin') == []

    def test_states(self, box, volume):
        with pytest.raises(CommandFailed, match='403|Policy|policy'):
            box.act('volume', 'set', '--state', 'error', volume)
        box.act('volume', 'set', '--state', 'error', volume, cloud='onebox-admin')
        assert box.openstack('volume', 'show', volume)['status'] == 'error'
        box.act('volume', 'set', '--state', 'available', volume, cloud='onebox-admin')
        assert box.openstack('volume', 'show', volume)['status'] == 'available'

    def test_never_smaller(self, box, volume):
        with pytest.raises(CommandFailed, match='greater'):
            box.act('volume', 'set', '--size', '1', volume)
        with pytest.raises(CommandFailed, match='greater'):
            box.cinder('extend', volume, '1')
        assert box.openstack('volume', 'show', volume)['size'] == 1

    def test_another_project_s_volume_is_not_there(self, box):
        made = box.openstack('volume', 'create', '--size', '1', 'secret', cloud='onebox-admin')
        for command in (['show', made['id']], ['set', '--size', '2', made['id']], ['delete', made['id']]):
            with pytest.raises(CommandFailed, match='No volume|No Volume|could not be found|404|NotFound'):
                box.act('volume', *command)
        box.volume_is(made['id'], 'available', cloud='onebox-admin')


class TestOpenstackSnapshots:
    def test_a_snapshot_s_life(self, box, volume):
        file, = (box.state / 'volumes').glob(f'*{volume}*')
        with file.open('r+b') as data:
            data.write(b'as it was')
        made = box.openstack('volume', 'snapshot', 'create', '--volume', 'base', '--description', 'first',
                             '--property', 'a=b', 'snap')
        assert (made['size'], made['volume_id'], made['status']) == (1, volume, 'creating')
        snapshot_is(box, 'snap', 'available')
        with file.open('r+b') as data:
            data.write(b'as it is ')
        box.act('volume', 'snapshot', 'set', '--name', 'kept', '--description', 'second', '--property', 'c=d', 'snap')
        box.act('volume', 'snapshot', 'unset', '--property', 'a', 'kept')
        shown = box.openstack('volume', 'snapshot', 'show', 'kept')
        assert (shown['description'], shown['properties']) == ('second', {'c': 'd'})
        assert [row['Name'] for row in box.openstack(
            'volume', 'snapshot', 'list', '--volume', 'base', '--status', 'available')] == ['kept']

        box.openstack('volume', 'create', '--snapshot', 'kept', '--size', '2', 'copy')
        copy = box.volume_is('copy', 'available')
        assert (copy['size'], copy['snapshot_id']) == (2, made['id'])
        held, = (box.state / 'volumes').glob(f'*{copy["id"]}*')
        with held.open('rb') as data:
            assert data.read(9) == b'as it was'

        box.act('--os-volume-api-version', '3.40', 'volume', 'revert', 'kept')
        box.volume_is('base', 'available')
        with file.open('rb') as data:
            assert data.read(9) == b'as it was'

        with pytest.raises(CommandFailed, match='snapshots'):
            box.act('volume', 'delete', 'base')
        box.act('volume', 'snapshot', 'delete', 'kept')
        box.wait(lambda: not box.api('onebox').volume('GET', '/snapshots')['snapshots'], 'the snapshot is gone')
        assert not list((box.state / 'volumes').glob('*snapshot*'))

    def test_of_a_volume_in_use_and_a_server_from_it(self, box, volume):
        """And the volume goes with its snapshots."""
        cloud = box.api('onebox')
        cloud.volume('POST', f'/volumes/{volume}/action', {'os-set_bootable': {'bootable': True}})
        box.openstack('server', 'create', '--flavor', 'm1.nano', '--volume', 'base', '--no-network', 'web')
        box.server_is('web', 'ACTIVE')
        box.openstack('volume', 'snapshot', 'create', '--force', '--volume', 'base', 'live')
        snapshot_is(box, 'live', 'available')
        box.openstack('server', 'create', '--flavor', 'm1.nano', '--snapshot', 'live', '--no-network', 'twin')
        twin = box.server_is('twin', 'ACTIVE')
        used, = cloud.compute('GET', f'/servers/{twin["id"]}/os-volume_attachments')['volumeAttachments']
        assert cloud.volume('GET', f'/volumes/{used["volumeId"]}')['volume']['snapshot_id']
        box.act('server', 'delete', '--wait', 'web', 'twin')
        box.volume_is('base', 'available')
        box.act('volume', 'delete', '--purge', 'base')
        box.wait(lambda: not cloud.volume('GET', '/snapshots')['snapshots'], 'the snapshot is gone with its volume')


def snapshot_is(box, name, status):
    def found():
        snapshots = box.api('onebox').volume('GET', '/snapshots/detail')['snapshots']
        return any((snapshot['name'], snapshot['status']) == (name, status) for snapshot in snapshots)
    box.wait(found, f'snapshot {name} is {status}')


class TestOpenstackRest:
    def test_types(self, box):
        types = box.openstack('volume', 'type', 'list')
        assert types
        default = box.openstack('volume', 'type', 'list', '--default')
        assert default['name'] in [row['Name'] for row in types] if isinstance(default, dict) else default
        box.openstack('volume', 'type', 'create', '--property', 'volume_backend_name=file', 'fast',
                      cloud='onebox-admin')
        shown = box.openstack('volume', 'type', 'show', 'fast', cloud='onebox-admin')
        assert shown['properties'] == {'volume_backend_name': 'file'}
        box.act('volume', 'type', 'set', '--property', 'a=b', 'fast', cloud='onebox-admin')
        box.act('volume', 'type', 'unset', '--property', 'volume_backend_name', 'fast', cloud='onebox-admin')
        assert box.openstack('volume', 'type', 'show', 'fast', cloud='onebox-admin')['properties'] == {'a': 'b'}
        with pytest.raises(CommandFailed, match='403|Policy|policy'):
            box.openstack('volume', 'type', 'create', 'mine')
        box.act('volume', 'type', 'delete', 'fast', cloud='onebox-admin')
        assert 'fast' not in [row['Name'] for row in box.openstack('volume', 'type', 'list')]

    def test_quota(self, box, volume):
        quota = {row['Resource']: row for row in box.openstack('quota', 'show', '--volume', '--usage', 'demo',
                                                               cloud='onebox-admin')}
        assert (quota['volumes']['In Use'], quota['gigabytes']['In Use']) == (1, 1)
        box.act('quota', 'set', '--gigabytes', '1', 'demo', cloud='onebox-admin')
        with pytest.raises(CommandFailed, match='(?i)quota'):
            box.act('volume', 'set', '--size', '2', volume)
        with pytest.raises(CommandFailed, match='(?i)quota'):
            box.openstack('volume', 'create', '--size', '1', 'toomuch')
        assert box.openstack('volume', 'show', volume)['status'] == 'available'
        box.act('quota', 'set', '--gigabytes', '1000', 'demo', cloud='onebox-admin')

    def test_limits(self, box, volume):
        limits = {row['Name']: row['Value'] for row in box.openstack('limits', 'show', '--absolute')}
        assert (limits['total_volumes_used'], limits['total_gigabytes_used']) == (1, 1)
        assert limits['max_total_volumes'] == 10

    def test_services_pools_zones_extensions(self, box):
        services = box.openstack('volume', 'service', 'list', cloud='onebox-admin')
        assert {row['State'] for row in services} == {'up'}
        assert 'onebox@file' in [row['Host'] for row in services]
        with pytest.raises(CommandFailed, match='403|Policy|policy'):
            box.openstack('volume', 'service', 'list')
        pools = box.openstack('volume', 'backend', 'pool', 'list', '--long', cloud='onebox-admin')
        assert pools[0]['Name'].startswith('onebox@file#')
        zones = box.openstack('availability', 'zone', 'list', '--volume')
        assert [row['Zone Status'] for row in zones] == ['available']
        assert isinstance(box.openstack('extension', 'list', '--volume'), list)
        versions = box.openstack('versions', 'show')
        assert {row['Service Type'] for row in versions} == {'identity', 'block-storage', 'compute', 'image'}


class TestCinder:
    def test_a_volume_s_life(self, box):
        made = properties(box.cinder('create', '--name', 'c1', '--description', 'd', '--metadata', 'k=v', '--', '1'))
        assert (made['size'], made['name']) == ('1', 'c1')
        box.volume_is('c1', 'available')
        assert [row['Name'] for row in rows(box.cinder('list'))] == ['c1']
        assert "'k': 'v'" in properties(box.cinder('show', 'c1'))['metadata'] or (
            'k : v' in box.cinder('show', 'c1'))
        box.cinder('rename', 'c1', 'c2')
        box.cinder('metadata', 'c2', 'set', 'x=y')
        box.cinder('metadata', 'c2', 'unset', 'k')
        shown = box.cinder('show', 'c2')
        assert 'x : y' in shown and 'k : v' not in shown
        box.cinder('extend', 'c2', '2')
        assert box.volume_is('c2', 'available')['size'] == 2
        box.cinder('reset-state', '--state', 'error', made['id'], cloud='onebox-admin')
        assert properties(box.cinder('show', 'c2'))['status'] == 'error'
        box.cinder('force-delete', made['id'], cloud='onebox-admin')
        box.wait(lambda: rows(box.cinder('list')) == [], 'the volume is gone')

    def test_images(self, box, volume):
        made = properties(box.cinder('upload-to-image', '--disk-format', 'qcow2', 'base', 'packed'))
        assert (made['image_name'], made['disk_format'], made['status']) == ('packed', 'qcow2', 'uploading')
        box.volume_is('base', 'available')
        assert box.api('onebox').image('GET', f'/v2/images/{made["image_id"]}')['status'] == 'active'
        box.cinder('image-metadata', 'base', 'set', 'os_distro=tiny')
        assert 'tiny' in box.cinder('image-metadata-show', 'base')
        box.cinder('set-bootable', 'base', 'true')
        box.cinder('readonly-mode-update', 'base', 'True')
        shown = box.cinder('show', 'base')
        assert 'readonly : True' in shown and properties(shown)['bootable'] == 'true'
        box.act('image', 'delete', 'packed')

    def test_delete(self, box):
        box.cinder('create', '--name', 'short', '1')
        box.volume_is('short', 'available')
        box.cinder('delete', 'short')
        box.wait(lambda: rows(box.cinder('list')) == [], 'the volume is gone')

    def test_snapshots(self, box, volume):
        box.cinder('snapshot-create', '--name', 's1', '--metadata', 'k=v', '--', 'base')
        snapshot_is(box, 's1', 'available')
        listed, = rows(box.cinder('snapshot-list'))
        assert (listed['Name'], listed['Volume ID'], listed['Status'], listed['Size']) == (
            's1', volume, 'available', '1')
        box.cinder('snapshot-rename', 's1', 's2')
        box.cinder('snapshot-metadata', 's2', 'set', 'x=y')
        assert "'x': 'y'" in properties(box.cinder('snapshot-show', 's2'))['metadata']
        box.cinder('snapshot-reset-state', '--state', 'error', listed['ID'], cloud='onebox-admin')
        box.cinder('snapshot-delete', 's2')
        box.wait(lambda: not box.api('onebox').volume('GET', '/snapshots')['snapshots'], 'the snapshot is gone')

    def test_types(self, box):
        box.cinder('type-create', 'slow', cloud='onebox-admin')
        box.cinder('type-key', 'slow', 'set', 'a=b', cloud='onebox-admin')
        listed = {row['Name']: row for row in rows(box.cinder('type-list'))}
        assert 'slow' in listed
        extra = {row['Name']: row['extra_specs'] for row in rows(box.cinder('extra-specs-list', cloud='onebox-admin'))}
        assert 'a' in extra['slow']
        assert properties(box.cinder('type-show', 'slow'))['name'] == 'slow'
        assert rows(box.cinder('type-default'))
        box.cinder('type-key', 'slow', 'unset', 'a', cloud='onebox-admin')
        box.cinder('type-delete', 'slow', cloud='onebox-admin')

    def test_quota_and_limits(self, box):
        demo = box.openstack('project', 'show', 'demo', cloud='onebox-admin')['id']
        assert properties(box.cinder('quota-show', demo, cloud='onebox-admin'))['volumes']
        usage = {row['Type']: row for row in rows(box.cinder('quota-usage', demo, cloud='onebox-admin'))}
        assert usage['volumes']['In_use'] == '0'
        box.cinder('quota-update', '--volumes', '11', demo, cloud='onebox-admin')
        assert properties(box.cinder('quota-show', demo, cloud='onebox-admin'))['volumes'] == '11'
        assert properties(box.cinder('quota-defaults', demo, cloud='onebox-admin'))['volumes'] == '10'
        box.cinder('quota-delete', demo, cloud='onebox-admin')
        assert properties(box.cinder('quota-show', demo, cloud='onebox-admin'))['volumes'] == '10'
        limits = {row['Name']: row['Value'] for row in rows(box.cinder('absolute-limits'))}
        assert limits['maxTotalVolumes'] == '10'

    def test_the_rest(self, box):
        assert 'onebox@file' in box.cinder('service-list', cloud='onebox-admin')
        assert 'onebox@file#' in box.cinder('get-pools', cloud='onebox-admin')
        assert rows(box.cinder('availability-zone-list'))[0]['Status'] == 'available'
        box.cinder('list-extensions')
        assert '3.71' in box.cinder('version-list')
        assert rows(box.cinder('attachment-list')) == []
        assert box.cinder('api-version')
