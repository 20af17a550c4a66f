"""Claims on pools' room, on each database: many want the same room at once, and none gets another's."""
import threading

import pytest
from sqlalchemy import select

from tests.operations.threads import at_once
from tests.operations.volsvc_world import GIB, World
from volsvc import errors
from volsvc.db import claims
from volsvc.db.models import Snapshot, Volume
from volsvc.operations import create_snapshot, create_volume, delete_snapshot, delete_volume, extend_volume

POOL = 'host@memory#memory'


@pytest.fixture
def world(any_database, tmp_path):
    made = World(any_database, tmp_path, quota__volumes=-1, quota__gigabytes=-1, quota__snapshots=-1)
    yield made
    made.db.dispose()


def promised(world):
    with world.db.reader() as session:
        assert claims.differences(session) == []
        return claims.promised(session)[POOL] // GIB


def statuses(world):
    with world.db.reader() as session:
        return sorted(session.scalars(select(Volume.status)))


def test_many_at_once_get_no_more_than_there_is(world):
    """A hundred GiB, and twelve clients that want ten of them each."""
    at_once(12, lambda n: create_volume.request(world.context(), size=10))
    world.run()
    assert statuses(world) == ['available'] * 10 + ['error'] * 2 and promised(world) == 100
    assert all('No valid backend' in text for text in world.messages()) and len(world.messages()) == 2


def test_growths_and_new_volumes_want_the_same_room(world):
    volumes = [world.made(10) for _ in range(8)]

    def ask(n):
        if n % 2:
            return create_volume.request(world.context(), size=10)
        return extend_volume.request(world.context(), volumes[n // 2], 20)
    answers = at_once(8, ask)
    world.run()
    grown = len([answer for answer in answers if answer is None])
    assert all(isinstance(answer, errors.BackendFull) for answer in answers[::2] if answer is not None)
    assert grown + statuses(world).count('available') - 8 == 2 and promised(world) == 100


def test_a_burst_of_creates_from_eight_clients(world):
    """As benchmarks/burst.py, with fewer: every volume is available, while the worker is at work on them."""
    world.worker.start()
    try:
        at_once(8, lambda n: [create_volume.request(world.context(), size=1) for _ in range(8)])
        end = world.clock.monotonic() + 60
        while set(statuses(world)) != {'available'}:
            assert world.clock.monotonic() < end, statuses(world)
            threading.Event().wait(0.05)
    finally:
        world.worker.stop(10)
    assert len(statuses(world)) == 64 and promised(world) == 64
    assert world.used()['volumes'] == 64


def test_what_differs_is_found_and_put_right(world):
    """Also while a volume grows, whose growth is held, too."""
    volume, gone = world.made(3), world.made(2)
    extend_volume.request(world.context(), volume, 5)
    delete_volume.request(world.context(), gone)
    assert promised(world) == 7
    world.db.run(lambda session: claims.take(session, POOL, 4 * GIB))
    with world.db.reader() as session:
        assert claims.differences(session) == [
            f'{POOL}: 11 GiB are recorded as promised, its volumes and snapshots come to 7 GiB.']
    world.db.run(lambda session: claims.differences(session, repair=True))
    assert promised(world) == 7
    world.run()
    assert promised(world) == 5


def test_a_pool_that_was_forgotten_and_is_back_has_what_is_in_it_in_its_figure(world):
    create_snapshot.request(world.context(), world.made(3), in_use=True)
    world.db.run(lambda session: session.delete(session.get(claims.Pool, POOL)))
    world.worker.report()
    assert promised(world) == 6


def snapshots(world):
    with world.db.reader() as session:
        return list(session.execute(select(Snapshot)).unique().scalars())


def test_many_snapshots_at_once_get_no_more_than_there_is(world):
    """There is room for exactly five, of whichever volume; what they gave back, exactly five others get."""
    volumes = [world.made(10) for _ in range(5)]
    for _ in range(2):
        answers = at_once(12, lambda n: create_snapshot.request(world.context(), volumes[n % 5], in_use=True))
        assert [type(answer) for answer in answers].count(errors.NoRoomForSnapshot) == 7
        world.run()
        assert [row.status for row in snapshots(world)] == ['available'] * 5 and promised(world) == 100
        assert world.used()['snapshots'] == 5 and world.wrong_usage() == []
        there = snapshots(world)
        at_once(5, lambda n, there=there: delete_snapshot.request(world.context(), there[n]))
        world.run()
        assert snapshots(world) == [] and promised(world) == 50


def test_snapshots_growths_and_new_volumes_want_the_same_room(world):
    """Two of nine get it; meanwhile the books are compared and put right, over and over."""
    volumes = [world.made(10) for _ in range(8)]

    def ask(n):
        if n == 9:
            return [world.db.run(lambda session: claims.differences(session, repair=True)) for _ in range(20)]
        if n % 3 == 0:
            return create_volume.request(world.context(), size=10)
        if n % 3 == 1:
            return extend_volume.request(world.context(), volumes[n // 3], 20)
        return create_snapshot.request(world.context(), volumes[3 + n // 3], in_use=True)
    *answers, differences = at_once(10, ask)
    assert differences == [[]] * 20
    world.run()
    refused = [type(answer) for answer in answers if isinstance(answer, errors.Error)]
    assert set(refused) <= {errors.BackendFull, errors.NoRoomForSnapshot}
    assert len(refused) + statuses(world).count('error') == 7 and promised(world) == 100


def test_what_a_snapshot_held_that_was_not_made_is_given_back_once(world):
    """Its room at once, whoever else ends it meanwhile."""
    volume = world.made(10)
    world.driver.create_snapshot = lambda *what: 1 / 0
    rows = [create_snapshot.request(world.context(), volume, in_use=True) for _ in range(2)]
    assert promised(world) == 30
    for _ in range(6):
        world.run()
        world.wait(600)
    assert [row.status for row in snapshots(world)] == ['error'] * 2 and promised(world) == 10
    at_once(2, lambda n: delete_snapshot.request(world.context(), rows[n]))
    world.run()
    assert snapshots(world) == [] and promised(world) == 10
