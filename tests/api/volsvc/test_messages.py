"""Every way in which what was accepted can fail: the message that its owner gets, and the notification."""
import pytest
from sqlalchemy import update

from svckit import operations
from svckit.operations import Refused
from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE
from volsvc.db import claims, messages
from volsvc.db.models import Message
from volsvc.drivers.base import DriverError, NoSpace

WHY = 'The array is on fire.'


def breaks(world, *methods, error=None):
    """The backend fails at these until mended."""
    def broken(*a):
        raise error or DriverError(WHY)
    for method in methods:
        setattr(world.driver, method, broken)


def mend(world, *methods):
    for method in methods:
        delattr(world.driver, method)


def settle(world):
    """Everything is tried as often as it is worth."""
    for _ in range(12):
        world.run()
        world.wait()


def impatient(world):
    """While a request waits, the work is done and time passes."""
    sleep = world.clock.sleep

    def work(seconds):
        sleep(seconds)
        world.run()
        world.wait(5)
    world.clock.sleep = work


def snapshot_of(world, volume, run=True):
    id = world.post('/snapshots', {'snapshot': {'volume_id': volume, 'force': True}})['snapshot']['id']
    if run:
        world.run()
    return id


# ------------------------------------------------------------------ what fails; each returns the id it is said of

def nowhere(world):
    world.put('/os-services/disable', {'host': 'host@memory', 'binary': 'cinder-volume'}, **ADMIN)
    return world.create()


def create(world):
    breaks(world, 'create')
    return world.create()


def create_stuck(world):
    breaks(world, 'create', 'delete')
    return world.create()


def image_too_large(world):
    breaks(world, 'create', error=NoSpace('The storage backend is full.'))
    return world.create(imageRef=world.glance.add(b'raw'))


def image(world):
    breaks(world, 'create_from_image')
    return world.create(imageRef=world.glance.add(b'raw'))


def copied_while_written_to(world):
    source = world.create()
    world.driver.clone = lambda volume, source: world.driver.create(volume) or WHY
    return world.create(source_volid=source)


def extend(world):
    id = world.create()
    breaks(world, 'extend')
    world.extend(id, 2)
    return id


def extend_full(world):
    id = world.create()
    breaks(world, 'extend', error=NoSpace(WHY))
    world.extend(id, 2)
    return id


def extend_stuck(world):
    id = world.create()
    breaks(world, 'size')
    world.extend(id, 2)
    return id


def extend_of_a_server_that_cannot(world):
    id = world.create()
    world.attach(id)
    world.nova.hosts['host1']['extend_attached'] = False
    world.extend(id, 2)
    return id


def delete(world):
    id = world.create()
    breaks(world, 'delete')
    world.delete(f'/volumes/{id}')
    return id


def delete_refused(world):
    id = world.create()
    breaks(world, 'delete', error=Refused(WHY))
    world.delete(f'/volumes/{id}')
    return id


def cascade(world):
    volume = world.create()
    id = snapshot_of(world, volume)
    breaks(world, 'delete')
    world.delete(f'/volumes/{volume}?cascade=True')
    return id


def snapshot(world):
    volume = world.create()
    breaks(world, 'create_snapshot')
    return snapshot_of(world, volume)


def snapshot_stuck(world):
    volume = world.create()
    breaks(world, 'create_snapshot', 'delete_snapshot')
    return snapshot_of(world, volume)


def snapshot_while_written_to(world):
    volume = world.create()
    world.driver.create_snapshot = lambda *a: WHY
    return snapshot_of(world, volume)


def snapshot_delete(world):
    id = snapshot_of(world, world.create())
    breaks(world, 'delete_snapshot')
    world.delete(f'/snapshots/{id}')
    return id


def snapshot_busy(world):
    id = snapshot_of(world, world.create())
    breaks(world, 'delete_snapshot', error=Refused(WHY))
    world.delete(f'/snapshots/{id}')
    return id


def revert(world):
    id = world.create()
    held = snapshot_of(world, id)
    breaks(world, 'revert')
    world.act(id, 'revert', {'snapshot_id': held})
    return id


def upload(world):
    id = world.create()
    breaks(world, 'read')
    world.act(id, 'os-volume_upload_image', {'image_name': 'x'})
    return id


def upload_of_too_much(world):
    id = world.create()
    world.glance.broken = {'PUT file': 413}
    world.act(id, 'os-volume_upload_image', {'image_name': 'x'})
    return id


def upload_of_too_many(world):
    """The image service refuses while the request waits."""
    id = world.create()
    world.glance.broken = {'POST /v2/images': 413}
    with world.eager():
        world.act(id, 'os-volume_upload_image', {'image_name': 'x'}, 400)
    return id


def connect(world):
    id = world.create()
    attachment = world.post('/attachments', {'attachment': {
        'volume_uuid': id, 'instance_uuid': world.nova.boot(), 'connector': None}}, 200, **SERVICE)['attachment']['id']
    breaks(world, 'connect')
    impatient(world)
    world.put(f'/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}}, 500, **SERVICE)
    return id


def connect_stuck(world):
    breaks(world, 'disconnect')
    return connect(world)


def connect_by_the_older_sequence(world):
    id = world.create()
    world.act(id, 'os-reserve')
    breaks(world, 'connect')
    impatient(world)
    world.act(id, 'os-initialize_connection', {'connector': CONNECTOR}, 500)
    return id


def detach(world):
    id = world.create()
    attachment = world.attach(id)
    breaks(world, 'disconnect')
    impatient(world)
    world.delete(f'/attachments/{attachment}', 500, **SERVICE)
    return id


def disconnect(world):
    id = world.create()
    with world.eager():
        world.act(id, 'os-initialize_connection', {'connector': CONNECTOR}, 200)
        world.act(id, 'os-attach', {'instance_uuid': world.nova.boot(), 'mountpoint': '/dev/vdb'}, **SERVICE)
    world.act(id, 'os-begin_detaching', **SERVICE)
    breaks(world, 'disconnect')
    impatient(world)
    world.act(id, 'os-terminate_connection', {'connector': CONNECTOR}, 500, **SERVICE)
    return id


@pytest.mark.parametrize('story, event, status, heard', [
    (nowhere, 'VOLUME_VOLUME_001_003', 'error', 'volume.create.error'),
    (create, 'VOLUME_VOLUME_008_012', 'error', 'volume.create.error'),
    (create_stuck, 'VOLUME_VOLUME_008_012', 'error', 'volume.create.error'),
    (image_too_large, 'VOLUME_VOLUME_005_007', 'error', 'volume.create.error'),
    (image, 'VOLUME_VOLUME_005_001', 'error', 'volume.create.error'),
    (extend, 'VOLUME_VOLUME_007_010', 'error_extending', 'volume.resize.error'),
    (extend_full, 'VOLUME_VOLUME_007_010', 'available', 'volume.resize.error'),
    (extend_stuck, 'VOLUME_VOLUME_007_010', 'error_extending', 'volume.resize.error'),
    (extend_of_a_server_that_cannot, 'VOLUME_VOLUME_007_009', 'in-use', 'volume.resize.error'),
    (delete, 'VOLUME_VOLUME_101_001', 'error_deleting', 'volume.delete.error'),
    (delete_refused, 'VOLUME_VOLUME_101_001', 'available', 'volume.delete.error'),
    (cascade, 'VOLUME_VOLUME_SNAPSHOT_010_016', 'error_deleting', 'snapshot.delete.error'),
    (snapshot, 'VOLUME_VOLUME_SNAPSHOT_009_013', 'error', 'snapshot.create.error'),
    (snapshot_stuck, 'VOLUME_VOLUME_SNAPSHOT_009_013', 'error', 'snapshot.create.error'),
    (snapshot_delete, 'VOLUME_VOLUME_SNAPSHOT_010_016', 'error_deleting', 'snapshot.delete.error'),
    (snapshot_busy, 'VOLUME_VOLUME_SNAPSHOT_010_015', 'available', 'snapshot.delete.error'),
    (revert, 'VOLUME_VOLUME_105_001', 'error', 'volume.revert.error'),
    (upload, 'VOLUME_VOLUME_003_004', 'available', None),
    (upload_of_too_much, 'VOLUME_VOLUME_003_006', 'available', None),
    (upload_of_too_many, 'VOLUME_VOLUME_003_006', 'available', None),
    (connect, 'VOLUME_VOLUME_004_021', 'reserved', 'volume.attach.error'),
    (connect_stuck, 'VOLUME_VOLUME_004_021', 'reserved', 'volume.attach.error'),
    (connect_by_the_older_sequence, 'VOLUME_VOLUME_002_021', 'attaching', 'volume.attach.error'),
    (detach, 'VOLUME_VOLUME_102_022', 'in-use', 'volume.detach.error'),
    (disconnect, 'VOLUME_VOLUME_102_022', 'detaching', None),
])
def test_failure(world, story, event, status, heard):
    id = story(world)
    settle(world)
    kind = 'snapshot' if 'SNAPSHOT' in event else 'volume'
    message, = world.get(f'/messages?resource_uuid={id}')['messages']
    assert (message['event_id'], message['message_level'], message['resource_type']) == (
        event, 'ERROR', 'VOLUME_SNAPSHOT' if kind == 'snapshot' else 'VOLUME')
    assert message['user_message'].endswith(('.', ')')) and '..' not in message['user_message']
    assert world.get(f'/{kind}s/{id}')[kind]['status'] == status
    errors = [(name, payload['status'], bool(payload['error'] and payload['message']))
              for name, payload in world.heard if name.endswith('.error') and payload[f'{kind}_id'] == id
              and name.startswith(kind)]
    assert errors == ([(heard, status, True)] if heard else [])


def test_what_nobody_made_a_sentence_of(world):
    """It may name files, or hold worse: operators see it, users do not."""
    breaks(world, 'create', error=OSError(5, 'Input/output error', '/secret/place'))
    id = world.create()
    settle(world)
    message, = world.get('/messages')['messages']
    op, = world.get(f'/volumes/{id}/operations')['operations']
    assert message['user_message'] == f'The volume could not be created: {op["error"]}'
    assert op['error'] == 'An unforeseen error (OSError).'
    assert '/secret/place' not in str(op) + str(world.heard)
    with world.service.db.reader() as session:
        assert any('/secret/place' in (row.detail or '') for row in operations.events(session, op['id']))


@pytest.mark.parametrize('story, event', [
    (copied_while_written_to, 'VOLUME_VOLUME_008_101'), (snapshot_while_written_to, 'VOLUME_VOLUME_SNAPSHOT_009_101')])
def test_warning(world, story, event):
    id = story(world)
    message, = world.get(f'/messages?resource_uuid={id}')['messages']
    assert (message['event_id'], message['message_level'], message['user_message']) == (event, 'WARNING', WHY)


class TestWhatIsStuck:
    """It does not stay as it is for ever: its owner deletes it once the backend can."""

    @pytest.mark.parametrize('story, noun, methods', [
        (create_stuck, 'volumes', ('create', 'delete')),
        (snapshot_stuck, 'snapshots', ('create_snapshot', 'delete_snapshot'))])
    def test_it_is_deleted(self, world, story, noun, methods):
        id = story(world)
        settle(world)
        mend(world, *methods)
        world.delete(f'/{noun}/{id}')
        world.run()
        world.refused(404, 'GET', f'/{noun}/{id}')
        assert noun not in world.used()
        with world.service.db.reader() as session:
            assert claims.differences(session) == []

    def test_an_operator_resumes_it(self, world):
        id = create_stuck(world)
        settle(world)
        mend(world, 'create', 'delete')
        op, = world.get(f'/volumes/{id}/operations')['operations']
        world.service.db.run(lambda session: operations.retry(session, op['id']))
        world.run()
        assert world.volume(id)['status'] == 'error' and not world.driver.volumes
        with world.service.db.reader() as session:
            assert claims.differences(session) == [] and set(claims.promised(session).values()) == {0}


    def test_no_host_reaches_what_is_detached(self, world):
        """Also where connecting failed half way, and could not be undone."""
        id, really = world.create(), type(world.driver).connect
        attachment = world.post('/attachments', {'attachment': {
            'volume_uuid': id, 'instance_uuid': None, 'connector': None}}, 200, **SERVICE)['attachment']['id']

        def half(*what):
            really(world.driver, *what)
            raise DriverError(WHY)
        world.driver.connect = half
        breaks(world, 'disconnect')
        impatient(world)
        world.put(f'/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}}, 500, **SERVICE)
        assert world.driver.volumes[id]['connected'] == ['host1']
        mend(world, 'disconnect')
        world.delete(f'/attachments/{attachment}', 200, **SERVICE)
        assert world.driver.volumes[id]['connected'] == [] and world.volume(id)['status'] == 'available'


class TestTheirList:

    @pytest.fixture
    def told(self, world):
        """Messages of a volume and a snapshot, oldest first."""
        ids = [create(world)]
        settle(world)
        mend(world, 'create')
        ids.append(snapshot(world))
        settle(world)
        return ids

    @pytest.mark.parametrize('query, found', [
        ('event_id=VOLUME_VOLUME_008_012', [0]), ('event_id=VOLUME_VOLUME_SNAPSHOT_009_013', [1]),
        ('resource_type=VOLUME_SNAPSHOT', [1]), ('message_level=WARNING', []), ('', [1, 0]), ('limit=1', [1]),
        ('sort=created_at:asc', [0, 1]), ('sort=resource_type:desc', [1, 0]), ('request_id=req-1', []),
        ('offset=1', [0])])
    def test_filters_and_pages(self, world, told, query, found):
        listed = world.get(f'/messages?{query}')['messages']
        assert [message['resource_uuid'] for message in listed] == [told[number] for number in found]

    def test_by_request(self, world, told):
        wanted = world.get('/messages')['messages'][1]
        assert world.get(f'/messages?request_id={wanted["request_id"]}')['messages'] == [wanted]

    def test_administrators_see_all(self, world, told):
        elsewhere = {**ADMIN, 'project': 'p2'}
        assert world.get('/messages', **elsewhere)['messages'] == []
        assert len(world.get('/messages?all_tenants=1', **elsewhere)['messages']) == 2
        assert len(world.get('/messages?project_id=p1', **elsewhere)['messages']) == 2
        assert world.get('/messages?project_id=p1', project='p2')['messages'] == []

    def test_readers_do_not_delete(self, world, told):
        id = world.get('/messages')['messages'][0]['id']
        world.refused(403, 'DELETE', f'/messages/{id}', roles='reader')
        world.delete(f'/messages/{id}', 204)
        world.refused(404, 'DELETE', f'/messages/{id}')

    def test_they_are_kept_for_a_while(self, world, told):
        """`guaranteed_until` is kept, also when the volume is gone; then they go."""
        world.delete(f'/volumes/{told[0]}')
        world.run()
        assert world.service.db.run(messages.prune) == 0
        old = Message.resource_uuid == told[0]
        world.service.db.run(lambda session: session.execute(update(Message).where(old).values(
            expires_at=Message.created_at)))
        world.worker._tidy()
        left, = world.get('/messages')['messages']
        assert left['resource_uuid'] == told[1]

    def test_how_long_the_operator_says(self, make_world):
        world = make_world(message_ttl=0)
        create(world)
        settle(world)
        message, = world.get('/messages')['messages']
        assert message['guaranteed_until'] == message['created_at'] and world.service.db.run(messages.prune) == 1
