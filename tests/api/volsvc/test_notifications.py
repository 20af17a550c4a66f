"""What meters hear of volumes and snapshots, in the fields that they read it from."""
import datetime

import pytest

from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE

# What the event and meter definitions of Ceilometer look for in a payload, and what Cinder sends besides.
OF_VOLUMES = {'tenant_id', 'user_id', 'volume_id', 'volume_type', 'display_name', 'launched_at', 'created_at', 'status',
              'size', 'host', 'availability_zone', 'snapshot_id', 'metadata', 'glance_metadata', 'volume_attachment',
              'replication_status', 'replication_extended_status', 'replication_driver_data'}
OF_SNAPSHOTS = {'tenant_id', 'user_id', 'availability_zone', 'volume_id', 'volume_size', 'snapshot_id', 'display_name',
                'created_at', 'status', 'deleted', 'metadata'}


def heard(world, *fields):
    """(event, those fields) of all since last asked."""
    found = [(name, *(payload[field] for field in fields)) for name, payload in world.heard]
    world.heard.clear()
    return found


def test_a_volumes_life(world):
    id = world.create(2, name='disk', metadata={'a': 'b'})
    assert heard(world, 'status', 'size') == [
        ('volume.create.start', 'creating', 2), ('volume.create.end', 'available', 2)]
    world.extend(id, 3)
    world.run()
    assert heard(world, 'status', 'size') == [
        ('volume.resize.start', 'extending', 2), ('volume.resize.end', 'available', 3)]
    world.delete(f'/volumes/{id}')
    world.run()
    assert heard(world, 'status', 'size') == [
        ('volume.delete.start', 'deleting', 3), ('volume.delete.end', 'deleted', 3)]


def test_its_fields(world):
    id = world.create(2, name='disk', metadata={'a': 'b'}, imageRef=world.glance.add(b'raw', name='Debian'))
    kind = world.volume(id, **ADMIN)
    name, found = world.heard[-1]
    assert set(found) == OF_VOLUMES
    images = {pair['key']: pair['value'] for pair in found.pop('glance_metadata')}
    assert (images['image_name'], images['size']) == ('Debian', '3') and images['image_id'] in world.glance.images
    for moment in ('created_at', 'launched_at'):
        assert datetime.datetime.fromisoformat(found.pop(moment))
    assert found == {
        'tenant_id': 'p1', 'user_id': 'u1', 'volume_id': id, 'volume_type': kind['volume_type_id'],
        'display_name': 'disk', 'status': 'available', 'size': 2, 'host': 'host@memory#memory',
        'availability_zone': 'nova', 'snapshot_id': None, 'metadata': [{'key': 'a', 'value': 'b'}],
        'volume_attachment': [], 'replication_status': 'disabled', 'replication_extended_status': None,
        'replication_driver_data': None}
    assert world.heard[0][1]['launched_at'], 'a volume that is not there yet has it, too'


def test_which_server_has_it(world):
    id, server = world.create(), world.nova.boot()
    world.heard.clear()
    attachment = world.attach(id, server)
    with world.eager():
        world.delete(f'/attachments/{attachment}', 200, **SERVICE)
    servers = [(name, payload['status'], [one['server_id'] for one in payload['volume_attachment']])
               for name, payload in world.heard]
    assert servers == [('volume.attach.start', 'reserved', [server]), ('volume.attach.end', 'in-use', [server]),
                       ('volume.detach.start', 'in-use', [server]), ('volume.detach.end', 'available', [])]
    shown, = world.heard[1][1]['volume_attachment']
    assert {name: shown[name] for name in ('id', 'instance_uuid', 'attached_host', 'mountpoint', 'attach_status')} == {
        'id': attachment, 'instance_uuid': server, 'attached_host': 'host1', 'mountpoint': '/dev/vdb',
        'attach_status': 'attached'}
    assert CONNECTOR['initiator'] not in str(world.heard), 'how a host reaches a volume is nobody\'s business'


def test_each_attachment_ends_once(world):
    """Below 3.44 connecting is attaching; completing what is complete is nothing new."""
    id = world.create()
    attachment = world.post('/attachments', {'attachment': {
        'volume_uuid': id, 'instance_uuid': world.nova.boot(), 'connector': None}}, 200, **SERVICE)['attachment']['id']
    world.heard.clear()
    with world.eager():
        world.put(f'/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}}, version='3.43', **SERVICE)
    world.post(f'/attachments/{attachment}/action', {'os-complete': None}, 204, **SERVICE)
    assert heard(world, 'status') == [('volume.attach.start', 'reserved'), ('volume.attach.end', 'in-use')]


def test_attached_by_the_older_sequence_without_a_connection(world):
    id, server = world.create(), world.nova.boot()
    world.act(id, 'os-reserve')
    world.heard.clear()
    world.act(id, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdb'}, **SERVICE)
    assert heard(world, 'status') == [('volume.attach.start', 'in-use'), ('volume.attach.end', 'in-use')]


def test_a_snapshots_life(world):
    volume = world.create(2)
    world.heard.clear()
    id = world.post('/snapshots', {'snapshot': {'volume_id': volume, 'name': 's', 'metadata': {'a': 'b'}}})[
        'snapshot']['id']
    world.run()
    name, found = world.heard[-1]
    assert set(found) == OF_SNAPSHOTS and found.pop('created_at')
    assert found == {
        'tenant_id': 'p1', 'user_id': 'u1', 'availability_zone': 'nova', 'volume_id': volume, 'volume_size': 2,
        'snapshot_id': id, 'display_name': 's', 'status': 'available', 'deleted': '', 'metadata': "{'a': 'b'}"}
    assert heard(world, 'status') == [('snapshot.create.start', 'creating'), ('snapshot.create.end', 'available')]
    world.delete(f'/volumes/{volume}?cascade=True')
    world.run()
    assert heard(world, 'status') == [
        ('snapshot.delete.start', 'deleting'), ('volume.delete.start', 'deleting'),
        ('volume.delete.end', 'deleted'), ('snapshot.delete.end', 'deleted')]


def test_other_names(world):
    volume = world.create(name='old')
    snapshot = world.post('/snapshots', {'snapshot': {'volume_id': volume, 'name': 'old'}})['snapshot']['id']
    world.run()
    world.heard.clear()
    world.put(f'/volumes/{volume}', {'volume': {'name': 'new'}})
    world.put(f'/snapshots/{snapshot}', {'snapshot': {'name': 'new'}})
    assert heard(world, 'display_name') == [(f'{noun}.update.{what}', name) for noun in ('volume', 'snapshot')
                                            for what, name in (('start', 'old'), ('end', 'new'))]


def test_of_one_that_no_backend_takes(world):
    id = world.create(500)
    assert heard(world, 'status', 'host') == [
        ('volume.create.start', 'creating', None), ('volume.create.error', 'error', None)]
    world.delete(f'/volumes/{id}')
    assert heard(world, 'status') == [('volume.delete.start', 'deleting'), ('volume.delete.end', 'deleted')]


def test_who_says_so_and_who_asked(world, monkeypatch):
    """Pipelines take the host from the publisher, and the request's id from the context."""
    said = []
    monkeypatch.setattr(world.service.messaging, 'notify', lambda *what: said.append(what))
    id = world.create()
    world.post('/snapshots', {'snapshot': {'volume_id': id}})
    contexts = [context for _, _, context, _ in said]
    assert [(name, publisher) for name, _, _, publisher in said] == [
        ('volume.create.start', 'volume.host@memory'), ('volume.create.end', 'volume.host@memory'),
        ('snapshot.create.start', 'snapshot.host@memory')]
    assert contexts[0] == contexts[1] != contexts[2] and contexts[0]['request_id'].startswith('req-')
    assert {(context['project_id'], context['user_id']) for context in contexts} == {('p1', 'u1')}


@pytest.mark.parametrize('ending', ['rolled back', 'savepoint'])
def test_only_what_is_durable(world, ending):
    from volsvc import notify
    from volsvc.db import volumes
    id = world.create()
    world.heard.clear()
    context = type('Who', (), {'request_id': 'req-1', 'project_id': 'p1', 'user_id': 'u1'})

    def work(session):
        notify.volume(session, world.service.messaging, 'resize.end', volumes.get(session, id), context)
        with session.begin_nested():
            session.execute(volumes.select(1))
        assert world.heard == []
        if ending == 'rolled back':
            raise ArithmeticError
    if ending == 'rolled back':
        with pytest.raises(ArithmeticError):
            world.service.db.run(work)
    else:
        world.service.db.run(work)
    assert heard(world) == ([] if ending == 'rolled back' else [('volume.resize.end',)])
