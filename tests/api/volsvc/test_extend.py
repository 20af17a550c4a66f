"""Grow a volume: every check in its order, and the three ends that compute can give it."""
import pytest

from tests.api.volsvc.world import ADMIN, GIB

MiB = 2 ** 20


@pytest.fixture
def volume(world):
    return world.create(1)


@pytest.fixture
def used(world, volume):
    """A volume that a server uses."""
    world.attach(volume)
    return volume


def messages(world):
    return [message['user_message'] for message in world.get('/messages')['messages']]


def growths(world, volume):
    return [op for op in world.get(f'/operations?volume_id={volume}')['operations'] if op['name'] == 'extend-volume']


class TestDetached:

    def test_grows(self, world, volume):
        answer = world.extend(volume, 2)
        assert (answer.status, answer.raw) == (202, b'')
        assert world.volume(volume)['status'] == 'extending'
        world.run()
        shown = world.volume(volume)
        assert (shown['status'], shown['size']) == ('available', 2)
        assert world.driver.volumes[volume]['size'] == 2 * GIB

    def test_size_is_the_old_one_until_it_is_true(self, world, volume):
        world.extend(volume, 2)
        assert world.volume(volume)['size'] == 1

    def test_at_the_lowest_microversion(self, world, volume):
        assert world.extend(volume, 2, version='3.0').status == 202

    def test_quota_is_taken_at_once(self, world, volume):
        world.extend(volume, 5)
        assert world.used()['gigabytes'] == 5

    def test_quota_is_exact_at_the_end(self, world, volume):
        world.extend(volume, 5)
        world.run()
        assert world.used() == {'volumes': 1, 'gigabytes': 5, 'volumes___DEFAULT__': 1, 'gigabytes___DEFAULT__': 5}

    def test_nobody_is_told(self, world, volume):
        world.extend(volume, 2)
        world.run()
        assert world.nova.calls == []


class TestWrongSizes:

    @pytest.mark.parametrize('raw', ['"two"', '"2"', 'null', '0', '-1', '1.5', '2.0', 'true', 'false', '[]', '{}',
                                     '2147483648', '1' + 30 * '0', '-1' + 30 * '0', '1e3', 'NaN', 'Infinity'])
    def test_is_no_size(self, world, volume, raw):
        before = world.rows()
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', raw=b'{"os-extend": {"new_size": %s}}'
                            % raw.encode())
        assert answer.status == 400 and answer.fault[0] == 'badRequest' and len(answer.message) > 10
        assert world.rows() == before

    @pytest.mark.parametrize('raw', ['{"os-extend": {}}', '{"os-extend": null}', '{"os-extend": 2}',
                                     '{"os-extend": [2]}', '{"os-extend": {"new_size": 2, "more": 1}}',
                                     '{"os-extend": {"size": 2}}',
                                     '{"os-extend": {"new_size": 2}, "os-reset_status": {}}', '{}', '[]', '2', '"x"',
                                     '', '{"os-extend": {"new_size": 2}', '{"os-extend": {"new_size": 2}}}', '\xff',
                                     '{"os-nothing": {"new_size": 2}}'])
    def test_is_no_such_request(self, world, volume, raw):
        before = world.rows()
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', raw=raw.encode('latin-1'))
        assert answer.status == 400 and answer.fault[0] == 'badRequest' and len(answer.message) > 10
        assert world.rows() == before

    def test_message_names_the_field(self, world, volume):
        assert 'new_size' in world.extend(volume, 'two').message

    @pytest.mark.parametrize('size', [1, 2])
    def test_must_be_greater(self, world, size):
        id = world.create(2)
        before = world.rows()
        answer = world.extend(id, size)
        assert answer.status == 400
        assert 'must be greater than current size' in answer.message
        assert world.rows() == before

    def test_body_over_64_kib(self, world, volume):
        before = world.rows()
        raw = b'{"os-extend": {"new_size": 2}, "x": "%s"}' % (b'x' * 65536)
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', raw=raw)
        assert answer.status == 413 and answer.fault[0] == 'overLimit'
        assert world.rows() == before


class TestWhoMay:

    def test_unknown_volume(self, world):
        id = '11111111-1111-1111-1111-111111111111'
        answer = world.extend(id, 2)
        assert (answer.status, answer.fault) == (404, ('itemNotFound', f'Volume {id} could not be found.'))

    def test_id_that_is_none(self, world):
        assert world.extend('not-an-id', 2).status == 404

    def test_schema_comes_before_the_look_up(self, world):
        assert world.extend('not-an-id', 'two').status == 400

    def test_another_projects_volume(self, world, volume):
        before = world.rows()
        answer = world.call('POST', f'/v3/p2/volumes/{volume}/action', {'os-extend': {'new_size': 2}}, project='p2')
        assert answer.status == 404 and world.rows() == before

    def test_administrator_may_in_another_project(self, world, volume):
        world.post(f'/volumes/{volume}/action', {'os-extend': {'new_size': 2}}, project='p9', **ADMIN)
        assert world.used()['gigabytes'] == 2

    def test_reader_may_not(self, world, volume):
        before = world.rows()
        answer = world.extend(volume, 2, roles='reader')
        assert answer.status == 403 and 'volume:extend' in answer.message
        assert world.rows() == before

    def test_policy_of_volumes_in_use(self, world, used):
        world.rules('"volume:extend_attached_volume": "role:admin"')
        answer = world.extend(used, 2)
        assert answer.status == 403 and 'volume:extend_attached_volume' in answer.message

    def test_policy_of_volumes_in_use_does_not_touch_others(self, world, volume):
        world.rules('"volume:extend_attached_volume": "role:admin"')
        assert world.extend(volume, 2).status == 202

    def test_policy_comes_before_the_status(self, world, volume):
        world.act(volume, 'os-reset_status', {'status': 'error'}, **ADMIN)
        assert world.extend(volume, 2, roles='reader').status == 403


class TestStatus:

    @pytest.mark.parametrize('status', ['creating', 'error', 'deleting', 'reserved', 'attaching', 'detaching',
                                        'extending', 'maintenance', 'error_deleting'])
    def test_must_rest(self, world, volume, status):
        world.act(volume, 'os-reset_status', {'status': status}, **ADMIN)
        before = world.rows()
        answer = world.extend(volume, 2)
        assert answer.status == 400 and status in answer.message
        assert world.rows() == before

    def test_twice(self, world, volume):
        world.extend(volume, 2)
        assert world.extend(volume, 3).status == 400
        assert world.used()['gigabytes'] == 2

    def test_reserved_even_for_a_server(self, world, volume):
        world.attach(volume, complete=False)
        answer = world.extend(volume, 2)
        assert answer.status == 400 and 'attaching' in answer.message

    @pytest.mark.parametrize('version', ['3.0', '3.41'])
    def test_in_use_below_3_42(self, world, used, version):
        before = world.rows()
        answer = world.extend(used, 2, version=version)
        assert answer.status == 400 and '3.42' in answer.message
        assert world.rows() == before

    def test_in_use_at_3_42(self, world, used):
        assert world.extend(used, 2, version='3.42').status == 202

    def test_status_comes_before_the_size(self, world, used):
        assert '3.42' in world.extend(used, 1, version='3.41').message


class TestRoom:

    def test_quota(self, world, volume):
        world.put('/os-quota-sets/p1', {'quota_set': {'gigabytes': 4}}, **ADMIN)
        before = world.rows()
        answer = world.extend(volume, 5)
        assert answer.status == 413
        name, message = 'overLimit', answer.json['overLimit']['message']
        assert list(answer.json) == [name] and '4 more' in message and '1 of 4' in message
        assert answer.headers['Retry-After'] == '0' and answer.json['overLimit']['retryAfter'] == '0'
        assert world.rows() == before

    def test_quota_to_the_last(self, world, volume):
        world.put('/os-quota-sets/p1', {'quota_set': {'gigabytes': 4}}, **ADMIN)
        assert world.extend(volume, 4).status == 202

    def test_quota_of_the_volumes_project(self, world, volume):
        world.put('/os-quota-sets/p1', {'quota_set': {'gigabytes': 4}}, **ADMIN)
        answer = world.call('POST', f'/v3/p9/volumes/{volume}/action', {'os-extend': {'new_size': 5}},
                            project='p9', **ADMIN)
        assert answer.status == 413

    def test_limit_of_one_volume(self, world, volume):
        world.put('/os-quota-sets/p1', {'quota_set': {'per_volume_gigabytes': 3}}, **ADMIN)
        answer = world.extend(volume, 4)
        assert answer.status == 413 and '3 GiB' in answer.json['overLimit']['message']

    def test_backend(self, world, volume):
        before = world.rows()
        answer = world.extend(volume, 500)
        assert answer.status == 400 and 'no room' in answer.message
        assert world.rows() == before

    def test_type(self, world):
        world.post('/types', {'volume_type': {'name': 'small', 'extra_specs': {'provisioning:max_vol_size': '3'}}}, 200,
                   **ADMIN)
        id = world.create(1, volume_type='small')
        answer = world.extend(id, 4)
        assert answer.status == 400 and 'small' in answer.message


class TestDriverThatCannotGrowOnline:
    """The first of three: it is said before anything is promised."""

    @pytest.fixture
    def world(self, make_world):
        return make_world(memory__online_extend=False)

    def test_refuses_and_names_the_driver(self, world, used):
        before = world.rows()
        answer = world.extend(used, 2)
        assert answer.status == 400 and 'MemoryDriver' in answer.message and used in answer.message
        assert world.rows() == before

    def test_asks_nobody(self, world, used):
        asked = len(world.nova.calls)
        world.extend(used, 2)
        assert world.nova.calls[asked:] == []

    def test_grows_what_nobody_uses(self, world, volume):
        assert world.extend(volume, 2).status == 202


class TestComputeThatCannotTakeTheEvent:
    """The second: refused before anything changed, or grown, and the user is told."""

    def test_host_that_never_can_refuses(self, world, used):
        world.nova.hosts['host1']['extend_attached'] = False
        assert world.extend(used, 2).status == 202
        world.run()
        shown = world.volume(used)
        assert (shown['status'], shown['size']) == ('in-use', 1)
        assert world.driver.volumes[used]['size'] == GIB and world.nova.told() == []
        assert world.used()['gigabytes'] == 1

    def test_host_that_never_can_is_named_to_the_user(self, world, used):
        world.nova.hosts['host1']['extend_attached'] = False
        world.extend(used, 2)
        world.run()
        (message,) = messages(world)
        assert 'keeps its size' in message and 'cannot grow a disk in use' in message

    def test_operation_says_so(self, world, used):
        world.nova.hosts['host1']['extend_attached'] = False
        world.extend(used, 2)
        world.run()
        (op,) = growths(world, used)
        assert op['state'] == 'undone' and 'cannot grow a disk in use' in op['error']

    def test_protocol_that_the_host_does_not_know(self, world, used):
        world.nova.hosts['host1']['protocols'] = ['iscsi']
        world.extend(used, 2)
        world.run()
        assert world.volume(used)['size'] == 1 and 'memory' in messages(world)[0]

    def test_silent_host_is_no_obstacle(self, world, used):
        world.nova.hosts['host1'] = {'extend_attached': False, 'state': 'up'}
        world.nova.broken['GET .*'] = 503
        world.extend(used, 2)
        world.run()
        assert world.volume(used)['size'] == 2

    def test_plain_nova_cannot_tell_and_gets_the_event(self, world, used):
        world.nova.private = False
        world.extend(used, 2)
        world.run()
        assert world.volume(used)['size'] == 2 and len(world.nova.told()) == 1

    def test_missing_role_waits_and_is_named(self, world, used):
        world.nova.broken['POST /os-server-external-events'] = 403
        world.extend(used, 2)
        world.run()
        assert world.volume(used)['status'] == 'in-use' and world.volume(used)['size'] == 2
        assert 'role' in messages(world)[0]
        (child,) = growths(world, used)[0]['children']
        assert child['state'] == 'running' and 'role' in child['error']

    def test_missing_role_given_later(self, world, used):
        world.nova.broken['POST /os-server-external-events'] = 403
        world.extend(used, 2)
        world.run()
        world.nova.broken.clear()
        assert world.nova.told() == []
        world.wait()
        world.run()
        assert len(world.nova.told()) == 1 and growths(world, used)[0]['children'][0]['state'] == 'done'

    def test_compute_that_is_down_hears_it_later(self, world, used):
        world.nova.broken['.* .*'] = 503
        world.nova.broken['POST .*'] = 503
        world.extend(used, 2)
        world.run()
        shown = world.volume(used)
        assert (shown['status'], shown['size']) == ('in-use', 2)
        world.nova.broken.clear()
        world.wait()
        world.run()
        assert len(world.nova.told()) == 1

    def test_server_that_is_gone(self, world, used):
        world.nova.servers.clear()
        world.extend(used, 2)
        world.run()
        (child,) = growths(world, used)[0]['children']
        assert child['state'] == 'done' and world.volume(used)['size'] == 2

    def test_server_on_no_host(self, world, used):
        (server,) = world.nova.servers.values()
        server['host'] = None
        world.extend(used, 2)
        world.run()
        assert growths(world, used)[0]['children'][0]['state'] == 'done'


class TestComputeThatCan:
    """The third."""

    def test_volume_and_guest(self, world, used):
        world.extend(used, 2)
        world.run()
        shown = world.volume(used)
        assert (shown['status'], shown['size']) == ('in-use', 2)
        (server,) = world.nova.servers
        assert world.nova.told() == [(server, used)]

    def test_operation_shows_its_end(self, world, used):
        world.extend(used, 2)
        world.run()
        (op,) = growths(world, used)
        assert op['state'] == 'done' and [step['state'] for step in op['steps']] == 3 * ['done']
        assert [step['name'] for step in op['steps']] == ['check_servers', 'grow_backend', 'record_size']
        (child,) = op['children']
        assert child['name'] == 'tell-server' and child['state'] == 'done'
        assert [step['name'] for step in child['steps']] == ['send_event', 'await_server']

    def test_volume_rests_while_the_guest_is_still_being_told(self, world, used):
        world.nova.busy = True
        world.extend(used, 2)
        world.run()
        shown = world.volume(used)
        assert (shown['status'], shown['size']) == ('in-use', 2)
        assert growths(world, used)[0]['children'][0]['state'] == 'running'

    def test_guest_that_takes_its_time(self, world, used):
        world.nova.busy = True
        world.extend(used, 2)
        world.run()
        world.nova.finish()
        world.wait()
        world.run()
        assert growths(world, used)[0]['children'][0]['state'] == 'done'

    def test_second_extend_folds_into_the_first_event(self, world, used):
        world.nova.busy = True
        world.extend(used, 2)
        world.run()
        assert world.extend(used, 3).status == 202
        world.run()
        assert world.volume(used)['size'] == 3 and len(world.nova.told()) == 2
        world.nova.finish()
        world.wait()
        world.run()
        live = world.get(f'/operations?volume_id={used}&state=live')['operations']
        assert live == []

    def test_host_that_fails_is_told_to_the_user(self, world, used):
        world.nova.result = 'Error'
        world.extend(used, 2)
        for _ in range(6):
            world.run()
            world.wait(600)
        assert 'does not show the new size' in messages(world)[0]
        assert world.volume(used)['size'] == 2


class TestFailure:

    @pytest.fixture
    def failed(self, world, volume):
        """A volume that could not grow."""
        world.driver.extend = lambda *a: (_ for _ in ()).throw(RuntimeError('the array is on fire'))
        world.extend(volume, 2)
        for _ in range(12):
            world.run()
            world.wait(100)
        del world.driver.extend
        return volume

    def test_keeps_its_size_and_says_so(self, world, failed):
        shown = world.volume(failed)
        assert (shown['status'], shown['size']) == ('error_extending', 1)
        assert world.used()['gigabytes'] == 1
        assert 'keeps its size' in messages(world)[0]

    def test_owner_extends_again(self, world, failed):
        assert world.extend(failed, 3).status == 202
        world.run()
        shown = world.volume(failed)
        assert (shown['status'], shown['size']) == ('available', 3) and world.used()['gigabytes'] == 3

    def test_policy_of_errored_volumes(self, world, failed):
        world.rules('"volume:extend_errored": "role:admin"')
        answer = world.extend(failed, 3)
        assert answer.status == 403 and 'volume:extend_errored' in answer.message

    def test_owner_deletes_it(self, world, failed):
        world.delete(f'/volumes/{failed}')
        world.run()
        world.get(f'/volumes/{failed}', 404)
        assert world.used() == {}


class TestSizeThatNobodyKnows:

    @pytest.fixture
    def stuck(self, world, volume):
        """A volume whose extend came to a halt: its backend says nothing."""
        world.driver.size = lambda volume: (_ for _ in ()).throw(RuntimeError('no answer from the array'))
        world.extend(volume, 3)
        for _ in range(20):
            world.run()
            world.wait(100)
        del world.driver.size
        return volume

    def test_is_visible_and_says_so(self, world, stuck):
        assert world.volume(stuck)['status'] == 'error_extending'
        (op,) = growths(world, stuck)
        assert op['state'] == 'stuck' and op['id'] in messages(world)[0]

    def test_owner_extends_again(self, world, stuck):
        assert world.extend(stuck, 4).status == 202
        world.run()
        assert world.volume(stuck)['size'] == 4 and world.used()['gigabytes'] == 4

    def test_owner_deletes_it(self, world, stuck):
        world.delete(f'/volumes/{stuck}')
        world.run()
        assert world.used() == {}

    def test_administrator_resets_its_status(self, world, stuck):
        world.act(stuck, 'os-reset_status', {'status': 'available'}, **ADMIN)
        assert world.volume(stuck)['status'] == 'available' and world.used()['gigabytes'] == 1
        assert world.get('/operations?state=live')['operations'] == []
