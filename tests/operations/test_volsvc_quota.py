"""A project at its limits, on each database: however many ask at once, they get what there is, and nothing leaks."""
import threading

import pytest
from sqlalchemy import select

from svckit import operations
from tests.operations.threads import at_once
from tests.operations.volsvc_world import World
from volsvc import errors
from volsvc.cmd import manage
from volsvc.db import claims
from volsvc.db.models import Volume
from volsvc.drivers.base import DriverError, NoSpace
from volsvc.operations import create_volume, delete_volume, extend_volume

TYPE = '__DEFAULT__'


@pytest.fixture
def world(any_database, tmp_path):
    # Two hundred wait for a few connections, on a busy machine.
    made = World(any_database, tmp_path, quota__volumes=60, quota__gigabytes=70, database__pool_timeout=600)
    yield made
    made.db.dispose()


def volumes(world):
    with world.db.reader() as session:
        return list(session.execute(select(Volume).order_by(Volume.created_at, Volume.id)).unique().scalars())


def in_use(world, count, size):
    assert world.wrong_usage() == []
    assert world.used() == {'volumes': count, f'volumes_{TYPE}': count, 'gigabytes': size, f'gigabytes_{TYPE}': size}


def test_two_hundred_creates_and_extends_at_once(world):
    """Of 30 volumes and 40 GiB that are left, each wants one: 100 new volumes, and 30 volumes that grow."""
    for _ in range(30):
        create_volume.request(world.context(), size=1)
    world.run()
    there = volumes(world)

    def ask(n):
        if n % 2:
            return create_volume.request(world.context(), size=1)
        return extend_volume.request(world.context(), there[n // 2 % 30], 2)
    answers = at_once(200, ask)
    refused = [answer for answer in answers if isinstance(answer, errors.Error)]
    assert {type(answer) for answer in refused} == {errors.OverQuota, errors.InvalidStatus}
    made = len([answer for answer in answers if isinstance(answer, Volume)])
    assert (len(refused), made + answers.count(None)) == (160, 40) and made <= 30
    in_use(world, 30 + made, 70)

    growing = [volume.id for volume in volumes(world) if volume.status == 'extending']
    unlucky, extend = growing[::2], world.driver.extend

    def full(volume, size):
        if volume.id in unlucky:
            raise NoSpace('no room for it after all.')
        extend(volume, size)
    world.driver.extend = full
    worker = threading.Thread(target=world.run)
    worker.start()
    while worker.is_alive():
        worker.join(0.05)
        assert world.wrong_usage(repair=True) == []
        assert world.db.run(lambda session: claims.differences(session, repair=True)) == []
    in_use(world, 30 + made, 70 - len(unlucky))
    at_once(30 + made, lambda n: delete_volume.request(world.context(), volumes(world)[n]))
    world.run()
    assert world.used() == {} and world.wrong_usage() == []


def stuck(world, sizes):
    """Volumes of 1 GiB that came to a halt while they grew to these sizes."""
    size = world.driver.size

    def silent(volume):
        raise DriverError('the array does not answer')
    there = [world.made(1) for _ in sizes]
    world.driver.size = silent
    for volume, wanted in zip(there, sizes, strict=True):
        extend_volume.request(world.context(), volume, wanted)
    while [op for op in world.operations() if op.state in ('running', 'undoing')]:
        world.run()
        world.wait(600)
    world.driver.size = size
    return [world.row(volume.id) for volume in there]


def test_what_a_stuck_growth_holds_is_given_back_once(world):
    """Whoever wants something else of it at once: a growth, a deletion, an operator who gives it up or resumes it."""
    volumes = stuck(world, [3, 4])
    ids = [op.id for op in world.operations('extend-volume')]
    in_use(world, 2, 7)
    context = world.context()
    wishes = [lambda volume, id: extend_volume.request(context, volume, 5),
              lambda volume, id: delete_volume.request(context, volume),
              lambda volume, id: give_up(world, id),
              lambda volume, id: world.db.run(lambda session: operations.retry(session, id))]
    at_once(16, lambda n: wishes[n // 2 % 4](volumes[n % 2], ids[n % 2]))
    assert world.wrong_usage() == []
    world.run()
    assert world.wrong_usage() == []


def give_up(world, id):
    commands = manage.Commands()
    world.db.run(lambda session: commands.abandon(session, id))
