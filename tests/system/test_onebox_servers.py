"""Every server call of the real `openstack` and `nova` commands, on onebox with the memory hypervisor."""

import pytest

from onebox import guest
from tests.system.box import CommandFailed, properties, rows, with_tiny_image

pytestmark = pytest.mark.system
GIB = 1 << 30
NEW = ['server', 'create', '--flavor', 'm1.nano', '--no-network']


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = with_tiny_image(tmp_path_factory.mktemp('servers'))
    yield box
    box.kill()


@pytest.fixture(scope='module')
def server(box):
    """The id of an active server with a root volume made from an image."""
    root = box.openstack('volume', 'create', '--size', '1', '--image', 'tiny', 'root')
    box.volume_is(root['id'], 'available')
    made = box.openstack(*NEW, '--volume', root['id'], 'first')
    box.server_is(made['id'], 'ACTIVE')
    return made['id']


@pytest.fixture
def volume(box):
    made = box.openstack('volume', 'create', '--size', '1', 'data')
    box.volume_is(made['id'], 'available')
    yield made['id']
    box.volume_is(made['id'], 'available')
    box.act('volume', 'delete', made['id'])


def attached(box, volume):
    """The servers that have the volume in use."""
    found = box.api('onebox').volume('GET', f'/volumes/{volume}')['volume']
    return [one['server_id'] for one in found['attachments'] if found['status'] == 'in-use']


def console_size(box, server, volume):
    return guest.size_seen(box.act('console', 'log', 'show', server), volume)


class TestOpenstack:
    def test_show_and_list(self, box, server):
        shown = box.openstack('server', 'show', server)
        assert (shown['name'], shown['status']) == ('first', 'ACTIVE')
        assert len(shown['volumes_attached']) == 1
        assert [row['Name'] for row in box.openstack('server', 'list')] == ['first']
        assert box.openstack('server', 'list', '--long')[0]['Power State'] in (1, 'Running')
        assert box.openstack('server', 'list', '--status', 'SHUTOFF') == []
        assert [row['Name'] for row in box.openstack('server', 'list', '--name', 'fir')] == ['first']
        everyones = box.openstack('server', 'list', '--all-projects', cloud='onebox-admin')
        assert [row['ID'] for row in everyones] == [server]
        assert box.openstack('server', 'list', cloud='onebox-admin') == []

    def test_a_volume_in_two_servers(self, box, server):
        """Each is told when it grows, and either can give it up."""
        box.openstack('volume', 'type', 'create', '--property', 'multiattach=<is> True', 'shared', cloud='onebox-admin')
        volume = box.openstack('volume', 'create', '--size', '1', '--type', 'shared', 'both')['id']
        box.volume_is(volume, 'available')
        other = box.openstack(*NEW, '--image', 'tiny', 'other')['id']
        box.server_is(other, 'ACTIVE')
        for one in (server, other):
            box.openstack('server', 'add', 'volume', one, volume)
            box.wait(lambda: one in attached(box, volume), 'the volume is attached')  # noqa: B023
        box.act('volume', 'set', '--size', '2', volume)
        for one in (server, other):
            box.wait(lambda: console_size(box, one, volume) == 2 * GIB, 'the guest sees it')  # noqa: B023
        box.act('server', 'remove', 'volume', server, volume)
        box.wait(lambda: attached(box, volume) == [other], 'the other has it still')
        box.act('server', 'delete', '--wait', other)
        box.volume_is(volume, 'available')
        box.act('volume', 'delete', volume)
        box.wait(lambda: volume not in [row['ID'] for row in box.openstack('volume', 'list')], 'it is gone')
        box.act('volume', 'type', 'delete', 'shared', cloud='onebox-admin')

    def test_power(self, box, server):
        for command, status in (('stop', 'SHUTOFF'), ('start', 'ACTIVE'), ('pause', 'PAUSED'), ('unpause', 'ACTIVE')):
            box.act('server', command, server)
            box.server_is(server, status)
        box.act('server', 'reboot', '--wait', server)
        box.act('server', 'reboot', '--hard', '--wait', server)
        box.server_is(server, 'ACTIVE')
        with pytest.raises(CommandFailed, match='409|[Cc]annot|while'):
            box.act('server', 'start', server)

    def test_console(self, box, server):
        assert 'disks: vda' in box.act('console', 'log', 'show', server)
        assert len(box.act('console', 'log', 'show', '--lines', '1', server).splitlines()) <= 2

    def test_a_disk_grows_in_use(self, box, server, volume):
        attached = box.openstack('server', 'add', 'volume', server, volume)
        assert attached['Volume ID'] == volume
        shown = box.volume_is(volume, 'in-use')
        assert (shown['attachments'][0]['server_id'], shown['attachments'][0]['device']) == (server, '/dev/vdb')
        listed = {row['Volume ID']: row for row in box.openstack('server', 'volume', 'list', server)}
        assert listed[volume]['Device'] == '/dev/vdb'
        box.wait(lambda: console_size(box, server, volume) == GIB, 'the guest sees the disk')
        assert [row['Attached to'] for row in box.openstack('volume', 'list', '--name', 'data')]

        box.act('volume', 'set', '--size', '2', volume)
        assert box.volume_is(volume, 'in-use')['size'] == 2
        box.wait(lambda: console_size(box, server, volume) == 2 * GIB, 'the guest sees the growth')
        events = box.openstack('server', 'event', 'list', server)
        grown = next(event for event in events if event['Action'] == 'extend_volume')
        detail = box.openstack('server', 'event', 'show', server, grown['Request ID'], cloud='onebox-admin')
        assert detail['action'] == 'extend_volume'
        event = detail['events'][0]
        assert (event['event'], event['result']) == ('compute_extend_volume', 'Success') and event['finish_time']

        with pytest.raises(CommandFailed):
            box.act('volume', 'delete', volume)
        box.act('server', 'remove', 'volume', server, volume)
        box.volume_is(volume, 'available')
        assert volume not in [row['Volume ID'] for row in box.openstack('server', 'volume', 'list', server)]

    def test_users_may_not_detach_behind_the_server_s_back(self, box, server, volume):
        box.openstack('server', 'add', 'volume', server, volume)
        box.volume_is(volume, 'in-use')
        attachment, = [row['ID'] for row in box.openstack('volume', 'attachment', 'list', '--volume-id', volume,
                                                          microversion='3.54')]
        with pytest.raises(CommandFailed, match='409|400|[Cc]onflict|detach'):
            box.act('volume', 'attachment', 'delete', attachment, microversion='3.54')
        box.act('server', 'remove', 'volume', server, volume)

    def test_attachments_by_hand(self, box, server, volume):
        """As a service or an administrator attaches a volume to a server that knows nothing of it."""
        how = {'microversion': '3.54', 'cloud': 'onebox-admin'}
        made = box.openstack('volume', 'attachment', 'create', '--mode', 'rw', volume, server, **how)
        assert box.openstack('volume', 'show', volume)['status'] == 'reserved'
        shown = box.openstack('volume', 'attachment', 'set', '--host', 'onebox', '--ip', '127.0.0.1', made['ID'], **how)
        assert shown['Volume ID'] == volume
        box.act('volume', 'attachment', 'complete', made['ID'], **how)
        assert box.openstack('volume', 'show', volume)['status'] == 'in-use'
        listed = {row['ID']: row for row in box.openstack('volume', 'attachment', 'list', '--all-projects', **how)}
        assert listed[made['ID']]['Status'] == 'attached'
        assert box.openstack('volume', 'attachment', 'show', made['ID'], **how)['Instance ID'] == server
        box.act('volume', 'attachment', 'delete', made['ID'], **how)

    def test_from_an_image_until_it_is_deleted(self, box):
        made = box.openstack(*NEW, '--image', 'tiny', 'imaged')
        box.server_is(made['id'], 'ACTIVE')
        box.act('server', 'delete', '--wait', 'imaged')
        assert 'imaged' not in [row['Name'] for row in box.openstack('server', 'list')]

    def test_from_an_image_by_a_volume(self, box):
        made = box.openstack(*NEW, '--boot-from-volume', '1', '--image', 'tiny', '--wait', 'bfv')
        assert box.openstack('server', 'show', made['id'])['volumes_attached']
        box.act('server', 'delete', '--wait', 'bfv')

    def test_changes_of_name(self, box, server):
        box.act('server', 'set', '--name', 'second', server)
        assert box.openstack('server', 'show', 'second')['id'] == server
        box.act('server', 'set', '--name', 'first', server)

    def test_flavors(self, box):
        names = [row['Name'] for row in box.openstack('flavor', 'list')]
        assert {'m1.nano', 'm1.tiny'} <= set(names)
        shown = box.openstack('flavor', 'show', 'm1.nano')
        assert (shown['ram'], shown['vcpus']) == (128, 1)

    def test_services_hypervisors_zones_limits(self, box, server):
        services = box.openstack('compute', 'service', 'list', cloud='onebox-admin')
        assert {row['Binary'] for row in services} >= {'nova-compute'}
        assert {row['State'] for row in services} == {'up'}
        with pytest.raises(CommandFailed, match='403|Policy|policy'):
            box.openstack('compute', 'service', 'list')
        hypervisors = box.openstack('hypervisor', 'list', '--long', cloud='onebox-admin')
        assert [(row['Hypervisor Hostname'], row['State']) for row in hypervisors] == [('onebox', 'up')]
        shown = box.openstack('hypervisor', 'show', 'onebox', cloud='onebox-admin')
        assert shown['hypervisor_hostname'] == 'onebox'
        zones = box.openstack('availability', 'zone', 'list', '--compute')
        assert {'Zone Name': 'nova', 'Zone Status': 'available'} in zones
        limits = {row['Name']: row['Value'] for row in box.openstack('limits', 'show', '--absolute')}
        assert limits['total_instances_used' if 'total_instances_used' in limits else 'instances_used'] == 1

    @pytest.mark.parametrize('name', ['nothing', '00000000-0000-4000-8000-000000000000'])
    def test_unknown_servers(self, box, name):
        with pytest.raises(CommandFailed, match='(?i)no server|not found|could not be found'):
            box.openstack('server', 'show', name)


class TestNova:
    def test_show_and_list(self, box, server):
        assert [row['Name'] for row in rows(box.nova('list'))] == ['first']
        shown = properties(box.nova('show', server))
        assert (shown['name'], shown['status']) == ('first', 'ACTIVE')
        assert 'disks: vda' in box.nova('console-log', server)

    def test_power(self, box, server):
        for command, status in (('stop', 'SHUTOFF'), ('start', 'ACTIVE'), ('pause', 'PAUSED'), ('unpause', 'ACTIVE')):
            box.nova(command, server)
            box.server_is(server, status)
        for command in (['reboot'], ['reboot', '--hard']):
            box.nova(*command, server)
            box.server_is(server, 'ACTIVE')

    def test_volumes(self, box, server, volume):
        attached = properties(box.nova('volume-attach', server, volume))
        assert attached['volumeId'] == volume
        box.volume_is(volume, 'in-use')
        assert volume in [row['VOLUME ID'] for row in rows(box.nova('volume-attachments', server))]
        box.cinder('extend', volume, '2')
        box.wait(lambda: console_size(box, server, volume) == 2 * GIB, 'the guest sees the growth')
        actions = rows(box.nova('instance-action-list', server))
        action = next(row for row in actions if row['Action'] == 'extend_volume')
        assert 'compute_extend_volume' in box.nova('instance-action', server, action['Request_ID'], cloud='onebox')
        box.nova('volume-detach', server, volume)
        box.volume_is(volume, 'available')

    def test_boot_and_delete(self, box):
        volumes = {row['ID'] for row in box.openstack('volume', 'list')}
        image = box.openstack('image', 'show', 'tiny')['id']
        made = properties(box.nova('boot', '--flavor', 'm1.nano', '--nic', 'none', '--block-device',
                                   f'source=image,id={image},dest=volume,size=1,bootindex=0,shutdown=remove', 'booted'))
        box.server_is(made['id'], 'ACTIVE')
        box.nova('delete', made['id'])
        box.wait(lambda: made['id'] not in [row['ID'] for row in rows(box.nova('list'))], 'the server is gone')
        box.wait(lambda: {row['ID'] for row in box.openstack('volume', 'list')} == volumes, 'its volume is gone')

    def test_the_rest(self, box):
        assert 'm1.nano' in box.nova('flavor-list')
        assert 'm1.nano' in box.nova('flavor-show', 'm1.nano')
        assert 'nova-compute' in box.nova('service-list', cloud='onebox-admin')
        hypervisor, = rows(box.nova('hypervisor-list', cloud='onebox-admin'))
        assert hypervisor['Hypervisor hostname'] == 'onebox'
        assert 'onebox' in box.nova('hypervisor-show', hypervisor['ID'], cloud='onebox-admin')
        assert 'available' in box.nova('availability-zone-list')
        assert '2.96' in box.nova('version-list')
        assert rows(box.nova('limits'))
