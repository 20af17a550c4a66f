"""What is published for meters, by the fields that they read."""
import datetime

import pytest

from computesvc.host.base import HostError
from tests.api.computesvc.world import World

# Read by ceilometer's data/meters.d/meters.yaml and pipeline/data/event_definitions.yaml.
READ = {
    'tenant_id', 'user_id', 'instance_id', 'display_name', 'cell_name', 'memory_mb', 'disk_gb', 'root_gb',
    'ephemeral_gb', 'vcpus', 'instance_type', 'instance_type_id', 'instance_flavor_id', 'state', 'image_meta',
    'launched_at', 'deleted_at', 'availability_zone', 'host', 'metadata', 'created_at', 'image_ref_url'}


def listen(world):
    """A list that fills with what is published."""
    heard = []
    world.local.meters.append(lambda event, payload: heard.append((event, payload)))
    return heard


def test_a_life(world):
    heard = listen(world)
    server_id = world.boot(metadata={'metering.team': 'a'})
    volume_id = world.attach(server_id)
    for action, value in (('os-stop', None), ('os-start', None), ('reboot', {'type': 'HARD'}), ('pause', None),
                          ('unpause', None)):
        world.act(server_id, action, value)
        world.run()
    world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{volume_id}')
    world.run()
    world.call('DELETE', f'/v2.1/servers/{server_id}')
    world.run()
    ends = [event.removeprefix('compute.instance.') for event, _ in heard if event.endswith('.end')]
    assert ends == ['create.end', 'volume_attach.end', 'power_off.end', 'power_on.end', 'reboot.end', 'pause.end',
                    'unpause.end', 'volume_detach.end', 'delete.end']
    starts = [event.removeprefix('compute.instance.') for event, _ in heard if event.endswith('.start')]
    assert starts == ['create.start', 'delete.start']
    for event, payload in heard:
        assert set(payload) >= READ, event
        assert (payload['instance_id'], payload['tenant_id'], payload['user_id']) == (server_id, 'p1', 'u1')
    said = {event.removeprefix('compute.instance.'): payload for event, payload in heard}
    made = said['create.end']
    assert (made['instance_type'], made['instance_flavor_id'], made['vcpus'], made['memory_mb'], made['disk_gb']) == (
        'm1.nano', '42', 1, 128, 1)
    assert (made['state'], made['host'], made['metadata']) == ('active', 'host1', {'metering.team': 'a'})
    created, launched = (datetime.datetime.fromisoformat(made[name]) for name in ('created_at', 'launched_at'))
    assert launched >= created and made['deleted_at'] == ''
    assert said['volume_attach.end']['volume_id'] == said['volume_detach.end']['volume_id'] == volume_id
    assert said['power_off.end']['state'] == 'stopped' and said['pause.end']['state'] == 'paused'
    assert said['delete.end']['state'] == 'deleted' and said['delete.end']['deleted_at']


def test_no_secret_and_no_parameter(world):
    heard = listen(world)
    server_id = world.boot(user_data='c2VjcmV0')
    world.attach(server_id)
    assert not {name for _, payload in heard for name in payload} & {'user_data', 'params', 'connection_info', 'notes'}


@pytest.fixture
def two(tmp_path):
    world = World(f'sqlite:///{tmp_path}/db', tmp_path, hosts=('host1', 'host2'))
    yield world
    world.service.db.dispose()


def ask(world, heard, server_id, action, value=None, status=202, **kw):
    """What is said while an action runs, without the common prefix."""
    del heard[:]
    world.act(server_id, action, value, status, **kw)
    world.run()
    return [event.removeprefix('compute.instance.') for event, _ in heard]


def test_a_move(two):
    """Meters follow the size that runs: the old one up to the end of the resize, the new one from then on."""
    heard, server_id = listen(two), two.boot()
    here = two.server(server_id, roles='admin')['OS-EXT-SRV-ATTR:host']
    moving = ['resize.prep.start', 'resize.prep.end', 'resize.start', 'resize.end', 'finish_resize.start',
              'finish_resize.end']
    assert ask(two, heard, server_id, 'resize', {'flavorRef': '84'}) == moving
    said = {event.removeprefix('compute.instance.'): payload for event, payload in heard}
    assert {(said[name]['memory_mb'], said[name]['host']) for name in moving[:3]} == {(128, here)}
    assert (said['resize.prep.end']['new_instance_type'], said['resize.prep.end']['new_instance_type_id']) == (
        'm1.micro', '84')
    done = said['finish_resize.end']
    assert (done['instance_type'], done['memory_mb'], done['state']) == ('m1.micro', 192, 'resized')
    assert done['host'] != here and all(set(payload) >= READ for payload in said.values())
    assert ask(two, heard, server_id, 'revertResize') == ['resize.revert.start', 'resize.revert.end']
    assert (heard[-1][1]['instance_type'], heard[-1][1]['host'], heard[-1][1]['state']) == ('m1.nano', here, 'active')
    ask(two, heard, server_id, 'resize', {'flavorRef': '84'})
    assert ask(two, heard, server_id, 'confirmResize', status=204) == ['resize.confirm.start', 'resize.confirm.end']
    assert heard[-1][1]['memory_mb'] == 192


def test_nowhere_to_move(world):
    heard, server_id = listen(world), world.boot()
    assert ask(world, heard, server_id, 'migrate', status=202, roles='admin')[-1] == 'resize.error'
    assert 'No valid host' in heard[-1][1]['message'] and heard[-1][1]['state'] == 'active'


def test_a_server_put_away(two):
    heard, server_id = listen(two), two.boot()
    assert ask(two, heard, server_id, 'shelve') == ['shelve.start', 'shelve.end', 'shelve_offload.start',
                                                    'shelve_offload.end']
    assert (heard[-1][1]['state'], heard[-1][1]['host']) == ('shelved_offloaded', None)
    assert ask(two, heard, server_id, 'unshelve') == ['unshelve.start', 'unshelve.end']
    assert heard[-1][1]['state'] == 'active' and heard[-1][1]['host']


def test_what_failed(world):
    heard = listen(world)
    world.hypervisor.faults.fail('power_on', times=100, error=HostError('no power'))
    world.boot()
    for _ in range(6):
        world.run()
        world.hurry()
    event, payload = heard[-1]
    assert event == 'compute.instance.create.error' and 'no power' in payload['message']
    assert payload['state'] == 'error' and payload['host'] is None
