"""A volume on its way to a server, and the server asked to move, at the same moment: one of the two waits."""
import threading

import pytest

from computesvc import errors
from computesvc.operations import server_state
from tests.api.computesvc.world import World


@pytest.fixture(params=['postgresql', 'mariadb'])
def world(request, all_databases, tmp_path):
    """SQLite has one writer at a time anyway."""
    made = World(all_databases.new(request.param), tmp_path, hosts=('host1', 'host2'))
    yield made
    made.service.db.dispose()


def test_a_move_is_not_granted_while_a_volume_is(world):
    server_id = world.boot()
    granted = threading.Event()

    def move():
        world.act(server_id, 'migrate', roles='admin')
        granted.set()
    asking = threading.Thread(target=move)
    with world.service.db.transaction() as session:
        assert server_state.pluggable(session, server_id, 'attach_volume').task_state is None
        asking.start()
        assert not granted.wait(0.5)
    asking.join()
    assert granted.is_set() and world.server(server_id)['status'] == 'RESIZE'
    with world.service.db.transaction() as session, pytest.raises(errors.InvalidState, match='resize_prep'):
        server_state.pluggable(session, server_id, 'attach_volume')
