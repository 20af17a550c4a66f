import shutil

import pytest

from tests.api.volsvc.world import World


@pytest.fixture(scope='session')
def migrated(tmp_path_factory):
    """A database with the newest schema and nothing in it, to be copied: migrating takes longer than most tests."""
    world = World(tmp_path_factory.mktemp('migrated'), report=False)
    world.service.db.dispose()
    return world.file


@pytest.fixture
def make_world(tmp_path, migrated):
    """World(**overrides), closed at the end; whatever was asked of it, its quota has not leaked."""
    made = []

    def make(**overrides):
        if not made:
            shutil.copy(migrated, tmp_path)
        made.append(World(tmp_path, **overrides))
        return made[-1]
    yield make
    leaks = [found for world in made for found in world.wrong_usage()]
    for world in made:
        world.service.db.dispose()
    assert not leaks, 'what is recorded as in use is not what there is'


@pytest.fixture
def world(make_world):
    return make_world()
