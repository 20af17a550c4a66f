"""Servers that are deleted on their way from one host to another."""
import pytest

from computesvc.operations import registry
from tests.api.computesvc import moving
from tests.api.computesvc.moving import boot, die_in, guests, migrations, resize, resized, used


@pytest.fixture
def world(tmp_path):
    yield from moving.two_hosts(tmp_path)


def test_deleted_while_it_is_looked_at(world):
    server_id = resized(world)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert_gone(world, server_id)


def assert_gone(world, server_id):
    assert world.call('GET', f'/v2.1/servers/{server_id}').status == 404
    assert guests(world) == {'host1': [], 'host2': []}
    assert world.volumes.attachments == {}
    assert used(world) == ((0, 0, 0), {'host1': 0, 'host2': 0})
    assert not list(world.folder.rglob('*.raw*'))
    assert [m[1] for m in migrations(world)] in (['error'], ['confirmed'], [])


def steps(name):
    return [step.name for step in registry()[name, 1].steps]


EVERY_STEP = [*(('resize', step) for step in steps('resize-server')),
              *(('revertResize', step) for step in steps('revert-resize'))]


@pytest.mark.parametrize('verb, step', EVERY_STEP)
def test_deleted_in_every_step(world, verb, step):
    """Whose worker died when it had its effect, before anybody was told."""
    world.flavor('one', disk=1, swap=1)
    world.flavor('two', disk=2, ram=128)
    server_id = boot(world, 'one', world.images.add(b'x'))
    world.attach(server_id)
    resize(world, server_id, 'two')
    if verb == 'revertResize':
        world.run()
        world.act(server_id, verb)
    die_in(world, step)
    assert world.call('DELETE', f'/v2.1/servers/{server_id}').status == 204
    world.run()
    assert_gone(world, server_id)
