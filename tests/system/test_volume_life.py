"""A volume's whole life by the real `openstack` and `cinder` commands: what they print of each of its parts.

All on one onebox with two hosts that remember their servers, and volumes in files.
"""
import pytest
from cinderclient import client, exceptions
from keystoneauth1 import session as keystone
from keystoneauth1.identity import v3

from tests.system.box import CommandFailed, properties, rows, with_tiny_image

pytestmark = pytest.mark.system
ADMIN = {'cloud': 'onebox-admin'}
CONNECTOR = {'host': 'h', 'ip': '192.0.2.1', 'initiator': 'iqn.2026-01.example:h', 'multipath': False}
NO_LIMITS = {'volumes': -1, 'gigabytes': -1, 'snapshots': -1}


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = with_tiny_image(tmp_path_factory.mktemp('life'), '--hosts', '2')
    mine = box.api('onebox')
    box.api('onebox-admin').volume('PUT', f'/os-quota-sets/{mine.project_id}', {'quota_set': NO_LIMITS})
    yield box
    box.kill()


@pytest.fixture(scope='module')
def mine(box):
    return box.api('onebox')


@pytest.fixture(scope='module')
def servers(box, mine):
    """The ids of two running servers, by their names."""
    for name in ('one', 'two'):
        mine.compute('POST', '/servers', {'server': {'name': name, 'flavorRef': '42', 'networks': 'none',
                                                     'imageRef': mine.image_id('tiny')}})
    return {name: box.server_is(name, 'ACTIVE')['id'] for name in ('one', 'two')}


def new(box, name, size=1, **fields) -> str:
    """The id of an available volume."""
    made = box.api('onebox').new_volume(size, name=name, **fields)
    box.volume_is(made, 'available')
    return made


def snap(box, volume, name) -> str:
    """The id of an available snapshot."""
    snapshots = box.api('onebox').volume
    made = snapshots('POST', '/snapshots', {'snapshot': {'volume_id': volume, 'name': name}})['snapshot']['id']
    box.wait(lambda: snapshots('GET', f'/snapshots/{made}')['snapshot']['status'] == 'available', f'{name} is made')
    return made


def gone(box, kind, id):
    """Once there is none with that id any more."""
    listed = box.api('onebox').volume
    box.wait(lambda: id not in [row['id'] for row in listed('GET', f'/{kind}')[kind]], f'{id} is gone')


def refuses(words, command, *arguments, **how):
    with pytest.raises(CommandFailed, match=words):
        command(*arguments, **how)


def names(listed, column='Name') -> list[str]:
    return [row[column] for row in (listed if isinstance(listed, list) else rows(listed))]


class TestVolumes:
    def test_made_of_everything(self, box):
        box.cinder('type-create', '--description', 'spins', 'plain', **ADMIN)
        box.cinder('create', '--name', 'root', '--volume-type', 'plain', '--availability-zone', 'nova', '--metadata',
                   'a=b', '--image', 'tiny', '1')
        root = box.volume_is('root', 'available')
        shown = box.cinder('show', 'root')
        assert 'a : b' in shown and 'image_name : tiny' in shown
        assert {'bootable': 'true', 'volume_type': 'plain', 'availability_zone': 'nova', 'size': '1',
                }.items() <= properties(shown).items()
        copy = properties(box.cinder('create', '--name', 'copy', '--source-volid', root['id']))
        assert (copy['size'], copy['source_volid']) == ('1', root['id'])
        kept = snap(box, root['id'], 'kept')
        larger = properties(box.cinder('create', '--name', 'larger', '--snapshot-id', kept, '3'))
        assert (larger['size'], larger['snapshot_id']) == ('3', kept)
        assert box.volume_is('larger', 'available')['volume_type'] == 'plain'
        refuses('2 GiB are less', box.cinder, 'create', '--snapshot-id', snap(box, larger['id'], 'of three'), '2')

    def test_what_cannot_be_made(self, box, mine):
        before = len(mine.volume('GET', '/volumes')['volumes'])
        refuses('Volume type nothing could not be found', box.cinder, 'create', '--volume-type', 'nothing', '1')
        refuses('no availability zone moon', box.openstack, 'volume', 'create', '--size', '1', '--availability-zone',
                'moon', 'v')
        refuses('Image', box.cinder, 'create', '--image', 'nothing', '1')
        refuses('size', box.cinder, 'create', '0')
        assert len(mine.volume('GET', '/volumes')['volumes']) == before

    def test_lists(self, box):
        first, second = new(box, 'list-a', 2, metadata={'k': 'v'}), new(box, 'list-b', 1)
        assert names(box.cinder('list', '--filters', 'name~=list-', '--sort', 'size:asc,name:desc')) == [
            'list-b', 'list-a']
        assert names(box.cinder('list', '--filters', 'name~=list-', '--filters', 'size=2')) == ['list-a']
        assert names(box.cinder('list', '--filters', 'name~=list-', '--sort', 'name', '--limit', '1')) == ['list-b']
        assert names(box.cinder('list', '--sort', 'name', '--marker', second, '--filters', 'name~=list-')) == ['list-a']
        assert names(box.cinder('list', '--metadata', 'k=v')) == ['list-a']
        counted = box.cinder('list', '--all-tenants', '--filters', 'name~=list-', '--with-count', '--limit', '1',
                             **ADMIN)
        assert len(rows(counted)) == 1 and 'Volume in total: 2' in counted
        assert names(box.openstack('volume', 'list', '--marker', first, '--property', 'k=v')) == []
        refuses('Invalid filters nonsense', box.cinder, 'list', '--filters', 'nonsense=1')
        allowed = {row['Resource']: row['Filters'] for row in rows(box.cinder('list-filters'))}
        assert 'name~' in allowed['volume']
        total = box.openstack('volume', 'summary', microversion='3.71')
        assert total['Total Count'] == len(box.openstack('volume', 'list')) and total['Metadata']['k'] == ['v']
        assert int(properties(box.cinder('summary'))['total_size']) == total['Total Size']

    def test_metadata(self, box):
        volume = new(box, 'said')
        box.cinder('metadata', 'said', 'set', 'a=b', 'c=d')
        assert properties_of(box.cinder('metadata-show', 'said')) == {'a': 'b', 'c': 'd'}
        box.cinder('metadata-update-all', 'said', 'e=f')
        assert box.openstack('volume', 'show', 'said')['properties'] == {'e': 'f'}
        box.act('volume', 'set', '--image-property', 'os_distro=x', '--image-property', 'y=z', '--bootable',
                '--read-only', 'said')
        box.act('volume', 'unset', '--image-property', 'y', 'said')
        assert properties_of(box.cinder('image-metadata-show', 'said')) == {'os_distro': 'x'}
        shown = box.api('onebox').volume('GET', f'/volumes/{volume}')['volume']
        assert (shown['bootable'], shown['metadata']['readonly']) == ('true', 'True')
        box.cinder('set-bootable', 'said', 'false')
        box.cinder('readonly-mode-update', 'said', 'false')
        box.cinder('image-metadata', 'said', 'unset', 'os_distro')
        shown = box.api('onebox').volume('GET', f'/volumes/{volume}')['volume']
        assert shown['bootable'] == 'false' and 'volume_image_metadata' not in shown

    def test_away_with_its_snapshots_and_whatever_its_status(self, box):
        tree, stubborn, reserved = new(box, 'tree'), new(box, 'stubborn'), new(box, 'reserved')
        snap(box, tree, 'leaf')
        refuses('snapshots', box.cinder, 'delete', 'tree')
        box.cinder('delete', '--cascade', 'tree')
        box.cinder('reset-state', '--state', 'maintenance', stubborn, **ADMIN)
        refuses('maintenance', box.cinder, 'delete', 'stubborn')
        refuses('Policy', box.act, 'volume', 'delete', '--force', 'stubborn')
        box.act('volume', 'delete', '--force', stubborn, **ADMIN)
        box.cinder('attachment-create', reserved)
        refuses('reserved', box.act, 'volume', 'delete', 'reserved')
        box.cinder('force-delete', reserved, **ADMIN)
        for volume in (tree, stubborn, reserved):
            gone(box, 'volumes', volume)
        assert rows(box.cinder('attachment-list', '--volume-id', reserved)) == []


def properties_of(table) -> dict:
    """Of a table of metadata."""
    return {next(iter(row.values())): row['Value'] for row in rows(table)}


class TestAttaching:
    def test_several_servers_at_once(self, box, mine, servers):
        box.openstack('volume', 'type', 'create', '--private', '--multiattach', '--project', 'demo', 'shared', **ADMIN)
        volume = new(box, 'shared', volume_type='shared')
        for server in servers:
            box.openstack('server', 'add', 'volume', server, 'shared')
        box.wait(lambda: len(mine.volume('GET', f'/volumes/{volume}')['volume']['attachments']) == 2, 'both have it')
        listed = {row['Server ID']: row for row in box.openstack('volume', 'attachment', 'list', '--volume-id', volume)}
        assert set(listed) == set(servers.values()) and {row['Status'] for row in listed.values()} == {'attached'}
        assert set(names(box.cinder('attachment-list', '--volume-id', volume), 'Server ID')) == set(listed)
        of_one = listed[servers['one']]['ID']
        shown = box.openstack('volume', 'attachment', 'show', of_one)
        assert (shown['Instance ID'], shown['Attach Mode']) == (servers['one'], 'rw')
        # Not behind the server's back: CVE-2023-2088.
        refuses('409', box.act, 'volume', 'attachment', 'delete', of_one)
        refuses('409', box.cinder, 'attachment-delete', of_one)
        for server in servers:
            box.act('server', 'remove', 'volume', server, 'shared')
        box.volume_is(volume, 'available')
        plain = new(box, 'unshared')
        box.openstack('server', 'add', 'volume', 'one', 'unshared')
        box.volume_is(plain, 'in-use')
        refuses('in-use|in use', box.openstack, 'server', 'add', 'volume', 'two', 'unshared')

    def test_attachments_by_hand(self, box, servers):
        volume = new(box, 'by hand')
        made = box.openstack('volume', 'attachment', 'create', 'by hand', '--server', 'one', '--mode', 'ro',
                             microversion='3.71')
        assert made['Status'] == 'reserved' and box.volume_is(volume, 'reserved')
        refuses('reserved', box.cinder, 'attachment-create', volume, servers['two'])
        connected = box.openstack('volume', 'attachment', 'set', made['ID'], '--host', 'h', '--ip', '192.0.2.1',
                                  '--mountpoint', '/dev/vdc')
        assert connected['Status'] == 'attaching' and connected['Properties']
        box.act('volume', 'attachment', 'complete', made['ID'], microversion='3.71')
        shown = box.volume_is(volume, 'in-use')
        assert [(one['server_id'], one['device']) for one in shown['attachments']] == [(servers['one'], '/dev/vdc')]
        assert properties(box.cinder('attachment-show', made['ID']))['attach_mode'] == 'ro'
        box.act('volume', 'attachment', 'delete', made['ID'])      # the server does not have it
        box.volume_is(volume, 'available')
        made = properties(box.cinder('attachment-create', '--connect', 'True', '--host', 'h', '--ip', '192.0.2.1',
                                     '--mode', 'rw', volume, servers['one']))
        box.cinder('attachment-complete', made['id'])
        assert names(box.cinder('attachment-list', '--status', 'attached', '--volume-id', volume), 'ID') == [made['id']]
        box.cinder('attachment-delete', made['id'])
        box.volume_is(volume, 'available')


class TestOlderAttachSequence:
    """No command has words for it: what python-cinderclient sends for compute services that know nothing else."""

    @pytest.fixture(scope='class')
    def older(self, box):
        """The client of a user; nobody is a service here, who could do more."""
        return client.Client('3.0', session=keystone.Session(v3.Password(**box.auth()))).volumes

    def test_there_and_back(self, box, older, servers):
        volume = new(box, 'older')
        older.reserve(volume)
        assert box.volume_is(volume, 'attaching')
        with pytest.raises(exceptions.BadRequest, match='attaching'):
            older.reserve(volume)
        refuses('attaching', box.cinder, 'attachment-create', volume, servers['one'])
        reached = older.initialize_connection(volume, CONNECTOR)
        assert reached['driver_volume_type'] == 'local'
        older.attach(volume, servers['one'], '/dev/vdd', 'rw')
        shown = box.cinder('show', 'older')
        assert properties(shown)['status'] == 'in-use' and servers['one'] in properties(shown)['attached_servers']
        used, = rows(box.cinder('attachment-list', '--volume-id', volume))
        assert (used['Status'], used['Server ID']) == ('attached', servers['one'])
        older.begin_detaching(volume)
        assert properties(box.cinder('show', 'older'))['status'] == 'detaching'
        older.roll_detaching(volume)
        assert properties(box.cinder('show', 'older'))['status'] == 'in-use'
        older.begin_detaching(volume)
        older.terminate_connection(volume, CONNECTOR)
        older.detach(volume, used['ID'])
        assert box.volume_is(volume, 'available')['attachments'] == []

    def test_undone_half_way(self, box, older):
        volume = new(box, 'half way')
        older.reserve(volume)
        older.unreserve(volume)
        assert box.volume_is(volume, 'available')
        older.reserve(volume)
        older.initialize_connection(volume, CONNECTOR)
        older.terminate_connection(volume, CONNECTOR)
        assert box.volume_is(volume, 'available') and not rows(box.cinder('attachment-list', '--volume-id', volume))

    def test_nothing_is_taken_from_a_server(self, box, older, mine, servers):
        """CVE-2023-2088."""
        volume = new(box, 'used')
        box.openstack('server', 'add', 'volume', 'two', 'used')
        box.volume_is(volume, 'in-use')
        for take in (lambda: older.detach(volume), lambda: older.terminate_connection(volume, None)):
            with pytest.raises(exceptions.ClientException, match='HTTP 409'):
                take()
        refuses('Policy', box.cinder, 'reset-state', '--state', 'available', '--attach-status', 'detached', volume)
        assert len(mine.volume('GET', f'/attachments?volume_id={volume}')['attachments']) == 1
        assert mine.compute('GET', f'/servers/{servers["two"]}/os-volume_attachments')['volumeAttachments']
        box.act('server', 'remove', 'volume', 'two', 'used')
        box.volume_is(volume, 'available')

    def test_what_is_left_of_it_is_reset_by_an_administrator(self, box, older):
        volume = new(box, 'left')
        older.reserve(volume)
        box.cinder('reset-state', '--state', 'available', '--attach-status', 'detached', volume, **ADMIN)
        assert box.volume_is(volume, 'available')['attachments'] == []


class TestSnapshots:
    def test_of_a_volume_in_use(self, box, mine, servers):
        volume = new(box, 'busy')
        box.openstack('server', 'add', 'volume', 'one', 'busy')
        box.volume_is(volume, 'in-use')
        refuses('in-use', box.cinder, 'snapshot-create', '--force', 'False', volume, version='3.65')
        box.cinder('snapshot-create', '--force', 'True', '--name', 'forced', volume, version='3.65')
        box.cinder('snapshot-create', '--name', 'unforced', '--metadata', 'a=b', volume)
        refuses('force', box.cinder, 'snapshot-create', '--force', 'False', volume)
        box.wait(lambda: {one['status'] for one in mine.volume('GET', f'/snapshots/detail?volume_id={volume}')[
            'snapshots']} == {'available'}, 'both are made')
        box.act('volume', 'set', '--size', '2', 'busy', microversion='3.71')
        assert box.volume_is(volume, 'in-use')['size'] == 2
        listed = rows(box.cinder('snapshot-list', '--volume-id', volume, '--sort', 'name:desc'))
        assert [(row['Name'], row['Size']) for row in listed] == [('unforced', '1'), ('forced', '1')]
        assert names(box.cinder('snapshot-list', '--filters', 'name~=unforce', '--filters', 'metadata={a:b}')) == [
            'unforced']
        page = box.cinder('snapshot-list', '--volume-id', volume, '--limit', '1', '--with-count')
        assert len(rows(page)) == 1 and 'Snapshot in total: 2' in page
        assert names(box.openstack('volume', 'snapshot', 'list', '--volume', 'busy', '--name', 'forced')) == ['forced']

    def test_changes_and_an_end_by_force(self, box):
        snapshot = snap(box, new(box, 'changed'), 'first')
        box.cinder('snapshot-metadata-update-all', 'first', 'q=r')
        box.act('volume', 'snapshot', 'set', '--property', 's=t', '--description', 'said', 'first')
        assert properties_of(box.cinder('snapshot-metadata-show', 'first')) == {'q': 'r', 's': 't'}
        refuses('Policy', box.act, 'volume', 'snapshot', 'set', '--state', 'creating', 'first')
        box.act('volume', 'snapshot', 'set', '--state', 'creating', snapshot, **ADMIN)
        assert box.openstack('volume', 'snapshot', 'show', 'first')['status'] == 'creating'
        refuses('creating', box.cinder, 'snapshot-delete', 'first')
        refuses('Policy', box.act, 'volume', 'snapshot', 'delete', '--force', 'first')
        box.cinder('snapshot-delete', '--force', snapshot, **ADMIN)
        gone(box, 'snapshots', snapshot)


class TestTypes:
    def test_private_ones(self, box, mine):
        box.cinder('type-create', '--is-public', 'false', 'hidden', **ADMIN)
        refuses('hidden', box.cinder, 'type-show', 'hidden')
        refuses('hidden', box.cinder, 'create', '--volume-type', 'hidden', '1')
        box.cinder('type-access-add', '--volume-type', 'hidden', '--project-id', mine.project_id, **ADMIN)
        assert names(box.cinder('type-access-list', '--volume-type', 'hidden', **ADMIN), 'Project_ID') == [
            mine.project_id]
        assert box.openstack('volume', 'type', 'show', 'hidden', **ADMIN)['access_project_ids'] == [mine.project_id]
        hidden = new(box, 'of hidden', volume_type='hidden')
        assert 'hidden' in names(box.cinder('type-list')) and 'hidden' in names(
            box.openstack('volume', 'type', 'list', '--private', **ADMIN))
        refuses('in use', box.cinder, 'type-delete', 'hidden', **ADMIN)
        box.act('volume', 'type', 'unset', '--project', 'demo', 'hidden', **ADMIN)
        assert 'hidden' not in names(box.openstack('volume', 'type', 'list'))
        assert properties(box.cinder('show', hidden))['volume_type'] == 'hidden'
        box.act('volume', 'type', 'set', '--public', '--name', 'seen', '--description', 'now', 'hidden', **ADMIN)
        assert box.openstack('volume', 'type', 'show', 'seen')['description'] == 'now'

    def test_default_ones_and_sizes(self, box, mine):
        box.openstack('volume', 'type', 'create', '--property', 'provisioning:min_vol_size=2', '--property',
                      'provisioning:max_vol_size=3', 'sized', **ADMIN)
        box.cinder('default-type-set', 'sized', mine.project_id, **ADMIN)
        assert names(box.cinder('default-type-list', **ADMIN), 'Project ID') == [mine.project_id]
        assert names(box.cinder('type-default')) == ['sized']
        refuses('sized allows 2 to 3 GiB', box.cinder, 'create', '1')
        volume = new(box, 'of default', 2)
        refuses('at most 3 GiB', box.cinder, 'extend', volume, '4')
        box.cinder('extend', volume, '3')
        assert box.volume_is(volume, 'available')['volume_type'] == 'sized'
        box.cinder('default-type-unset', mine.project_id, **ADMIN)
        assert names(box.cinder('type-default')) == ['__DEFAULT__']

    def test_encryption_is_kept_and_refused(self, box):
        """There are no keys."""
        box.openstack('volume', 'type', 'create', '--encryption-provider', 'luks', '--encryption-key-size', '256',
                      '--encryption-control-location', 'front-end', 'secret', **ADMIN)
        box.cinder('encryption-type-update', '--cipher', 'aes-xts-plain64', 'secret', **ADMIN)
        shown, = rows(box.cinder('encryption-type-show', 'secret', **ADMIN))
        assert (shown['Provider'], shown['Cipher'], shown['Key Size'], shown['Control Location']) == (
            'luks', 'aes-xts-plain64', '256', 'front-end')
        refuses('(?i)encrypt', box.cinder, 'create', '--volume-type', 'secret', '1')
        box.cinder('encryption-type-delete', 'secret', **ADMIN)
        assert not rows(box.cinder('encryption-type-list', **ADMIN))


class TestQuota:
    def test_of_a_type_and_of_one_volume(self, box, mine):
        box.cinder('type-create', 'scarce', **ADMIN)
        box.act('quota', 'set', '--volume-type', 'scarce', '--gigabytes', '3', '--volumes', '2', 'demo', **ADMIN)
        volume = new(box, 'scarce', 2, volume_type='scarce')
        refuses('gigabytes_scarce: 2 more', box.cinder, 'create', '--volume-type', 'scarce', '2')
        refuses('gigabytes_scarce', box.act, 'volume', 'set', '--size', '4', 'scarce')
        box.act('volume', 'set', '--size', '3', 'scarce')
        box.volume_is(volume, 'available')
        usage = {row['Type']: row for row in rows(box.cinder('quota-usage', mine.project_id, **ADMIN))}
        assert (usage['gigabytes_scarce']['In_use'], usage['gigabytes_scarce']['Limit']) == ('3', '3')
        assert (usage['volumes_scarce']['In_use'], usage['volumes_scarce']['Reserved']) == ('1', '0')
        box.act('quota', 'set', '--per-volume-gigabytes', '4', 'demo', **ADMIN)
        refuses('larger than the limit of 4', box.openstack, 'volume', 'create', '--size', '5', 'v')
        box.cinder('quota-update', '--per-volume-gigabytes', '-1', mine.project_id, **ADMIN)

    def test_defaults_are_of_the_class(self, box, mine):
        box.cinder('quota-class-update', '--volumes', '20', 'default', **ADMIN)
        assert properties(box.cinder('quota-class-show', 'default', **ADMIN))['volumes'] == '20'
        default = {row['Resource']: row['Limit'] for row in box.openstack('quota', 'show', '--default', '--volume')}
        assert default['volumes'] == 20
        limits = {row['Name']: row['Value'] for row in rows(box.cinder('absolute-limits', **ADMIN))}
        assert limits['maxTotalVolumes'] == '20'
        refuses('Policy', box.cinder, 'quota-update', '--volumes', '99', mine.project_id)


class TestWhereVolumesGo:
    @pytest.fixture(autouse=True)
    def enabled(self, box):
        yield
        box.api('onebox-admin').volume('PUT', '/os-services/enable', {'host': 'onebox@file', 'binary': 'cinder-volume'})

    def message(self, box, volume) -> dict:
        """The only one about the volume."""
        said, = [row for row in box.openstack('volume', 'message', 'list', microversion='3.71')
                 if row['Resource UUID'] == volume]
        return said

    def test_nowhere(self, box):
        box.cinder('type-create', 'elsewhere', **ADMIN)
        box.cinder('type-key', 'elsewhere', 'set', 'volume_backend_name=other', **ADMIN)
        made = box.openstack('volume', 'create', '--size', '1', '--type', 'elsewhere', 'nowhere')
        assert made['status'] == 'error' and box.openstack('volume', 'show', 'nowhere')['status'] == 'error'
        said = self.message(box, made['id'])
        assert 'capabilities (1)' in said['User Message'] and said['Message Level'] == 'ERROR'
        shown = properties(box.cinder('message-show', said['ID']))
        assert (shown['user_message'], shown['event_id']) == (said['User Message'], said['Event ID'])
        assert names(box.cinder('message-list', '--resource_uuid', made['id']), 'ID') == [said['ID']]
        by_admin = box.openstack('volume', 'message', 'list', '--project', 'demo', microversion='3.71', **ADMIN)
        assert said['ID'] in [row['ID'] for row in by_admin]
        box.act('volume', 'message', 'delete', said['ID'], microversion='3.71')
        assert not rows(box.cinder('message-list', '--resource_uuid', made['id']))
        box.act('volume', 'delete', 'nowhere')
        gone(box, 'volumes', made['id'])

    def test_not_to_a_disabled_backend(self, box):
        volume = new(box, 'there before')
        box.cinder('service-disable', '--reason', 'works', 'onebox@file', 'cinder-volume', **ADMIN)
        listed, = rows(box.cinder('service-list', '--binary', 'cinder-volume', **ADMIN))
        assert (listed['Status'], listed['State'], listed['Disabled Reason']) == ('disabled', 'up', 'works')
        refused = box.openstack('volume', 'create', '--size', '1', 'refused')
        assert refused['status'] == 'error' and 'enabled (1)' in self.message(box, refused['id'])['User Message']
        box.cinder('extend', volume, '2')       # what is there goes on
        assert box.volume_is(volume, 'available')['size'] == 2
        box.cinder('delete', volume, 'refused')
        gone(box, 'volumes', volume)
        box.act('volume', 'service', 'set', '--enable', 'onebox@file', 'cinder-volume', **ADMIN)
        new(box, 'there again')

    def test_no_room(self, box):
        refuses('room|capacity', box.cinder, 'extend', new(box, 'small'), '100000000')
        made = box.openstack('volume', 'create', '--size', '100000000', 'huge')
        assert 'capacity (1)' in self.message(box, made['id'])['User Message']

    def test_what_backends_can(self, box):
        shown = box.cinder('get-capabilities', 'onebox@file', **ADMIN)
        assert 'OS::Storage::Capabilities::onebox@file' in shown and 'multiattach' in shown
        specs = names(box.openstack('volume', 'backend', 'capability', 'show', 'onebox@file', **ADMIN), 'Key')
        pool = properties(box.cinder('get-pools', '--detail', **ADMIN))
        assert pool['online_extend_support'] == 'True' and set(specs) <= set(pool)
        refuses('404|could not be found', box.cinder, 'get-capabilities', 'nowhere', **ADMIN)


def test_what_does_not_exist_here(box):
    for command in (['backup-list'], ['group-list'], ['transfer-list'], ['qos-list'], ['group-type-list']):
        refuses('HTTP 404', box.cinder, *command, **ADMIN)
