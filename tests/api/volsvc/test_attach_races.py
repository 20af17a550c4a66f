"""Clients of both attach sequences at one volume at once, on each database: one has it, and nothing stays."""
import concurrent.futures
import itertools
import time
import uuid

import pytest

from tests.api.volsvc.world import CONNECTOR, SERVICE
from tests.conftest import KINDS

CLIENTS = 8


@pytest.fixture(params=KINDS)
def world(request, make_world, all_databases):
    world = make_world(database__connection=all_databases.wiped(request.param, 'volsvc races'))
    # Those who wait must not let the time pass that another one needs: a clock that jumps made them give up (503).
    world.clock.sleep = time.sleep
    return world


@pytest.fixture
def volume(world):
    return world.create()


def at_once(*asks) -> list[int]:
    """The statuses that so many threads get, each with its turn of `asks`."""
    turns = itertools.islice(itertools.cycle(asks), CLIENTS)
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return [answer.status for answer in pool.map(lambda ask: ask(), turns)]


def action(world, volume, name, value=None):
    return lambda: world.call('POST', f'/v3/service/volumes/{volume}/action', {name: value}, **SERVICE)


def rows(world):
    return world.get('/attachments')['attachments']


def test_of_both_kinds_of_reservation_one_wins(world, volume):
    found = at_once(action(world, volume, 'os-reserve'), lambda: world.call('POST', '/v3/service/attachments', {
        'attachment': {'volume_uuid': volume, 'instance_uuid': str(uuid.uuid4())}}, **SERVICE))
    assert sorted(found)[0] in (200, 202) and len([status for status in found if status < 300]) == 1, found
    assert set(found) <= {200, 202, 400, 409} and len(rows(world)) == 1
    assert world.volume(volume)['status'] == ('attaching' if 202 in found else 'reserved')


def test_of_many_servers_one_gets_it(world, volume):
    servers = [str(uuid.uuid4()) for _ in range(CLIENTS)]
    found = at_once(*[action(world, volume, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdb'})
                      for server in servers])
    assert sorted(found)[0] == 202 and found.count(202) == 1 and set(found) == {202, 400}
    (used,) = world.volume(volume)['attachments']
    assert used['server_id'] == servers[found.index(202)] and len(rows(world)) == 1


def test_given_up_and_attached_at_once(world, volume):
    """The one or the other; never in use without an attachment, nor available with one."""
    world.act(volume, 'os-reserve', **SERVICE)
    server = str(uuid.uuid4())
    found = at_once(action(world, volume, 'os-unreserve'),
                    action(world, volume, 'os-attach', {'instance_uuid': server, 'mountpoint': '/dev/vdb'}))
    assert set(found) <= {202, 400, 404, 409}
    assert (world.volume(volume)['status'], len(rows(world))) in (('in-use', 1), ('available', 0))


def test_detached_by_many_at_once(world, volume):
    world.act(volume, 'os-reserve', **SERVICE)
    with world.eager():
        world.act(volume, 'os-initialize_connection', {'connector': CONNECTOR}, 200, **SERVICE)
    world.act(volume, 'os-attach', {'instance_uuid': str(uuid.uuid4()), 'mountpoint': '/dev/vdb'}, **SERVICE)
    with world.eager():
        found = at_once(action(world, volume, 'os-terminate_connection', {'connector': CONNECTOR}),
                        action(world, volume, 'os-detach'))
    assert 202 in found and set(found) <= {202, 404, 409}, found
    with world.eager():
        world.act(volume, 'os-detach', None, **SERVICE)
    assert (world.volume(volume)['status'], rows(world)) == ('available', [])
    assert world.driver.volumes[volume]['connected'] == []
