"""The attach sequence that preceded attachments: there and back, each step with its undo, and what it must not do."""
import itertools

import pytest

from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE
from volsvc.drivers.base import DriverError

ELSEWHERE = '11111111-1111-1111-1111-111111111111'
ELSEWHERE_TOO = '22222222-2222-2222-2222-222222222222'
OTHER = {**CONNECTOR, 'host': 'host2', 'initiator': 'iqn.2026-01.example:host2'}
USER: dict = {}
BROKEN = 'The array is on fire.'


@pytest.fixture
def volume(world):
    return world.create()


@pytest.fixture
def shared(world):
    world.post('/types', {'volume_type': {'name': 'shared', 'extra_specs': {'multiattach': '<is> True'}}}, 200, **ADMIN)
    return world.create(volume_type='shared')


@pytest.fixture
def server(world):
    return world.nova.boot()


def act(world, volume, action, value=None, status=202, **who):
    with world.eager():
        return world.act(volume, action, value, status, **who)


def connect(world, volume, connector=CONNECTOR, **who):
    return act(world, volume, 'os-initialize_connection', {'connector': connector}, 200, **who)['connection_info']


def disconnect(world, volume, connector=CONNECTOR, status=202, **who):
    act(world, volume, 'os-terminate_connection', {'connector': connector}, status, **who)


def attached(world, volume, server, who=SERVICE, connector=CONNECTOR):
    """The volume on a server, as an old compute service does it; its attachment."""
    act(world, volume, 'os-reserve', **who)
    connect(world, volume, connector, **who)
    act(world, volume, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdb', 'mode': 'rw'}, **who)
    world.nova.servers[server]['volumes'][volume] = None
    return world.volume(volume)['attachments'][-1]


def reaching(world, volume):
    return world.driver.volumes[volume]['connected']


def state(world, volume):
    """(status, servers that have it, hosts that reach it)."""
    shown = world.volume(volume, **ADMIN)
    return shown['status'], [used['server_id'] for used in shown['attachments']], reaching(world, volume)


def breaks(world, monkeypatch, method):
    """The backend fails, and a request that waits for it loses no time."""
    def fail(*_):
        raise DriverError(BROKEN)
    monkeypatch.setattr(world.driver, method, fail)
    sleep = world.clock.sleep

    def pass_time(seconds):
        sleep(seconds)
        world.wait(5)
        world.run()
    monkeypatch.setattr(world.clock, 'sleep', pass_time)


FREE, ON_ITS_WAY = ('available', [], []), ('attaching', [], [])


class TestThereAndBack:

    @pytest.mark.parametrize('who', [USER, SERVICE])
    @pytest.mark.parametrize('version', ['3.0', '3.43', '3.71'])
    def test_each_step(self, world, volume, server, who, version):
        who = {**who, 'version': version}
        act(world, volume, 'os-reserve', **who)
        assert state(world, volume) == ON_ITS_WAY
        connect(world, volume, **who)
        assert state(world, volume) == ('attaching', [], ['host1'])
        act(world, volume, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdc'}, **who)
        assert state(world, volume) == ('in-use', [server], ['host1'])
        act(world, volume, 'os-begin_detaching', **who)
        assert state(world, volume) == ('detaching', [server], ['host1'])
        disconnect(world, volume, **who)
        assert state(world, volume) == ('detaching', [server], [])
        act(world, volume, 'os-detach', **who)
        assert state(world, volume) == FREE and world.get('/attachments')['attachments'] == []

    def test_what_it_shows(self, world, volume, server):
        used = attached(world, volume, server)
        assert set(used) == {'server_id', 'attachment_id', 'attached_at', 'host_name', 'volume_id', 'device', 'id'}
        assert (used['server_id'], used['device'], used['id']) == (server, '/dev/vdb', volume)
        assert used['attached_at']
        assert world.get(f'/attachments/{used["attachment_id"]}')['attachment']['status'] == 'attached'

    def test_connection_as_os_brick_reads_it(self, world, volume):
        act(world, volume, 'os-reserve')
        info = connect(world, volume, {**CONNECTOR, 'enforce_multipath': True})
        assert set(info) == {'driver_volume_type', 'data', 'enforce_multipath'}
        assert (info['driver_volume_type'], info['enforce_multipath']) == ('memory', True)
        assert info['data'] == {'name': f'volume-{volume}', 'volume_id': volume, 'access_mode': 'rw',
                                'encrypted': False, 'qos_specs': None, 'enforce_multipath': True}

    @pytest.mark.parametrize('value', [None, {}, '', 'x'])
    def test_value_of_what_takes_none_does_not_matter(self, world, volume, value):
        for action in ('os-reserve', 'os-unreserve', 'os-roll_detaching'):
            act(world, volume, action, value)
        assert state(world, volume) == FREE

    def test_host_without_servers(self, world, volume):
        """An image service, or a machine that is no server, attaches to itself."""
        act(world, volume, 'os-reserve')
        connect(world, volume)
        act(world, volume, 'os-attach', {'host_name': 'host1', 'mountpoint': '/mnt'})
        shown = world.volume(volume, **ADMIN)['attachments'][0]
        assert (shown['server_id'], shown['host_name'], shown['device']) == (None, 'host1', '/mnt')
        disconnect(world, volume)
        act(world, volume, 'os-detach', {'attachment_id': shown['attachment_id']})
        assert state(world, volume) == FREE

    def test_without_reserving_or_connecting(self, world, volume):
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb'})
        assert state(world, volume) == ('in-use', [ELSEWHERE], [])
        act(world, volume, 'os-detach', {})
        assert state(world, volume) == FREE

    def test_connecting_without_reserving_reserves(self, world, volume):
        connect(world, volume)
        assert state(world, volume) == ('attaching', [], ['host1'])
        act(world, volume, 'os-reserve', status=400)
        disconnect(world, volume)
        assert state(world, volume) == FREE

    def test_grows_in_use(self, world, volume, server):
        attached(world, volume, server)
        world.extend(volume, 2)
        world.run()
        assert world.nova.told() == [(server, volume)] and world.volume(volume)['size'] == 2
        assert state(world, volume) == ('in-use', [server], ['host1'])

    def test_notifications(self, world, volume, server):
        world.heard.clear()
        attached(world, volume, server)
        act(world, volume, 'os-begin_detaching', **SERVICE)
        disconnect(world, volume, **SERVICE)
        act(world, volume, 'os-detach', **SERVICE)
        assert [(name, payload['status']) for name, payload in world.heard] == [
            ('volume.attach.start', 'attaching'), ('volume.attach.end', 'in-use'),
            ('volume.detach.start', 'detaching'), ('volume.detach.end', 'available')]

    def test_beside_attachments(self, world, shared, server):
        """Servers that came by either way share a volume, and each leaves by its own."""
        modern, old = world.nova.boot(), attached(world, shared, server)
        attachment = world.attach(shared, modern)
        assert sorted(state(world, shared)[1]) == sorted([server, modern])
        act(world, shared, 'os-begin_detaching', **SERVICE)
        disconnect(world, shared, **SERVICE)
        assert reaching(world, shared) == ['host1'], 'the other server is on the same host'
        act(world, shared, 'os-detach', {'attachment_id': old['attachment_id']}, **SERVICE)
        assert state(world, shared) == ('in-use', [modern], ['host1'])
        with world.eager():
            world.delete(f'/attachments/{attachment}', 200, **SERVICE)
        assert state(world, shared) == FREE


class TestUndo:

    @pytest.mark.parametrize('action', ['os-unreserve', 'os-detach', 'os-force_detach'])
    def test_of_reserving(self, world, volume, action):
        act(world, volume, 'os-reserve')
        act(world, volume, action, {} if action != 'os-unreserve' else None, **(ADMIN if 'force' in action else USER))
        assert state(world, volume) == FREE

    @pytest.mark.parametrize('who', [USER, SERVICE])
    @pytest.mark.parametrize('undo', list(itertools.permutations(['os-unreserve', 'os-terminate_connection'])))
    def test_of_connecting(self, world, volume, undo, who):
        act(world, volume, 'os-reserve', **who)
        connect(world, volume, **who)
        for action in undo:
            act(world, volume, action, {'connector': CONNECTOR} if 'terminate' in action else None, **who)
        assert state(world, volume) == FREE

    def test_of_connecting_that_failed(self, world, volume, monkeypatch):
        act(world, volume, 'os-reserve')
        breaks(world, monkeypatch, 'connect')
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', {
            'os-initialize_connection': {'connector': CONNECTOR}})
        assert (answer.status, BROKEN in answer.message) == (500, True)
        assert state(world, volume) == ON_ITS_WAY
        act(world, volume, 'os-unreserve')
        assert state(world, volume) == FREE

    def test_connecting_what_nobody_reserved_fails_without_a_trace(self, world, volume, monkeypatch):
        breaks(world, monkeypatch, 'connect')
        assert world.call('POST', f'/v3/p1/volumes/{volume}/action', {
            'os-initialize_connection': {'connector': CONNECTOR}}).status == 500
        assert state(world, volume) == FREE and world.get('/attachments')['attachments'] == []

    def test_of_beginning_to_detach(self, world, volume, server):
        attached(world, volume, server)
        act(world, volume, 'os-begin_detaching', **SERVICE)
        act(world, volume, 'os-roll_detaching', **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1'])

    @pytest.mark.parametrize('action, value', [
        ('os-terminate_connection', {'connector': CONNECTOR}), ('os-detach', {})])
    def test_of_a_detach_that_failed(self, world, volume, server, monkeypatch, action, value):
        attached(world, volume, server)
        act(world, volume, 'os-begin_detaching', **SERVICE)
        breaks(world, monkeypatch, 'disconnect')
        answer = world.call('POST', f'/v3/service/volumes/{volume}/action', {action: value}, **SERVICE)
        assert (answer.status, BROKEN in answer.message) == (500, True)
        assert state(world, volume) == ('detaching', [server], ['host1'])
        act(world, volume, 'os-roll_detaching', **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1'])

    def test_of_disconnecting(self, world, volume, server):
        attached(world, volume, server)
        act(world, volume, 'os-begin_detaching', **SERVICE)
        disconnect(world, volume, **SERVICE)
        connect(world, volume, **SERVICE)
        act(world, volume, 'os-roll_detaching', **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1'])
        assert world.volume(volume)['attachments'][0]['device'] == '/dev/vdb'
        assert len(world.get('/attachments')['attachments']) == 1

    @pytest.mark.parametrize('action, value', [
        ('os-unreserve', None), ('os-roll_detaching', None), ('os-detach', {}), ('os-detach', None),
        ('os-detach', {'attachment_id': ELSEWHERE}), ('os-terminate_connection', {'connector': CONNECTOR}),
        ('os-terminate_connection', {'connector': None})])
    def test_of_what_nobody_did(self, world, volume, action, value):
        before = world.rows()
        act(world, volume, action, value)
        assert world.rows() == before

    @pytest.mark.parametrize('action', ['os-unreserve', 'os-roll_detaching'])
    def test_too_late(self, world, volume, server, action):
        attached(world, volume, server)
        act(world, volume, action, **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1'])


class TestRepeated:
    """A client that got no answer asks again."""

    def test_connecting(self, world, volume):
        act(world, volume, 'os-reserve')
        assert connect(world, volume) == connect(world, volume)
        assert len(world.get('/attachments')['attachments']) == 1

    def test_connecting_while_the_worker_is_away(self, world, volume):
        act(world, volume, 'os-reserve')
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', {
            'os-initialize_connection': {'connector': CONNECTOR}})
        assert answer.status == 503 and 'ask again' in answer.message
        world.run()
        connect(world, volume)
        assert state(world, volume) == ('attaching', [], ['host1'])
        assert len(world.get('/attachments')['attachments']) == 1

    def test_attaching(self, world, volume, server):
        before = attached(world, volume, server)
        act(world, volume, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdb'}, **SERVICE)
        assert world.volume(volume)['attachments'] == [before]

    def test_disconnecting_and_detaching(self, world, volume, server):
        used = attached(world, volume, server)
        act(world, volume, 'os-begin_detaching', **SERVICE)
        for _ in range(2):
            disconnect(world, volume, **SERVICE)
        for _ in range(2):
            act(world, volume, 'os-detach', {'attachment_id': used['attachment_id']}, **SERVICE)
        assert state(world, volume) == FREE


class TestRefused:

    @pytest.mark.parametrize('status', ['error', 'extending', 'creating', 'deleting', 'reserved', 'attaching',
                                        'detaching', 'in-use', 'maintenance', 'uploading'])
    @pytest.mark.parametrize('action, value', [
        ('os-reserve', None), ('os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb'})])
    def test_of_what_is_not_available(self, world, volume, status, action, value):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        before = world.rows()
        assert status in world.refused(400, 'POST', f'/volumes/{volume}/action', {action: value})
        assert world.rows() == before

    @pytest.mark.parametrize('status', ['error', 'creating', 'deleting', 'maintenance', 'extending', 'reserved'])
    def test_connecting(self, world, volume, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        before = world.rows()
        act(world, volume, 'os-initialize_connection', {'connector': CONNECTOR}, 400)
        assert world.rows() == before

    def test_detaching_in_maintenance(self, world, volume, server):
        attached(world, volume, server)
        world.act(volume, 'os-reset_status', {'status': 'maintenance'}, **ADMIN)
        act(world, volume, 'os-detach', None, 400, **SERVICE)

    @pytest.mark.parametrize('status', ['available', 'reserved', 'attaching', 'error', 'detaching'])
    def test_beginning_to_detach(self, world, volume, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        act(world, volume, 'os-begin_detaching', None, 400)

    def test_second_server(self, world, volume, server):
        attached(world, volume, server)
        connect(world, volume, OTHER, **SERVICE)
        before = world.rows()
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb'}, 400, **SERVICE)
        assert world.rows() == before

    def test_what_the_other_api_reserved(self, world, volume, server):
        """And the other way round."""
        body = {'attachment': {'volume_uuid': volume, 'instance_uuid': server}}
        id = world.post('/attachments', body, 200, **SERVICE)['attachment']['id']
        before = world.rows()
        act(world, volume, 'os-reserve', status=400)
        act(world, volume, 'os-initialize_connection', {'connector': CONNECTOR}, 400)
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb'}, 400)
        act(world, volume, 'os-unreserve')
        disconnect(world, volume)
        assert world.rows() == before
        world.delete(f'/attachments/{id}', 200, **SERVICE)
        act(world, volume, 'os-reserve')
        world.refused(400, 'POST', '/attachments', body, **SERVICE)

    def test_one_of_several_has_to_be_named(self, world, shared):
        for number in range(2):
            attached(world, shared, world.nova.boot(), connector={**CONNECTOR, 'host': f'host{number}'})
        assert 'attachment_id' in world.refused(400, 'POST', f'/volumes/{shared}/action', {'os-detach': {}}, **SERVICE)

    def test_read_only(self, world, volume):
        world.act(volume, 'os-update_readonly_flag', {'readonly': True})
        act(world, volume, 'os-reserve')
        assert connect(world, volume)['data']['access_mode'] == 'ro'
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb', 'mode': 'rw'}, 400)
        assert world.volume(volume)['status'] == 'attaching'
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb', 'mode': 'ro'})
        assert world.get('/attachments/detail')['attachments'][0]['attach_mode'] == 'ro'

    @pytest.mark.parametrize('action, value', [
        ('os-attach', None), ('os-attach', {}), ('os-attach', {'mountpoint': '/dev/vdb'}),
        ('os-attach', {'instance_uuid': ELSEWHERE}), ('os-attach', {'instance_uuid': 'x', 'mountpoint': '/dev/vdb'}),
        ('os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': ''}),
        ('os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': 256 * 'x'}),
        ('os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': None}),
        ('os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdb', 'mode': 'wr'}),
        ('os-attach', {'host_name': 256 * 'x', 'mountpoint': '/dev/vdb'}),
        ('os-attach', {'host_name': 'h', 'mountpoint': '/dev/vdb', 'x': 1}),
        ('os-detach', {'attachment_id': 'x'}), ('os-detach', {'x': 1}), ('os-detach', 'x'),
        ('os-initialize_connection', None), ('os-initialize_connection', {}),
        ('os-initialize_connection', {'connector': None}), ('os-initialize_connection', {'connector': {}}),
        ('os-initialize_connection', {'connector': 'x'}),
        ('os-initialize_connection', {'connector': CONNECTOR, 'x': 1}),
        ('os-terminate_connection', None), ('os-terminate_connection', {}),
        ('os-terminate_connection', {'connector': 'x'}), ('os-terminate_connection', {'connector': {}}),
        ('os-force_detach', None), ('os-force_detach', {'attachment_id': 1}), ('os-force_detach', {'connector': []}),
        ('os-force_detach', {'x': 1})])
    def test_wrong(self, world, volume, action, value):
        before = world.rows()
        act(world, volume, action, value, 400, **ADMIN)
        assert world.rows() == before

    @pytest.mark.parametrize('action, value', [
        ('os-reserve', None), ('os-unreserve', None), ('os-initialize_connection', {'connector': CONNECTOR}),
        ('os-terminate_connection', {'connector': CONNECTOR}), ('os-detach', None), ('os-begin_detaching', None),
        ('os-attach', {'host_name': 'h', 'mountpoint': '/dev/vdb'}), ('os-roll_detaching', None),
        ('os-force_detach', {})])
    def test_who(self, world, volume, action, value):
        before = world.rows()
        act(world, volume, action, value, 403, roles='reader')
        act(world, volume, action, value, 404, project='p2')
        act(world, ELSEWHERE, action, value, 404, **ADMIN)
        if action == 'os-force_detach':
            act(world, volume, action, value, 403)
        assert world.rows() == before


class TestBehindItsBack:
    """CVE-2023-2088: a host whose volume is taken from it without its knowledge reads what comes there next."""

    WAYS = [('os-detach', {}), ('os-detach', None), ('os-terminate_connection', {'connector': CONNECTOR}),
            ('os-terminate_connection', {'connector': None}),
            ('os-terminate_connection', {'connector': {'host': 'x', 'initiator': CONNECTOR['initiator']}}),
            ('os-force_detach', {}), ('os-force_detach', {'connector': CONNECTOR}),
            ('os-force_detach', {'attachment_id': 'its'}), ('os-detach', {'attachment_id': 'its'})]

    @pytest.fixture(params=['old', 'new'])
    def used(self, request, world, volume, server):
        """The attachment's id, made by either API."""
        if request.param == 'new':
            return world.attach(volume, server)
        return attached(world, volume, server)['attachment_id']

    @pytest.mark.parametrize('who, action, value', [
        *((ADMIN, *way) for way in WAYS), *((USER, *way) for way in WAYS if way[0] != 'os-force_detach')])
    def test_no_way(self, world, volume, server, used, action, value, who):
        if value and value.get('attachment_id'):
            value = {'attachment_id': used}
        before = world.rows()
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', {action: value}, **who)
        assert answer.status == 409 and server in answer.message and 'compute' in answer.message
        assert world.rows() == before and reaching(world, volume) == ['host1']
        with world.eager():
            assert world.call('DELETE', f'/v3/p1/attachments/{used}', **who).status == 409

    @pytest.mark.parametrize('action, value', WAYS)
    def test_compute_cannot_tell(self, world, volume, server, used, action, value):
        if value and value.get('attachment_id'):
            value = {'attachment_id': used}
        world.nova.broken['GET .*'] = 503
        before = world.rows()
        assert world.call('POST', f'/v3/p1/volumes/{volume}/action', {action: value}, **ADMIN).status == 503
        assert world.rows() == before

    @pytest.mark.parametrize('action', ['os-detach', 'os-force_detach'])
    def test_server_that_has_it_no_more(self, world, volume, server, used, action):
        world.nova.servers[server]['volumes'].clear()
        act(world, volume, action, {'attachment_id': used}, **ADMIN)
        assert state(world, volume) == FREE

    def test_with_a_service_beside_the_user(self, world, volume, server, used):
        act(world, volume, 'os-detach', {'attachment_id': used}, x_service_roles='service')
        assert state(world, volume) == FREE

    @pytest.mark.parametrize('action, value', [('os-unreserve', None), ('os-detach', {}), ('os-terminate_connection', {
        'connector': CONNECTOR})])
    def test_while_a_service_attaches_it(self, world, volume, action, value):
        """Its host may have the device already; there is no server yet that could be asked for."""
        act(world, volume, 'os-reserve', **SERVICE)
        connect(world, volume, **SERVICE)
        before = world.rows()
        act(world, volume, action, value, 409)
        assert world.rows() == before and reaching(world, volume) == ['host1']
        act(world, volume, action, value, **SERVICE)
        assert state(world, volume) == FREE

    @pytest.mark.parametrize('lie', [{'host': 'x'}, {'initiator': 'iqn.2026-01.example:x'}])
    def test_connecting_what_a_server_has(self, world, volume, server, used, lie):
        """By a name of one's own and the initiator of the server's host, to disconnect that."""
        before = world.rows()
        assert world.call('POST', f'/v3/p1/volumes/{volume}/action', {'os-initialize_connection': {
            'connector': {**CONNECTOR, **lie}}}).status in (400, 409)
        assert world.rows() == before

    @pytest.mark.parametrize('who', [USER, ADMIN])
    def test_another_host_in_place_of_the_servers(self, world, volume, server, used, who):
        before = world.rows()
        body = {'attachment': {'connector': OTHER}}
        assert world.call('PUT', f'/v3/p1/attachments/{used}', body, **who).status == 409
        assert world.rows() == before and reaching(world, volume) == ['host1']

    def test_attachment_by_the_initiator_of_another_host(self, world, shared, server):
        """A user's own attachment ends; the server's host goes on reaching the volume."""
        attached(world, shared, server)
        gone, world.driver.known_by = [], ('initiator',)
        world.driver.disconnect = lambda volume, connector: gone.append(connector)
        body = {'attachment': {'volume_uuid': shared, 'instance_uuid': None, 'connector': {**CONNECTOR, 'host': 'x'}}}
        with world.eager():
            id = world.post('/attachments', body, 200)['attachment']['id']
            world.delete(f'/attachments/{id}', 200)
        assert gone == []


class TestForce:

    def test_what_is_left_of_a_failed_attach(self, world, volume):
        """As the standard test suite has it."""
        act(world, volume, 'os-attach', {'instance_uuid': ELSEWHERE, 'mountpoint': '/dev/vdc'})
        world.act(volume, 'os-reset_status', {'status': 'error'}, **ADMIN)
        id = world.volume(volume)['attachments'][0]['attachment_id']
        act(world, volume, 'os-force_detach', {'connector': None, 'attachment_id': id}, **ADMIN)
        assert state(world, volume) == FREE

    def test_with_its_connection(self, world, volume, server):
        used = attached(world, volume, server)
        world.nova.servers.clear()
        act(world, volume, 'os-force_detach', {'connector': CONNECTOR, 'attachment_id': used['attachment_id']}, **ADMIN)
        assert state(world, volume) == FREE

    def test_the_others_keep_theirs(self, world, shared):
        servers = [world.nova.boot(), world.nova.boot()]
        first = attached(world, shared, servers[0])['attachment_id']
        attached(world, shared, servers[1], connector=OTHER)
        world.nova.servers[servers[0]]['volumes'].clear()
        act(world, shared, 'os-force_detach', {'attachment_id': first}, **ADMIN)
        assert state(world, shared) == ('in-use', [servers[1]], ['host2'])

    def test_error_that_has_nothing_to_do_with_attachments_stays(self, world, volume):
        world.act(volume, 'os-reset_status', {'status': 'error'}, **ADMIN)
        act(world, volume, 'os-force_detach', {}, **ADMIN)
        assert world.volume(volume)['status'] == 'error'


class TestSeveralHosts:

    def test_server_moves_to_another_host(self, world, volume, server):
        """As a live migration went: connected there, then disconnected here."""
        used = attached(world, volume, server)
        connect(world, volume, OTHER, **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1', 'host2'])
        disconnect(world, volume, **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host2'])
        act(world, volume, 'os-begin_detaching', **SERVICE)
        disconnect(world, volume, OTHER, **SERVICE)
        act(world, volume, 'os-detach', {'attachment_id': used['attachment_id']}, **SERVICE)
        assert state(world, volume) == FREE

    def test_move_that_is_undone(self, world, volume, server):
        attached(world, volume, server)
        connect(world, volume, OTHER, **SERVICE)
        disconnect(world, volume, OTHER, **SERVICE)
        assert state(world, volume) == ('in-use', [server], ['host1'])

    def test_each_server_has_its_own(self, world, shared):
        servers = [world.nova.boot(), world.nova.boot()]
        ids = [attached(world, shared, one, connector=where)['attachment_id']
               for one, where in zip(servers, (CONNECTOR, OTHER), strict=True)]
        assert state(world, shared) == ('in-use', servers, ['host1', 'host2'])
        for id, where in zip(ids, (CONNECTOR, OTHER), strict=True):
            act(world, shared, 'os-begin_detaching', **SERVICE)
            disconnect(world, shared, where, **SERVICE)
            act(world, shared, 'os-detach', {'attachment_id': id}, **SERVICE)
        assert state(world, shared) == FREE

    def test_host_shared_by_two(self, world, shared):
        """The host reaches it until the last of its servers has it no more."""
        ids = [attached(world, shared, world.nova.boot())['attachment_id'] for _ in range(2)]
        for id, left in zip(ids, (['host1'], []), strict=True):
            disconnect(world, shared, **SERVICE)
            act(world, shared, 'os-detach', {'attachment_id': id}, **SERVICE)
            assert reaching(world, shared) == left
        assert state(world, shared) == FREE
