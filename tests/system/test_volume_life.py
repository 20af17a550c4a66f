"""A volume's whole life by the real `openstack` and `cinder` commands: what they print of each of its parts.

All on one onebox with two hosts that remember their servers, and volumes in files.
"""
import pytest

from tests.system.box import CommandFailed, properties, rows, with_tiny_image

pytestmark = pytest.mark.system
ADMIN = {'cloud': 'onebox-admin'}
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
