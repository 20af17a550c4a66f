"""One example of every operation of computesvc, for the matrix."""
import json

import sqlalchemy as sa

from computesvc.db import models
from svckit import operations
from svckit.operations.testing import Example
from tests.api.computesvc.world import World

GIB = 1024 ** 3
HIDDEN = {'operations', 'operation_events', 'services', 'hypervisors', 'flavors', 'alembic_version',
          # What was asked and how it went is the message, not a trace.
          'instance_actions', 'instance_action_events'}
TIMES = {'created_at', 'updated_at', 'launched_at', 'terminated_at', 'deleted_at', 'reservation_id'}


_DATABASES = {}      # by URL: the matrix runs many examples on the same database, wiped in between


class ComputeExample(Example):
    """`prepare(world)` makes what `ask(world, prepared)` is asked of."""

    HOSTS = ('host1',)

    def __init__(self, url, folder, prepare, ask):
        # A new engine for each run would compile every statement anew.
        self.world = World(url, folder, _DATABASES.get(url), self.HOSTS)
        _DATABASES[url] = self.world.service.db
        self.db, self.registry = self.world.service.db, self.world.service.registry
        self.workers = self.world.workers
        self.prepared = prepare(self.world)
        self.world.run()
        self._ask = ask

    def close(self):
        """The database is kept."""

    def request(self):
        self._ask(self.world, self.prepared)
        with self.db.reader() as session:
            return operations.queries.find(session, 'live')[0].id

    def snapshot(self):
        found = {}
        with self.db.reader() as session:
            for table in models.Base.metadata.sorted_tables:
                if table.name not in HIDDEN:
                    # Ties are told apart by the order in which they were made.
                    order = [table.c.created_at] if 'created_at' in table.c else []
                    rows = session.execute(sa.select(table).order_by(*order)).mappings()
                    found[table.name] = [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
            rows = session.scalars(sa.select(models.Hypervisor))
            found['used'] = {row.host: (row.vcpus_used, row.memory_mb_used, row.disk_gb_used) for row in rows}
        found['volumes'] = self.world.volumes.state()
        found['guests'] = {host: {id: {'state': state, 'disks': hypervisor.disks(id)}
                                  for id, state in hypervisor.servers().items()}
                           for host, hypervisor in self.world.hypervisors.items()}
        found['files'] = sorted(str(path.relative_to(self.world.folder)) for path in self.world.folder.rglob('*')
                                if path.is_file() and {'servers', 'exports'} & {*path.parts})
        return json.loads(json.dumps(found, default=str).replace(str(self.world.folder), ''))


class BootExample(ComputeExample):
    """A server that could not be made remains as ERROR, for its user to see and delete."""

    def snapshot(self):
        found = super().snapshot()
        failed = {row['id'] for row in found['servers'] if row['vm_state'] == 'error' and row['host'] is None}
        if failed:
            found['servers'] = [row for row in found['servers'] if row['id'] not in failed]
            found['attachments'] = [row for row in found['attachments'] if row['server_id'] not in failed]
            found['quota_usages'] = []
        return found


class GrowExample(ComputeExample):
    """What has grown stays grown, also where the growth was given up afterwards."""

    def expected_undone(self, before, after, op):
        assert after.replace(str(2 * GIB), str(GIB)) == before


def example(prepare, ask, kind=ComputeExample):
    return lambda url, folder: kind(url, folder, prepare, ask)


def boot(world):
    return world.boot()


def with_image(world):
    world.flavor('swap', disk=1, swap=1)
    return world.images.add(b'x' * 1000), world.volumes.add(1)


def boot_from_image(world, prepared):
    world.post('/servers', {'server': {'name': 's1', 'flavorRef': 'swap', 'networks': 'auto', 'imageRef': prepared[0],
                                       'block_device_mapping_v2': [
        {'uuid': prepared[1], 'source_type': 'volume', 'destination_type': 'volume'}]}})


def with_volume(world):
    server_id = world.boot()
    return server_id, world.attach(server_id)


def with_grown_volume(world):
    server_id, volume_id = with_volume(world)
    world.volumes.volumes[volume_id]['size'] = 2
    return server_id, volume_id


def acted(*actions):
    def prepare(world):
        server_id = world.boot()
        for action in actions:
            world.act(server_id, action)
            world.run()
        return server_id
    return prepare


def act(action, value=None):
    return lambda world, server_id: world.act(server_id, action, value)


def detach(world, prepared):
    server_id, volume_id = prepared
    assert world.call('DELETE', f'/v2.1/servers/{server_id}/os-volume_attachments/{volume_id}').status == 202


def delete(world, prepared):
    assert world.call('DELETE', f'/v2.1/servers/{prepared[0]}').status == 204


EXAMPLES = {
    'boot-server': example(with_image, boot_from_image, BootExample),
    'delete-server': example(with_volume, delete),
    'stop-server': example(boot, act('os-stop')),
    'start-server': example(acted('os-stop'), act('os-start')),
    'reboot-server': example(boot, act('reboot', {'type': 'HARD'})),
    'pause-server': example(boot, act('pause')),
    'unpause-server': example(acted('pause'), act('unpause')),
    'attach-volume': example(lambda world: (world.boot(), world.volumes.add(1)),
                             lambda world, prepared: world.attach(*prepared, run=False)),
    'detach-volume': example(with_volume, detach),
    'extend-volume': example(with_grown_volume, lambda world, prepared: world.grown(*prepared), GrowExample),
}
