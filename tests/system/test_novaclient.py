"""The life of a server by python-novaclient as a library, at several versions of the API."""
import time

import pytest
from keystoneauth1 import session as keystone
from keystoneauth1.identity import v3
from novaclient import client, exceptions

from tests.system.box import PATIENCE, with_tiny_image

pytestmark = pytest.mark.system
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzq8A4c9mH0cQp0i3x9l0b9r8m1n2o3p4q5r6s7t8u9 me'


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    box = with_tiny_image(tmp_path_factory.mktemp('novaclient'), '--hosts', '2')
    yield box
    box.kill()


@pytest.fixture(params=[1, 35, 60, 96])
def minor(request):
    return request.param


@pytest.fixture
def mine(box, minor):
    """A user's client at that version."""
    return _client(box, minor, 'onebox')


@pytest.fixture
def admins(box, minor):
    return _client(box, minor, 'onebox-admin')


def _client(box, minor, cloud):
    return client.Client(f'2.{minor}', session=keystone.Session(v3.Password(**box.auth(cloud))))


def waits(mine, server, status):
    """The server once it is idle with this status."""
    until = time.monotonic() + PATIENCE
    while True:
        found = mine.servers.get(server.id)
        if found.status == status and getattr(found, 'OS-EXT-STS:task_state') is None:
            return found
        assert time.monotonic() < until, found.to_dict()
        time.sleep(0.05)


def test_a_life(mine, admins, minor):
    networks = {'nics': 'none'} if minor >= 37 else {}
    disks = [{'boot_index': 0, 'uuid': mine.glance.find_image('tiny').id, 'source_type': 'image', 'volume_size': 1,
              'destination_type': 'volume', 'delete_on_termination': True},
             {'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1, 'delete_on_termination': True}]
    server = mine.servers.create('new', None, mine.flavors.find(name='m1.nano'), meta={'a': 'b'},
                                 block_device_mapping_v2=disks, **networks)
    assert waits(mine, server, 'ACTIVE').metadata == {'a': 'b'}
    assert len(mine.volumes.get_server_volumes(server.id)) == 2
    mine.servers.set_meta(server, {'c': 'd'})
    mine.servers.delete_meta(server, ['a'])
    mine.servers.update(server, name='named')
    assert [(s.name, s.metadata) for s in mine.servers.list(search_opts={'name': 'named'})] == [('named', {'c': 'd'})]
    if minor >= 26:
        mine.servers.set_tags(server, ['red', 'old'])
        mine.servers.add_tag(server, 'big')
        mine.servers.delete_tag(server, 'old')
        assert mine.servers.tag_list(server) == ['big', 'red']
        assert [s.id for s in mine.servers.list(search_opts={'tags': 'red,big'})] == [server.id]
    locks_and_states(mine, admins, server)
    moves(mine, admins, server, minor)
    mine.servers.shelve(server)
    waits(mine, server, 'SHELVED_OFFLOADED')
    mine.servers.unshelve(server)
    waits(mine, server, 'ACTIVE')
    asked = {action.action for action in mine.instance_action.list(server)}
    assert asked >= {'create', 'lock', 'unlock', 'migrate', 'resize', 'confirmResize', 'revertResize', 'shelve'}
    mine.servers.force_delete(server)
    until = time.monotonic() + PATIENCE
    while mine.servers.list() and time.monotonic() < until:
        time.sleep(0.05)
    with pytest.raises(exceptions.NotFound):
        mine.servers.get(server.id)


def locks_and_states(mine, admins, server):
    mine.servers.lock(server)
    with pytest.raises(exceptions.Conflict, match='is locked'):
        mine.servers.stop(server)
    mine.servers.unlock(server)
    admins.servers.lock(server)
    with pytest.raises(exceptions.Forbidden):
        mine.servers.unlock(server)
    admins.servers.unlock(server)
    admins.servers.reset_state(server, 'error')
    waits(mine, server, 'ERROR')
    admins.servers.reset_state(server, 'active')
    waits(mine, server, 'ACTIVE')
    mine.servers.stop(server)
    waits(mine, server, 'SHUTOFF')
    mine.servers.start(server)
    waits(mine, server, 'ACTIVE')
    assert 'Linux guest starting' in mine.servers.get_console_output(server)


def moves(mine, admins, server, minor):
    there = admins.servers.get(server.id)
    admins.servers.migrate(server)
    waits(mine, server, 'VERIFY_RESIZE')
    mine.servers.confirm_resize(server)
    waits(mine, server, 'ACTIVE')
    host = 'OS-EXT-SRV-ATTR:host'
    assert getattr(admins.servers.get(server.id), host) != getattr(there, host)
    mine.servers.resize(server, mine.flavors.find(name='m1.micro'))
    waits(mine, server, 'VERIFY_RESIZE')
    mine.servers.revert_resize(server)
    waits(mine, server, 'ACTIVE')
    found = [m.status for m in admins.migrations.list() if m.instance_uuid == server.id]
    assert sorted(found) == ['confirmed', 'reverted']


def test_quotas_and_keys(mine, admins, minor):
    project_id = mine.client.session.get_project_id()
    assert admins.quotas.update(project_id, instances=minor).instances == minor
    assert mine.quotas.get(project_id).instances == minor and mine.quotas.defaults(project_id).instances == 10
    assert mine.quotas.get(project_id, detail=True).cores['in_use'] >= 0
    admins.quotas.delete(project_id)
    assert admins.quota_classes.get('default').instances == 10
    assert {limit.name: limit.value for limit in mine.limits.get().absolute}['maxTotalInstances'] == 10
    made = mine.keypairs.create('key', **({'public_key': KEY} if minor >= 92 else {}))
    assert minor >= 92 or made.private_key.startswith('-----BEGIN')
    assert [key.name for key in mine.keypairs.list()] == ['key']
    mine.keypairs.delete('key')


def test_hosts(admins, minor):
    rows = admins.hypervisors.list()
    assert [row.hypervisor_hostname for row in rows] == ['onebox', 'onebox-2']
    assert admins.hypervisors.get(rows[1].id).hypervisor_hostname == 'onebox-2'
    assert len(admins.hypervisors.search('onebox')) == 2
    if minor < 88:
        assert admins.hypervisors.statistics().count == 2
    services = {service.binary for service in admins.services.list()}
    assert services == {'nova-compute', 'nova-conductor'}
    assert {zone.zoneName for zone in admins.availability_zones.list()} == {'nova', 'internal'}
