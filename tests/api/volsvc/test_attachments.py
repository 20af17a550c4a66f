"""Attachments: as a compute service uses them, and as nobody else may."""
import pytest

from tests.api.volsvc.world import ADMIN, CONNECTOR, SERVICE

ELSEWHERE = '11111111-1111-1111-1111-111111111111'
DETAIL = {'id', 'status', 'instance', 'volume_id', 'attached_at', 'detached_at', 'attach_mode', 'connection_info'}


@pytest.fixture
def volume(world):
    return world.create()


@pytest.fixture
def server(world):
    return world.nova.boot()


def reserve(world, volume, server, status=200, connector=None, **kw):
    body = {'attachment': {'volume_uuid': volume, 'instance_uuid': server, 'connector': connector}}
    return world.post('/attachments', body, status, **{**SERVICE, **kw})


class TestReserve:

    def test_volume_is_reserved(self, world, volume, server):
        made = reserve(world, volume, server)['attachment']
        assert set(made) == DETAIL
        assert (made['status'], made['instance'], made['volume_id'], made['connection_info']) == (
            'reserved', server, volume, {})
        assert world.volume(volume)['status'] == 'reserved'

    def test_at_3_27(self, world, volume, server):
        reserve(world, volume, server, version='3.27')

    def test_by_its_owner(self, world, volume, server):
        reserve(world, volume, server, roles='member,reader', project='p1', x_service_roles='')

    def test_mode(self, world, volume, server):
        body = {'attachment': {'volume_uuid': volume, 'instance_uuid': server, 'mode': 'ro'}}
        assert world.post('/attachments', body, 200, **SERVICE)['attachment']['attach_mode'] == 'ro'

    def test_twice(self, world, volume, server):
        reserve(world, volume, server)
        before = world.rows()
        assert 'reserved' in world.refused(400, 'POST', '/attachments', {'attachment': {
            'volume_uuid': volume, 'instance_uuid': world.nova.boot()}}, **SERVICE)
        assert world.rows() == before

    @pytest.mark.parametrize('status', ['error', 'extending', 'deleting', 'creating', 'error_extending'])
    def test_status(self, world, volume, server, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        world.refused(400, 'POST', '/attachments', {'attachment': {'volume_uuid': volume, 'instance_uuid': server}},
                      **SERVICE)

    def test_another_projects_volume(self, world, volume, server):
        before = world.rows()
        world.refused(404, 'POST', '/attachments', {'attachment': {'volume_uuid': volume, 'instance_uuid': server}},
                      project='p2')
        assert world.rows() == before

    def test_reader_may_not(self, world, volume, server):
        world.refused(403, 'POST', '/attachments', {'attachment': {'volume_uuid': volume, 'instance_uuid': server}},
                      roles='reader')

    @pytest.mark.parametrize('attachment', [
        None, {}, {'instance_uuid': ELSEWHERE}, {'volume_uuid': 'x'}, {'volume_uuid': None}, {'volume_uuid': 1},
        {'volume_uuid': ELSEWHERE, 'instance_uuid': 'x'}, {'volume_uuid': ELSEWHERE, 'connector': []},
        {'volume_uuid': ELSEWHERE, 'connector': 'x'}, {'volume_uuid': ELSEWHERE, 'mode': 'rx'},
        {'volume_uuid': ELSEWHERE, 'colour': 'red'}])
    def test_wrong(self, world, attachment):
        world.refused(400, 'POST', '/attachments', {'attachment': attachment}, **SERVICE)

    def test_mode_came_with_3_54(self, world, volume):
        world.refused(400, 'POST', '/attachments', {'attachment': {'volume_uuid': volume, 'mode': 'ro'}},
                      **SERVICE, version='3.53')

    def test_unknown_volume(self, world):
        world.refused(404, 'POST', '/attachments', {'attachment': {'volume_uuid': ELSEWHERE}}, **SERVICE)


class TestConnect:

    @pytest.fixture
    def attachment(self, world, volume, server):
        return reserve(world, volume, server)['attachment']['id']

    def connect(self, world, id, status=200, **kw):
        with world.eager():
            return world.put(f'/attachments/{id}', {'attachment': {'connector': CONNECTOR}}, status,
                             **{**SERVICE, **kw})

    def test_answer_holds_the_connection_flat(self, world, attachment, volume):
        shown = self.connect(world, attachment)['attachment']
        info = shown['connection_info']
        assert (shown['status'], info['driver_volume_type']) == ('attaching', 'memory')
        assert info['attachment_id'] == attachment
        assert volume in info['name'] and 'data' not in info
        assert world.volume(volume)['status'] == 'attaching'

    def test_its_owner_does_not_see_how_the_host_reaches_it(self, world, attachment):
        known = self.connect(world, attachment)['attachment']['connection_info']
        for who, seen in (({}, {}), (ADMIN, known), (SERVICE, known)):
            assert world.get(f'/attachments/{attachment}', **who)['attachment']['connection_info'] == seen
            listed, = world.get('/attachments/detail?all_tenants=1', **who)['attachments']
            assert listed['connection_info'] == seen

    def test_its_owner_sees_it_where_no_server_is(self, world, volume):
        own = {'roles': 'member,reader', 'project': 'p1', 'x_service_roles': ''}
        attachment = reserve(world, volume, None, **own)['attachment']['id']
        known = self.connect(world, attachment, **own)['attachment']['connection_info']
        assert known and world.get(f'/attachments/{attachment}', **own)['attachment']['connection_info'] == known

    def test_with_the_reservation(self, world, volume, server):
        with world.eager():
            made = reserve(world, volume, server, connector=CONNECTOR)['attachment']
        assert made['connection_info']['driver_volume_type'] == 'memory'

    def test_twice(self, world, attachment):
        first, again = (self.connect(world, attachment)['attachment']['connection_info'] for _ in range(2))
        assert first == again

    def test_below_3_44_that_is_all(self, world, attachment, volume):
        self.connect(world, attachment, version='3.43')
        assert world.volume(volume)['status'] == 'in-use'

    def test_backend_that_fails(self, world, attachment, volume):
        world.driver.connect = lambda *a: 1 / 0
        self._worker_loses_patience(world)
        answer = world.call('PUT', f'/v3/service/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}},
                            **SERVICE)
        assert answer.status == 500 and 'storage backend' in answer.message
        assert world.volume(volume)['status'] == 'reserved'

    def _worker_loses_patience(self, world):
        """Between two looks of the waiting request the work is done and time passes."""
        sleep = world.clock.sleep

        def work(seconds):
            sleep(seconds)
            world.run()
            world.wait(5)
        world.clock.sleep = work

    def test_worker_that_is_away(self, world, attachment, volume):
        answer = world.call('PUT', f'/v3/service/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}},
                            **SERVICE)
        assert answer.status == 503 and 'ask again' in answer.message

    def test_asked_again_once_the_worker_is_back(self, world, attachment, volume):
        world.call('PUT', f'/v3/service/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}}, **SERVICE)
        world.run()
        assert self.connect(world, attachment)['attachment']['connection_info']['driver_volume_type'] == 'memory'

    @pytest.mark.parametrize('body', [{}, {'attachment': None}, {'attachment': {}}, {'attachment': {'connector': None}},
                                      {'attachment': {'connector': {}}}, {'attachment': {'connector': 'x'}},
                                      {'attachment': {'connector': {'host': 'h'}, 'x': 1}}])
    def test_wrong(self, world, attachment, body):
        before = world.rows()
        world.refused(400, 'PUT', f'/attachments/{attachment}', body, **SERVICE)
        assert world.rows() == before

    def test_another_projects(self, world, attachment):
        world.refused(404, 'PUT', f'/attachments/{attachment}', {'attachment': {'connector': CONNECTOR}}, project='p2')

    def test_unknown(self, world):
        world.refused(404, 'PUT', f'/attachments/{ELSEWHERE}', {'attachment': {'connector': CONNECTOR}}, **SERVICE)


class TestComplete:

    def test_volume_is_in_use(self, world, volume, server):
        attachment = world.attach(volume, server)
        shown = world.volume(volume)
        assert shown['status'] == 'in-use'
        (used,) = shown['attachments']
        assert set(used) == {'server_id', 'attachment_id', 'attached_at', 'host_name', 'volume_id', 'device', 'id'}
        assert (used['server_id'], used['attachment_id'], used['id'], used['device'], used['host_name']) == (
            server, attachment, volume, '/dev/vdb', None)
        assert used['attached_at']

    def test_administrators_see_the_host(self, world, volume, server):
        world.attach(volume, server)
        assert world.volume(volume, **ADMIN)['attachments'][0]['host_name'] == 'host1'

    def test_came_with_3_44(self, world, volume, server):
        id = world.attach(volume, server, complete=False)
        assert world.call('POST', f'/v3/service/attachments/{id}/action', {'os-complete': None}, version='3.43',
                          **SERVICE).status == 400

    def test_of_a_server_on_no_host(self, world, volume, server):
        """A shelved one has its volumes without a connection; they can grow, and it gets a connection later."""
        id = reserve(world, volume, server)['attachment']['id']
        world.post(f'/attachments/{id}/action', {'os-complete': None}, 204, **SERVICE)
        assert world.volume(volume)['status'] == 'in-use'
        world.nova.servers[server]['host'] = None
        assert world.extend(volume, 2).status == 202
        world.run()
        assert (world.volume(volume)['size'], world.volume(volume)['status']) == (2, 'in-use')
        with world.eager():
            world.put(f'/attachments/{id}', {'attachment': {'connector': CONNECTOR}}, **SERVICE)
        assert world.volume(volume)['status'] == 'in-use'
        assert world.driver.volumes[volume]['connected'] == ['host1']
        with world.eager():
            world.delete(f'/attachments/{id}', 200, **SERVICE)
        assert world.volume(volume)['status'] == 'available'

    @pytest.mark.parametrize('body', [{}, {'os-begin': None}, {'os-complete': None, 'x': None}, []])
    def test_wrong(self, world, volume, server, body):
        id = world.attach(volume, server, complete=False)
        world.refused(400, 'POST', f'/attachments/{id}/action', body, **SERVICE)


class TestDelete:

    def end(self, world, id, status=200, **kw):
        with world.eager():
            return world.call('DELETE', f'/v3/{kw.get("project", "p1")}/attachments/{id}', **kw)

    def test_by_the_compute_service(self, world, volume, server):
        id = world.attach(volume, server)
        answer = self.end(world, id, **SERVICE)
        assert (answer.status, answer.json) == (200, {'attachments': []})
        assert world.volume(volume)['status'] == 'available' and world.volume(volume)['attachments'] == []
        assert world.driver.volumes[volume]['connected'] == []

    def test_by_the_compute_service_with_its_users_token(self, world, volume, server):
        id = world.attach(volume, server)
        assert self.end(world, id, x_service_roles='service').status == 200

    @pytest.mark.parametrize('who', [{}, ADMIN])
    def test_behind_its_back(self, world, volume, server, who):
        """CVE-2023-2088."""
        id = world.attach(volume, server)
        before = world.rows()
        answer = self.end(world, id, **who)
        assert answer.status == 409 and server in answer.message and 'compute' in answer.message
        assert world.rows() == before

    def test_when_the_server_has_it_no_more(self, world, volume, server):
        id = world.attach(volume, server)
        world.nova.servers[server]['volumes'].clear()
        assert self.end(world, id).status == 200

    def test_when_the_server_has_it_by_another_attachment(self, world, volume, server):
        id = world.attach(volume, server)
        world.nova.servers[server]['volumes'][volume] = ELSEWHERE
        assert self.end(world, id).status == 200

    def test_when_the_server_is_on_its_way_to_another_host(self, world, volume, server):
        id = world.attach(volume, server)
        second = world.attach(volume, server, complete=False, host='host2')
        world.nova.servers[server]['task_state'] = 'resize_migrating'
        assert [self.end(world, one).status for one in (id, second)] == [409, 409]
        world.nova.servers[server]['task_state'] = None
        assert self.end(world, second).status == 200

    def test_when_the_server_is_gone(self, world, volume, server):
        id = world.attach(volume, server)
        world.nova.servers.clear()
        assert self.end(world, id).status == 200

    @pytest.mark.parametrize('status', [401, 403, 500, 503])
    def test_when_compute_cannot_tell(self, world, volume, server, status):
        id = world.attach(volume, server)
        world.nova.broken['GET .*'] = status
        before = world.rows()
        assert self.end(world, id).status in (409, 503) and world.rows() == before

    def test_of_a_reservation(self, world, volume, server):
        id = reserve(world, volume, server)['attachment']['id']
        assert self.end(world, id).status == 200
        assert world.volume(volume)['status'] == 'available'

    def test_another_projects(self, world, volume, server):
        id = world.attach(volume, server)
        assert self.end(world, id, project='p2').status == 404

    def test_reader_may_not(self, world, volume, server):
        id = reserve(world, volume, server)['attachment']['id']
        assert self.end(world, id, roles='reader').status == 403

    def test_unknown(self, world):
        assert self.end(world, ELSEWHERE).status == 404

    def test_ends_a_growth_that_waits_for_the_host(self, world, volume, server):
        id = world.attach(volume, server)
        world.nova.busy = True
        world.extend(volume, 2)
        world.run()
        assert self.end(world, id, **SERVICE).status == 200
        assert world.get(f'/operations?volume_id={volume}&state=live')['operations'] == []
        assert world.volume(volume)['status'] == 'available'


class TestRead:

    def test_show(self, world, volume, server):
        id = world.attach(volume, server)
        shown = world.get(f'/attachments/{id}')['attachment']
        assert set(shown) == DETAIL and (shown['status'], shown['attach_mode']) == ('attached', 'rw')

    def test_list(self, world, volume, server):
        id = world.attach(volume, server)
        assert world.get('/attachments') == {'attachments': [
            {'id': id, 'status': 'attached', 'instance': server, 'volume_id': volume}]}

    def test_detail(self, world, volume, server):
        world.attach(volume, server)
        assert set(world.get('/attachments/detail')['attachments'][0]) == DETAIL

    @pytest.mark.parametrize('query, found', [
        ('volume_id={volume}', 1), ('instance_id={server}', 1), ('status=attached', 1), ('status=reserved', 0),
        ('volume_id=x', 0), ('instance_id={server}&volume_id={volume}', 1), ('limit=0', 0),
        ('attach_status=attached', 1)])
    def test_filters(self, world, volume, server, query, found):
        world.attach(volume, server)
        query = query.format(volume=volume, server=server)
        assert len(world.get(f'/attachments?{query}')['attachments']) == found

    def test_of_all_projects(self, world, volume, server):
        id = world.attach(volume, server)
        found = world.get(f'/attachments?all_tenants=1&instance_id={server}&volume_id={volume}', **SERVICE,
                          version='3.44')
        assert [attachment['id'] for attachment in found['attachments']] == [id]

    def test_another_projects(self, world, volume, server):
        id = world.attach(volume, server)
        world.refused(404, 'GET', f'/attachments/{id}', project='p2')
        assert world.get('/attachments?all_tenants=1', project='p2') == {'attachments': []}

    def test_unknown_filter(self, world):
        world.refused(400, 'GET', '/attachments?colour=red')

    @pytest.mark.parametrize('method, path', [('GET', ''), ('GET', '/detail'), ('GET', f'/{ELSEWHERE}'), ('POST', ''),
                                              ('PUT', f'/{ELSEWHERE}'), ('DELETE', f'/{ELSEWHERE}')])
    def test_came_with_3_27(self, world, method, path):
        assert world.call(method, f'/v3/p1/attachments{path}', {}, version='3.26', **ADMIN).status == 404


class TestServerOnItsWay:
    """A server that moves has a volume that only one may have, by an attachment for each of its hosts."""

    @pytest.fixture
    def first(self, world, volume, server):
        return world.attach(volume, server)

    def end(self, world, id):
        with world.eager():
            return world.delete(f'/attachments/{id}', 200, **SERVICE)['attachments']

    def test_each_host_is_connected(self, world, volume, server, first):
        second = world.attach(volume, server, complete=False, host='host2')
        assert world.driver.volumes[volume]['connected'] == ['host1', 'host2']
        assert (world.volume(volume)['status'], first != second) == ('in-use', True)
        reserve(world, volume, ELSEWHERE, 400)

    @pytest.mark.parametrize('ends, left', [(0, 'host2'), (1, 'host1')])
    def test_either_may_end(self, world, volume, server, first, ends, left):
        both = first, world.attach(volume, server, host='host2')
        assert [one['id'] for one in self.end(world, both[ends])] == [both[1 - ends]]
        assert (world.volume(volume)['status'], world.driver.volumes[volume]['connected']) == ('in-use', [left])

    def test_first_ends_before_the_second_is_complete(self, world, volume, server, first):
        second = world.attach(volume, server, complete=False, host='host2')
        self.end(world, first)
        assert world.volume(volume)['status'] == 'attaching'
        reserve(world, volume, ELSEWHERE, 400)
        world.post(f'/attachments/{second}/action', {'os-complete': None}, 204, **SERVICE)
        assert world.volume(volume)['status'] == 'in-use'

    def test_to_the_same_host(self, world, volume, server, first):
        self.end(world, world.attach(volume, server))
        assert world.driver.volumes[volume]['connected'] == ['host1']

    @pytest.mark.parametrize('status', ['extending', 'error_extending', 'in-use', 'detaching'])
    def test_whatever_goes_on_with_it(self, world, volume, server, first, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        reserve(world, volume, server)
        assert world.volume(volume)['status'] == status

    def test_is_told_of_a_growth_once(self, world, volume, server, first):
        world.attach(volume, server, host='host2')
        world.extend(volume, 2)
        world.run()
        assert world.nova.told() == [(server, volume)]

    def test_growth_goes_on_with_the_attachment_that_is_left(self, world, volume, server, first):
        second = world.attach(volume, server, host='host2')
        world.nova.busy = True
        world.extend(volume, 2)
        world.run()
        self.end(world, second)
        live, = world.get(f'/operations?volume_id={volume}&state=live')['operations']
        assert live['name'] == 'tell-server'
        world.nova.finish()
        world.wait()
        world.run()
        assert world.nova.told() == [(server, volume)] * 2
        assert world.get(f'/operations?volume_id={volume}&state=live')['operations'] == []

    def test_grown_while_only_the_second_is_left(self, world, volume, server, first):
        world.extend(volume, 2)
        second = reserve(world, volume, server)['attachment']['id']
        self.end(world, first)
        world.run()
        assert world.volume(volume)['status'] == 'reserved'
        self.end(world, second)
        assert world.volume(volume)['status'] == 'available'


class TestSeveralServers:

    @pytest.fixture
    def volume(self, world):
        world.post('/types', {'volume_type': {'name': 'm', 'extra_specs': {'multiattach': '<is> True'}}}, 200, **ADMIN)
        return world.create(volume_type='m')

    def test_have_it_at_once(self, world, volume):
        first, second = world.attach(volume), world.attach(volume)
        assert [used['attachment_id'] for used in world.volume(volume)['attachments']] == [first, second]

    def test_each_is_told_of_a_growth(self, world, volume):
        servers = [world.nova.boot(), world.nova.boot()]
        for server in servers:
            world.attach(volume, server)
        world.extend(volume, 2)
        world.run()
        assert sorted(world.nova.told()) == sorted((server, volume) for server in servers)

    def test_volume_is_in_use_until_the_last_is_gone(self, world, volume):
        first, second = world.attach(volume), world.attach(volume)
        with world.eager():
            left = world.delete(f'/attachments/{first}', 200, **SERVICE)
            assert [attachment['id'] for attachment in left['attachments']] == [second]
            assert world.volume(volume)['status'] == 'in-use'
            world.delete(f'/attachments/{second}', 200, **SERVICE)
        assert world.volume(volume)['status'] == 'available'

    def test_policy_of_bootable_volumes(self, world, volume):
        world.act(volume, 'os-set_bootable', {'bootable': True}, 200)
        world.attach(volume)
        world.rules('"volume:multiattach_bootable_volume": "!"')
        assert 'multiattach_bootable' in world.refused(403, 'POST', '/attachments', {'attachment': {
            'volume_uuid': volume, 'instance_uuid': world.nova.boot()}}, **SERVICE)
