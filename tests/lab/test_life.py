"""A volume's life as a user has it: made, attached through four portals, grown twice in use, detached, deleted.

All by the real `openstack` command. The sizes are read by sight.py, which uses none of our code.
"""
import pytest

from tests.lab.sight import GIB, Seen
from tests.system.processes import eventually

PORTALS = 4


@pytest.fixture(scope='module')
def server(box, openstack):
    """The id of a running server whose root volume is iSCSI too."""
    openstack('volume', 'create', '--size', '1', '--bootable', 'root')
    box.volume_is('root', 'available')
    openstack('server', 'create', '--flavor', 'm1.nano', '--no-network', '--volume', 'root', 'guest')
    yield box.server_is('guest', 'ACTIVE')['id']
    openstack.act('server', 'delete', 'guest')
    box.wait(lambda: not openstack('server', 'list'), 'the server is gone')
    box.volume_is('root', 'available')
    openstack.act('volume', 'delete', 'root')


def test_a_life(box, openstack, server, clean):
    volume = openstack('volume', 'create', '--size', '1', 'data')
    box.volume_is('data', 'available')
    openstack('server', 'add', 'volume', 'guest', 'data')
    box.volume_is('data', 'in-use')
    seen = Seen(volume['id'], box.hypervisor)
    assert len(seen.paths()) == len(seen.members()) == PORTALS

    for size in (2, 3):
        openstack.act('volume', 'set', '--size', str(size), 'data')
        assert box.volume_is('data', 'in-use')['size'] == size
        eventually(f'{size} GiB are seen everywhere',
                   lambda: set(seen.sizes(server).values()) == {size * GIB})      # noqa: B023

    openstack.act('server', 'remove', 'volume', 'guest', 'data')
    box.volume_is('data', 'available')
    openstack.act('volume', 'delete', 'data')
    box.wait(lambda: 'data' not in [row['Name'] for row in openstack('volume', 'list')], 'the volume is gone')
