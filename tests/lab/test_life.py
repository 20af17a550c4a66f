"""A volume's life as a user has it: made, attached through four portals, grown twice in use, detached, deleted.

By the real `openstack` command, under a real guest that boots from iSCSI as well. Sizes are read by sight.py and
traces.py, which use none of our code, and from what the guest itself prints.
"""
import pathlib

import pytest

from onebox import guest
from tests.lab.leaks import Watch, files_with
from tests.lab.services import PORTALS
from tests.lab.sight import GIB, Seen
from tests.system import processes

SLOW = 240      # seconds: the guest is emulated inside an emulated machine
TARGETS = pathlib.Path('/sys/kernel/config/target/iscsi')


@pytest.fixture(scope='module')
def server(box, openstack):
    """The id of a running server whose guest has come up: only such a one lets go of a disk."""
    openstack('volume', 'create', '--size', '1', '--image', 'guest', 'root')
    box.volume_is('root', 'available')
    openstack('server', 'create', '--flavor', 'm1.nano', '--no-network', '--volume', 'root', 'guest')
    server = box.server_is('guest', 'ACTIVE')['id']
    eventually('the guest has come up', lambda: 'disks: vda' in console(box, server))
    yield server
    openstack.act('server', 'delete', 'guest')
    box.volume_is('root', 'available')
    openstack.act('volume', 'delete', 'root')


def test_a_life(box, openstack, server, clean):
    volume = openstack('volume', 'create', '--size', '1', 'data')['id']
    box.volume_is('data', 'available')
    attach(box, openstack)
    seen = Seen(volume, box.hypervisor)
    eventually('all paths are in the map', lambda: len(seen.members()) == len(seen.paths()) == len(PORTALS))
    eventually('the guest has the disk', lambda: size_in_guest(box, server, volume) == GIB)

    for size in (2, 3):
        openstack.act('volume', 'set', '--size', str(size), 'data')
        assert box.volume_is('data', 'in-use')['size'] == size
        eventually(f'{size} GiB are seen everywhere',
                   lambda: set(seen.sizes(server).values()) == {size * GIB})      # noqa: B023
        eventually(f'the guest prints {size} GiB',
                   lambda: size_in_guest(box, server, volume) == size * GIB)     # noqa: B023

    detach(box, openstack)
    openstack.act('volume', 'delete', 'data')
    eventually('the volume is gone', lambda: 'data' not in names(box))


def test_secrets_are_told_to_nobody(box, openstack, server):
    """While it attaches no process is given the CHAP secrets, and then no log and no answer to its owner has them."""
    volume = openstack('volume', 'create', '--size', '1', 'data')['id']
    box.volume_is('data', 'available')
    with Watch() as watch:
        attach(box, openstack)
        secrets = {path.read_text().strip() for path in TARGETS.glob(f'*{volume}/tpgt_1/acls/*/auth/password')}
        answers = what_its_owner_reads(box.api('onebox'), server, volume)
        detach(box, openstack)
    assert secrets and all(len(secret) >= 12 for secret in secrets)
    for secret in secrets:
        assert [command for command in watch.commands if secret in command] == []
        assert secret not in answers
        assert files_with(secret, box.folder, pathlib.Path('/var/log'), but=['*.db', '*.db-wal']) == []
    assert any('iscsiadm' in command for command in watch.commands), 'nothing was watched'


def eventually(what, look, seconds=SLOW):
    """At most twice a second: looking takes the processor from what is looked at."""
    return processes.eventually(what, look, seconds, pause=0.5)


def attach(box, openstack):
    openstack('server', 'add', 'volume', 'guest', 'data')
    box.volume_is('data', 'in-use')


def detach(box, openstack):
    openstack.act('server', 'remove', 'volume', 'guest', 'data')
    box.volume_is('data', 'available')


def names(box) -> list:
    return [volume['name'] for volume in box.api('onebox').volume('GET', '/volumes/detail')['volumes']]


def console(box, server) -> str:
    return box.api('onebox').compute('POST', f'/servers/{server}/action', {'os-getConsoleOutput': {}})['output']


def size_in_guest(box, server, volume) -> int | None:
    return guest.size_seen(console(box, server), volume)


def what_its_owner_reads(cloud, server, volume) -> str:
    attachments = cloud.volume('GET', '/attachments')['attachments']
    return repr([
        cloud.volume('GET', f'/volumes/{volume}'), cloud.volume('GET', '/attachments/detail'),
        *(cloud.volume('GET', f'/attachments/{attachment["id"]}') for attachment in attachments),
        cloud.compute('GET', f'/servers/{server}'), cloud.compute('GET', f'/servers/{server}/os-volume_attachments'),
        cloud.compute('GET', f'/servers/{server}/os-instance-actions')])
