"""Examples of what fills and empties whole volumes, for the matrix."""
from svckit.operations.testing import comparable
from tests.operations.volsvc_examples import VolumeExample, _live, _snapped
from volsvc.operations import revert_volume, upload_volume


class RevertExample(VolumeExample):
    """After a failure (not a refusal) nobody knows what the volume holds: it is in error, and its snapshot is whole."""

    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        snapshot = self.snapshot()
        assert [row['status'] for row in snapshot['snapshots']] == ['available']
        assert [row['status'] for row in snapshot['volumes']] == ['available' if op.refused else 'error']
        snapshot['volumes'][0]['status'] = 'available'
        assert comparable(snapshot) == before


class UploadExample(VolumeExample):
    """The image service is part of what is visible."""

    def snapshot(self):
        return super().snapshot() | {'images': self.world.glance.state()}


def _changed(world):
    """A snapshot whose volume has been written to since."""
    snapshot = _snapped(world)
    world.driver.volumes[snapshot.volume_id]['data'] = b'written since'
    return snapshot


def _revert(world, snapshot):
    revert_volume.request(world.context(), world.row(snapshot.volume_id), snapshot.id)
    return _live(world, 'revert-volume')


def _written(world):
    """A volume with something in it, that a server has."""
    volume = world.made()
    world.driver.volumes[volume.id]['data'] = b'what it holds'
    world.connected(volume)
    return world.row(volume.id)


def _upload(world, volume):
    upload_volume.request(world.context(), volume, name='image', disk_format='raw', container_format='bare',
                          visibility='private', protected=True, in_use=True)
    return _live(world, 'upload-volume')


EXAMPLES = {
    'upload-volume': lambda url, folder: UploadExample(url, folder, _written, _upload),
    'revert-volume': lambda url, folder: RevertExample(url, folder, _changed, _revert),
}
