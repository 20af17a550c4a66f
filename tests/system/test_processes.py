"""The main job with the services as separate processes, undisturbed and with each of its parts killed in its middle.

Each story ends alike: the volume in-use at its new size, the guest's disk too as libvirt shows it, the quota
exact, and every operation done.
"""
import contextlib
import time
from xml.etree import ElementTree

import pytest

from onebox import libvirtd
from tests.system.cloud import GIB
from tests.system.deployment import Deployment
from tests.system.processes import eventually

pytestmark = pytest.mark.system


@pytest.fixture(scope='module')
def libvirt_uri(tmp_path_factory):
    daemon = libvirtd.Libvirtd(tmp_path_factory.mktemp('host'))
    try:
        uri = daemon.start()
    except libvirtd.Unavailable as reason:
        pytest.skip(str(reason))
    yield uri
    daemon.stop(guests=True)


@pytest.fixture(scope='module', params=['postgresql', 'mariadb'])
def cloud(request, all_databases, rabbitmq, libvirt_uri, tmp_path_factory):
    """A deployment with one running server; every story brings a volume of its own."""
    urls = {service: all_databases.new(request.param) for service in ('volsvc', 'computesvc')}
    deployment = Deployment(tmp_path_factory.mktemp(request.param), urls, rabbitmq.url, libvirt_uri)
    try:
        deployment.start()
        flavor = {'name': 'small', 'ram': 64, 'vcpus': 1, 'disk': 0}
        flavor = deployment.admin.compute('POST', '/flavors', {'flavor': flavor})['flavor']
        deployment.server_id = deployment.user.new_server(flavor['id'])
        yield deployment
    except BaseException:
        print(deployment.processes.last_words())
        raise
    finally:
        deployment.stop()


@pytest.fixture
def volume_id(cloud):
    """A volume of 1 GiB in use by the server."""
    volume_id = cloud.user.new_volume_in_use(cloud.server_id)
    assert guest_disk(cloud, volume_id) == GIB
    return volume_id


def guest_disk(cloud, volume_id) -> int:
    """Bytes of the guest's disk, from libvirt itself and none of our code."""
    import libvirt
    with contextlib.closing(libvirt.open(cloud.hypervisor)) as connection:
        domain = connection.lookupByUUIDString(cloud.server_id)
        for disk in ElementTree.fromstring(domain.XMLDesc()).iter('disk'):
            if disk.findtext('serial') == volume_id:
                return domain.blockInfo(disk.find('target').get('dev'))[0]
    raise AssertionError(f'the guest has no disk of volume {volume_id}')


def assert_grown(cloud, volume_id, size):
    """The end of every story."""
    eventually(f'the volume is in use at {size} GiB',
               lambda: cloud.user.volume_is(volume_id, status='in-use', size=size))
    eventually('the guest shows the size', lambda: guest_disk(cloud, volume_id) == size * GIB)
    operations = eventually('all operations have ended', lambda: ended(cloud, volume_id))
    assert {operation['state'] for operation in operations} == {'done'}, operations
    assert cloud.user.quota() == cloud.user.counted()


def ended(cloud, volume_id):
    """The volume's operations if none is live."""
    operations = cloud.user.volume('GET', f'/operations?volume_id={volume_id}')['operations']
    live = [operation for operation in operations if operation['state'] in ('running', 'undoing')]
    assert not live, live
    return operations


def test_undisturbed(cloud, volume_id):
    cloud.user.extend(volume_id, 2)
    assert_grown(cloud, volume_id, 2)


def test_worker_killed_in_the_middle_of_grow_backend(cloud, volume_id):
    """The backend has grown when the worker dies, and nobody was told: the next one finds out."""
    worker, halt = cloud.processes['volsvc-worker'], cloud.halts['worker']
    halt.arm()
    cloud.user.extend(volume_id, 2)
    eventually('the worker is in the middle of grow_backend', halt.reached)
    worker.kill()
    cloud.user.volume_is(volume_id, status='extending', size=1)
    worker.start()
    assert_grown(cloud, volume_id, 2)


def test_agent_killed_in_the_middle_of_grow_device(cloud, volume_id):
    """The volume service is done by then; the host catches up when its agent is back."""
    agent, halt = cloud.processes['computesvc-agent'], cloud.halts['agent']
    halt.arm()
    cloud.user.extend(volume_id, 2)
    eventually('the agent is in the middle of grow_device', halt.reached)
    agent.kill()
    assert guest_disk(cloud, volume_id) == GIB
    agent.start()
    assert_grown(cloud, volume_id, 2)


def test_broker_away_while_the_request_is_made(cloud, volume_id, rabbitmq):
    """The request is answered at once, reads go on, and the work is done whether or not the broker is back."""
    rabbitmq.stop()
    try:
        began = time.monotonic()
        cloud.user.extend(volume_id, 2)
        took = time.monotonic() - began
        assert took < 5, f'the request hung for {took:.1f} s'
        cloud.user.volume('GET', f'/volumes/{volume_id}')
        cloud.user.compute('GET', f'/servers/{cloud.server_id}')
        assert time.monotonic() - began < 10, 'reads hang without the broker'
    finally:
        rabbitmq.start()
    assert_grown(cloud, volume_id, 2)
