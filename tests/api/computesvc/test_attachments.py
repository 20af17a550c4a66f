"""Attaching and detaching volumes; what they show; what happens when somebody says no."""
import uuid

import pytest

from computesvc.db import attachments
from computesvc.host.base import HostError

PATH = '/v2.1/servers/{}/os-volume_attachments'


def test_attach_and_detach(world):
    server_id = world.boot()
    volume_id = world.volumes.add()
    answer = world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id, 'device': None}})
    assert answer.status == 200 and answer.json == {'volumeAttachment': {
        'id': volume_id, 'serverId': server_id, 'volumeId': volume_id, 'device': '/dev/vdb', 'tag': None,
        'delete_on_termination': False}}
    world.run()
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'
    assert world.hypervisor.disks(server_id)[volume_id]['target'] == 'vdb'
    shown = world.get(f'/servers/{server_id}/os-volume_attachments/{volume_id}')['volumeAttachment']
    attachment, = [a for a in world.volumes.attachments.values() if a['volume_id'] == volume_id]
    assert shown.pop('bdm_uuid')
    assert shown == {'volumeId': volume_id, 'serverId': server_id, 'device': '/dev/vdb', 'tag': None,
                     'delete_on_termination': False, 'attachment_id': attachment['id']}
    old = world.get(f'/servers/{server_id}/os-volume_attachments/{volume_id}', version='2.60')['volumeAttachment']
    assert old == {'id': volume_id, 'volumeId': volume_id, 'serverId': server_id, 'device': '/dev/vdb'}
    assert len(world.get(f'/servers/{server_id}/os-volume_attachments')['volumeAttachments']) == 2
    answer = world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}')
    assert answer.status == 202 and answer.raw == b''
    assert world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}').status == 400, 'it is being detached'
    world.run()
    assert world.volumes.volumes[volume_id]['status'] == 'available'
    assert volume_id not in world.hypervisor.disks(server_id)
    assert world.call('GET', f'{PATH.format(server_id)}/{volume_id}').status == 404
    assert world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}').status == 404
    actions = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions']
    assert [a['action'] for a in actions] == ['detach_volume', 'attach_volume', 'create']


def test_devices(world):
    server_id = world.boot()
    second, third = world.attach(server_id), world.attach(server_id)
    world.call('DELETE', f'{PATH.format(server_id)}/{second}')
    world.run()
    fourth = world.attach(server_id)
    named = world.attach(server_id, device='/dev/vdq')
    devices = {a['volumeId']: a['device'] for a in world.get(
        f'/servers/{server_id}/os-volume_attachments')['volumeAttachments']}
    assert (devices[third], devices[fourth], devices[named]) == ('/dev/vdc', '/dev/vdb', '/dev/vdq')
    answer = world.call('POST', PATH.format(server_id), {'volumeAttachment': {
        'volumeId': world.volumes.add(), 'device': '/dev/vdq'}})
    assert answer.status == 409 and '/dev/vdq' in answer.message


def test_wrong_requests(world):
    server_id = world.boot()
    volume_id = world.attach(server_id)
    path = PATH.format(server_id)
    other = world.volumes.add(project_id='p2')
    for body, status in [
            ({}, 400), ({'volumeAttachment': None}, 400), ({'volumeAttachment': {}}, 400),
            ({'volumeAttachment': {'volumeId': 3}}, 400), ({'volumeAttachment': {'volumeId': 'x'}}, 400),
            ({'volumeAttachment': {'volumeId': volume_id, 'device': 7}}, 400),
            ({'volumeAttachment': {'volumeId': volume_id, 'device': '/etc/passwd'}}, 400),
            ({'volumeAttachment': {'volumeId': volume_id, 'nonsense': 1}}, 400),
            ({'volumeAttachment': {'volumeId': volume_id, 'delete_on_termination': 'perhaps'}}, 400),
            ({'volumeAttachment': {'volumeId': str(uuid.uuid4())}}, 404),
            ({'volumeAttachment': {'volumeId': other}}, 404),
            ({'volumeAttachment': {'volumeId': volume_id}}, 400)]:
        answer = world.call('POST', path, body)
        assert answer.status == status, (body, answer.raw)
        assert len(answer.message) > 10
    assert len(world.volumes.attachments) == 2
    root = next(iter(world.volumes.volumes))
    answer = world.call('DELETE', f'{path}/{root}')
    assert answer.status == 400 and 'root' in answer.message
    assert world.call('POST', path.replace(server_id, str(uuid.uuid4())), {
        'volumeAttachment': {'volumeId': volume_id}}).status == 404
    tagged = {'volumeAttachment': {'volumeId': volume_id, 'tag': 'x'}}
    assert world.call('POST', path, tagged, version='2.1').status == 400


def test_busy_volume_is_refused_in_the_answer(world):
    """The volume service's no to the reservation is the answer to the request, as with Nova."""
    server_id = world.boot()
    volume_id = world.volumes.add()
    world.volumes.broken['POST attachments$'] = 400
    with world.running(reserve_wait=5.0):
        answer = world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id}})
    assert answer.status == 400 and 'broken on purpose' in answer.message
    assert world.get(f'/servers/{server_id}/os-volume_attachments')['volumeAttachments'][1:] == []
    world.volumes.volumes[volume_id]['status'] = 'in-use'
    answer = world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id}})
    assert answer.status == 400 and 'in-use' in answer.message


def test_failure_in_the_guest_leaves_nothing(world):
    server_id = world.boot()
    before = world.volumes.state()['attachments']
    world.hypervisor.faults.fail('attach_disk', times=5, error=HostError('the bus is full'))
    volume_id = world.attach(server_id, run=False)
    for _ in range(6):
        world.run()
        world.hurry()
    assert world.volumes.state()['attachments'] == before
    assert world.volumes.volumes[volume_id]['status'] == 'available'
    assert volume_id not in world.hypervisor.disks(server_id)
    action = world.get(f'/servers/{server_id}/os-instance-actions')['instanceActions'][0]
    assert (action['action'], action['message']) == ('attach_volume', 'Error')
    world.attach(server_id, volume_id)
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'


def test_volume_service_away_for_a_while(world):
    """A detach that was asked for happens when the volume service is back."""
    server_id = world.boot()
    volume_id = world.attach(server_id)
    world.volumes.broken['DELETE attachments'] = 503
    world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}')
    for _ in range(8):
        world.run()
        world.hurry()
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'
    assert volume_id not in world.hypervisor.disks(server_id)
    world.volumes.broken.clear()
    world.hurry()
    world.run()
    assert world.volumes.volumes[volume_id]['status'] == 'available'
    world.volumes.broken['GET volumes'] = 500
    answer = world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id}})
    assert answer.status == 503 and 'volume service' in answer.message


def test_update(world):
    server_id = world.boot()
    volume_id = world.attach(server_id)
    path = f'{PATH.format(server_id)}/{volume_id}'
    answer = world.call('PUT', path, {'volumeAttachment': {'volumeId': volume_id, 'delete_on_termination': True}})
    assert answer.status == 202
    assert world.call('GET', path).json['volumeAttachment']['delete_on_termination'] is True
    assert world.call('PUT', path, {'volumeAttachment': {'volumeId': volume_id, 'device': '/dev/vdz'}}).status == 400
    assert world.call('PUT', path, {'volumeAttachment': {'volumeId': volume_id, 'x': 1}}).status == 400
    elsewhere = str(uuid.uuid4())
    assert world.call('PUT', f'{PATH.format(server_id)}/{elsewhere}', {
        'volumeAttachment': {'volumeId': elsewhere}}).status == 404


def test_another_volume_in_its_place(world):
    """Is for a volume service that moves the volume, and none is ever being moved here."""
    server_id = world.boot()
    path = f'{PATH.format(server_id)}/{world.attach(server_id)}'
    elsewhere, service = world.volumes.add(1), {'roles': 'service,admin'}
    for version in ('2.1', '2.84', '2.85'):
        body = {'volumeAttachment': {'volumeId': elsewhere}}
        for who in ({}, {'roles': 'admin,member,reader'}):
            assert world.call('PUT', path, body, version=version, **who).status == 403
        answer = world.call('PUT', path, body, version=version, **service)
        assert answer.status == 409 and 'migrating' in answer.message
        body['volumeAttachment']['tag'] = 'x'
        assert world.call('PUT', path, body, version=version, **service).status == 400


def test_shapes(world):
    server_id, deleted = world.boot(), {'tag', 'delete_on_termination'}
    for version, fields in (('2.1', set()), ('2.69', set()), ('2.70', {'tag'}), ('2.78', {'tag'}), ('2.79', deleted),
                            ('2.88', deleted), ('2.89', deleted)):
        check_shape(world, server_id, version, fields)


def check_shape(world, server_id, version, fields):
    volume_id = world.volumes.add(1)
    made = world.post(PATH.format(server_id).removeprefix('/v2.1'), {'volumeAttachment': {'volumeId': volume_id}}, 200,
                      version=version).json['volumeAttachment']
    assert set(made) == {'id', 'volumeId', 'serverId', 'device'} | fields and made['id'] == volume_id
    world.run()
    fields = fields | {'volumeId', 'serverId', 'device'}
    fields |= {'attachment_id', 'bdm_uuid'} if version == '2.89' else {'id'}
    path = PATH.format(server_id)
    assert set(world.call('GET', f'{path}/{volume_id}', version=version).json['volumeAttachment']) == fields
    for shown in world.call('GET', path, version=version).json['volumeAttachments']:
        assert set(shown) == fields


def test_what_each_version_takes(world):
    server_id = world.boot()
    for version, wish, status in (
            ('2.48', {'tag': 'a'}, 400), ('2.49', {'tag': 'a'}, 200), ('2.49', {'tag': 'a,b'}, 400),
            ('2.49', {'tag': ''}, 400), ('2.78', {'delete_on_termination': True}, 400),
            ('2.79', {'delete_on_termination': True}, 200), ('2.79', {'delete_on_termination': 'x'}, 400)):
        volume_id = world.volumes.add(1)
        assert world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id, **wish}},
                          version=version).status == status
        if status == 200:
            found = world.service.db.run(lambda session, id=volume_id: attachments.find(session, server_id, id))
            assert (found.tag, found.delete_on_termination) == (
                wish.get('tag'), wish.get('delete_on_termination', False))


def test_multiattach_volumes_came_with_2_60(world):
    server_id = world.boot()
    volume_id = world.volumes.add(1, multiattach=True)
    body = {'volumeAttachment': {'volumeId': volume_id}}
    answer = world.call('POST', PATH.format(server_id), body, version='2.59')
    assert answer.status == 400 and '2.60' in answer.message
    assert world.call('POST', PATH.format(server_id), body, version='2.60').status == 200


def test_on_stopped_server(world):
    server_id = world.boot()
    world.act(server_id, 'os-stop')
    world.run()
    volume_id = world.attach(server_id)
    assert world.volumes.volumes[volume_id]['status'] == 'in-use'
    world.act(server_id, 'os-start')
    world.run()
    assert set(world.hypervisor.disks(server_id)) == set(world.volumes.volumes)
    world.act(server_id, 'os-stop')
    assert world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}').status == 409, 'it is going off'


class TestShelved:

    @pytest.fixture
    def server_id(self, world):
        id = world.boot()
        world.act(id, 'shelve')
        world.run()
        assert world.server(id)['status'] == 'SHELVED_OFFLOADED'
        return id

    def unshelve(self, world, server_id):
        world.act(server_id, 'unshelve')
        world.run()
        assert world.server(server_id)['status'] == 'ACTIVE'
        return set(world.hypervisor.disks(server_id))

    def test_volume_is_found_at_the_next_start(self, world, server_id):
        volume_id = world.attach(server_id)
        assert world.volumes.volumes[volume_id]['status'] == 'in-use'
        shown = world.get(f'/servers/{server_id}/os-volume_attachments/{volume_id}')['volumeAttachment']
        assert shown['attachment_id'] in world.volumes.attachments and shown['device'] == '/dev/vdb'
        assert volume_id in self.unshelve(world, server_id)
        assert world.volumes.volumes[volume_id]['status'] == 'in-use'

    def test_volume_leaves(self, world, server_id):
        volume_id = world.attach(server_id)
        assert world.call('DELETE', f'{PATH.format(server_id)}/{volume_id}').status == 202
        world.run()
        assert world.volumes.volumes[volume_id]['status'] == 'available'
        assert volume_id not in self.unshelve(world, server_id)

    def test_volume_service_that_refuses(self, world, server_id):
        world.volumes.broken['POST attachments/.*/action'] = 400
        volume_id = world.attach(server_id)
        for _ in range(8):
            world.hurry()
            world.run()
        assert world.volumes.volumes[volume_id]['status'] == 'available'
        assert len(world.get(f'/servers/{server_id}/os-volume_attachments')['volumeAttachments']) == 1

    def test_came_with_2_20(self, world, server_id):
        body = {'volumeAttachment': {'volumeId': world.volumes.add(1)}}
        assert world.call('POST', PATH.format(server_id), body, version='2.19').status == 409
        assert world.call('POST', PATH.format(server_id), body, version='2.20').status == 200
        world.run()
        path = f'{PATH.format(server_id)}/{body["volumeAttachment"]["volumeId"]}'
        assert world.call('DELETE', path, version='2.19').status == 409

    def test_not_one_that_several_may_have(self, world, server_id):
        volume_id = world.volumes.add(1, multiattach=True)
        assert world.call('POST', PATH.format(server_id), {'volumeAttachment': {'volumeId': volume_id}}).status == 400
