"""Examples of what fills and empties whole volumes, for the matrix."""
from svckit.operations.testing import comparable
from tests.operations.volsvc_examples import VolumeExample, _live, _snapped
from volsvc.operations import revert_volume


class RevertExample(VolumeExample):
    """After a failure (not a refusal) nobody knows what the volume holds: it is in error, and its snapshot is whole."""

    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        snapshot = self.snapshot()
        assert [row['status'] for row in snapshot['snapshots']] == ['available']
        assert [row['status'] for row in snapshot['volumes']] == ['available' if op.refused else 'error']
        snapshot['volumes'][0]['status'] = 'available'
        assert comparable(snapshot) == before


def _changed(world):
    """A snapshot whose volume has been written to since."""
    snapshot = _snapped(world)
    world.driver.volumes[snapshot.volume_id]['data'] = b'written since'
    return snapshot


def _revert(world, snapshot):
    revert_volume.request(world.context(), world.row(snapshot.volume_id), snapshot.id)
    return _live(world, 'revert-volume')


EXAMPLES = {
    'revert-volume': lambda url, folder: RevertExample(url, folder, _changed, _revert),
}
