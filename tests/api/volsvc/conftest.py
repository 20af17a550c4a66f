import pytest

from tests.api.volsvc.world import World


@pytest.fixture
def make_world(tmp_path):
    """World(**overrides), closed at the end."""
    made = []

    def make(**overrides):
        made.append(World(tmp_path, **overrides))
        return made[-1]
    yield make
    for world in made:
        world.service.db.dispose()


@pytest.fixture
def world(make_world):
    return make_world()
