import pytest

from tests.api.computesvc.world import World


@pytest.fixture
def world(tmp_path):
    made = World(f'sqlite:///{tmp_path}/compute.sqlite', tmp_path)
    yield made
    made.service.db.dispose()
