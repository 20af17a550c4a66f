"""One example of every operation of volsvc, for the matrix."""
from svckit import operations
from svckit.operations.testing import Example, comparable
from tests.operations.volsvc_world import World
from volsvc.db import attachments
from volsvc.operations import (
    connect_attachment,
    create_snapshot,
    create_volume,
    delete_attachment,
    delete_snapshot,
    delete_volume,
    end_connection,
    extend_volume,
)


class VolumeExample(Example):
    """`prepare(world)` makes what `ask(world, prepared)` is asked of; `failed` is the status that a volume is left
    in by a failure (not by a refusal), where it has one."""

    def __init__(self, url, folder, prepare, ask, failed=None):
        self.world = World(url, folder)
        self.db, self.registry = self.world.db, self.world.service.registry
        self.workers = self.world.worker.workers
        self.prepared = prepare(self.world)
        self._ask, self._failed = ask, failed

    def request(self):
        return self._ask(self.world, self.prepared)

    def snapshot(self):
        return self.world.snapshot()

    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        if self._failed and not op.refused:
            found = self.world.row(op.params['volume_id'])
            assert found.status == self._failed
            snapshot = self.snapshot()
            for row in snapshot['volumes']:
                if row['id'] == found.id:
                    row['status'] = self.prepared.status
            for row in snapshot['snapshots']:
                assert row['status'] == self._failed
                row['status'] = 'available'
            after = comparable(snapshot)
        assert after == before


class CreateExample(VolumeExample):
    """A volume that could not be made remains as 'error', counted, for its owner to see and delete."""

    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        id = op.params['volume_id']
        assert self.world.row(id).status == 'error'
        assert id not in self.world.driver.volumes
        delete_volume.request(self.world.context(), self.world.row(id))
        self.world.run()
        assert comparable(self.snapshot()) == before


class SnapshotExample(VolumeExample):
    """One that could not be made remains as 'error', counted, for its owner to see and delete."""

    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        snapshot = self.world.snapshot_row(op.params['snapshot_id'])
        assert snapshot.status == 'error' and not self.world.driver.snapshots
        delete_snapshot.request(self.world.context(), snapshot)
        self.world.run()
        assert comparable(self.snapshot()) == before


class EndOfSnapshotExample(VolumeExample):
    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'
        if not op.refused:
            snapshot = self.snapshot()
            assert [row['status'] for row in snapshot['snapshots']] == ['error_deleting']
            snapshot['snapshots'][0]['status'] = 'available'
            after = comparable(snapshot)
        assert after == before


class TellExample(VolumeExample):
    def expected_undone(self, before, after, op):
        assert self.world.messages(), 'the user is not told'


def _live(world, name):
    """The id of the only live operation of that name."""
    with world.db.reader() as session:
        op, = (op for op in operations.queries.find(session, 'live') if op.name == name)
    return op.id


def _create(world, source):
    create_volume.request(world.context(), size=2, source_volid=source.id, metadata={'for': 'the matrix'})
    return _live(world, 'create-volume')


def _snapshot(world, volume):
    create_snapshot.request(world.context(), volume, in_use=True, name='s', metadata={'for': 'the matrix'})
    return _live(world, 'create-snapshot')


def _snapped(world):
    """A snapshot of a volume."""
    made = create_snapshot.request(world.context(), world.made(), in_use=True)
    world.run()
    return world.snapshot_row(made.id)


def _with_snapshots(world):
    return world.row(_snapped(world).volume_id)


def _delete_snapshot(world, snapshot):
    delete_snapshot.request(world.context(), snapshot)
    return _live(world, 'delete-snapshot')


def _attached(world):
    volume = world.made()
    world.connected(volume)
    return world.row(volume.id)


def _extend(world, volume):
    extend_volume.request(world.context(), volume, 3)
    return _live(world, 'extend-volume')


def _delete(world, volume):
    delete_volume.request(world.context(), volume, cascade=True)
    return _live(world, 'delete-volume')


def _extended(world):
    """Grown; its server is still to be told."""
    volume = _attached(world)
    extend_volume.request(world.context(), volume, 3)
    world.worker.workers[0].run_due()
    return volume


def _tell(world, volume):
    return _live(world, 'tell-server')


def _reserved(world):
    volume = world.made()
    return connect_attachment.reserve(world.context(), volume, world.nova.boot())


def _connect(world, attachment):
    _without_waiting(world, lambda: connect_attachment.connect(
        world.context(), attachment, {'host': 'host1', 'mountpoint': '/dev/vdb'}))
    return _live(world, 'connect-attachment')


def _connected(world):
    """An attachment, read again: it has its connection only since it was made."""
    _, attachment = world.connected(world.made())
    with world.db.reader() as session:
        return attachments.get(session, attachment.id)


def _detach(world, attachment):
    _without_waiting(world, lambda: delete_attachment.request(world.context(roles=['service']), attachment))
    return _live(world, 'delete-attachment')


def _without_waiting(world, ask):
    """Nobody runs it yet, so the request gives up waiting at once: its time is slept away."""
    from volsvc import errors
    try:
        ask()
    except errors.BackendSilent:
        pass


def _disconnect(world, attachment):
    _without_waiting(world, lambda: end_connection.request(world.context(roles=['service']), attachment))
    return _live(world, 'end-connection')


EXAMPLES = {
    'create-volume': lambda url, folder: CreateExample(url, folder, lambda world: world.made(), _create),
    'create-snapshot': lambda url, folder: SnapshotExample(url, folder, _attached, _snapshot),
    'delete-snapshot': lambda url, folder: EndOfSnapshotExample(url, folder, _snapped, _delete_snapshot),
    'delete-volume': lambda url, folder: VolumeExample(
        url, folder, _with_snapshots, _delete, 'error_deleting'),
    'extend-volume': lambda url, folder: VolumeExample(url, folder, _attached, _extend, 'error_extending'),
    'tell-server': lambda url, folder: TellExample(url, folder, _extended, _tell),
    'connect-attachment': lambda url, folder: VolumeExample(url, folder, _reserved, _connect),
    'delete-attachment': lambda url, folder: VolumeExample(
        url, folder, _connected, _detach),
    'end-connection': lambda url, folder: VolumeExample(url, folder, _connected, _disconnect),
}
