"""What stories of moving servers tell with: two hosts, and what can be seen of a server on them."""
import pytest
from sqlalchemy import update

from computesvc.db import claims, servers
from computesvc.db.models import Service
from svckit import quota
from svckit.operations.testing import Killed, let_time_pass
from tests.api.computesvc.world import World

ADMIN = {'roles': 'admin,member,reader', 'user': 'boss', 'project': 'ops'}


def two_hosts(folder):
    """A world with host1 and host2, and a flavor "large" twice as large as "small"."""
    made = World(f'sqlite:///{folder}/compute.sqlite', folder, hosts=('host1', 'host2'))
    made.flavor('small', vcpus=1, ram=64)
    made.flavor('large', vcpus=2, ram=128)
    yield made
    made.service.db.dispose()


def boot(world, flavor='small', image_id=None):
    """A server on host1, its root on a volume unless there is an image; its id."""
    root = {'imageRef': image_id} if image_id else {'imageRef': '', 'block_device_mapping_v2': [
        {'boot_index': 0, 'uuid': world.volumes.add(1), 'source_type': 'volume', 'destination_type': 'volume'}]}
    answer = world.post('/servers', {'server': {
        'name': 's1', 'flavorRef': flavor, 'networks': 'none', 'host': 'host1', **root}}, roles='admin')
    world.run()
    return answer.json['server']['id']


def resize(world, server_id, flavor='large', **kw):
    return world.act(server_id, 'resize', {'flavorRef': flavor}, **kw)


def resized(world):
    server_id = boot(world)
    resize(world, server_id)
    world.run()
    return server_id


def state(world, server_id):
    server = world.server(server_id, **ADMIN)
    return server['status'], server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']


def guests(world):
    return {host: list(hypervisor.servers().values()) for host, hypervisor in world.hypervisors.items()}


def used(world):
    """(quota of the project, processors that are claimed by host), and both are what servers come to."""
    assert quota.differences(world.service.db, servers.counted_usage) == []
    with world.service.db.reader() as session:
        held = quota.usage(session, 'p1')
        return ((held['instances'], held['cores'], held['ram']),
                {host: claims.used(session, host)['vcpus'] for host in world.hypervisors})


def attached_at(world):
    """The hosts that each volume is attached to."""
    found = {}
    for attachment in world.volumes.attachments.values():
        assert attachment['status'] == 'attached'
        found.setdefault(attachment['volume_id'], []).append(attachment['connector']['host'])
    return sorted(map(sorted, found.values()))


def events(world, server_id, request_id=None):
    """(action, its message, [(event, result)]) of the newest action, the first event first."""
    actions = world.get(f'/servers/{server_id}/os-instance-actions', **ADMIN)['instanceActions']
    shown = world.get(f"/servers/{server_id}/os-instance-actions/{actions[0]['request_id']}", **ADMIN)['instanceAction']
    return shown['action'], shown['message'], [(e['event'], e['result']) for e in reversed(shown['events'])]


def migrations(world, **kw):
    return [(m['migration_type'], m['status'], m['source_compute'], m['dest_compute'])
            for m in world.get('/os-migrations', **{**ADMIN, **kw})['migrations']]


def silence(world, host):
    with world.service.db.transaction() as session:
        session.execute(update(Service).where(Service.host == host).values(seen_at=0))


def die_in(world, step):
    """All workers run until one dies in that step; then its leases run out."""
    for worker in world.workers:
        def call(this, op, ctx, was=worker.runner.call):
            if this.name != step:
                return was(this, op, ctx)
            if not this.atomic:
                was(this, op, ctx)
            raise Killed
        worker.runner.call = call
    with pytest.raises(Killed):
        world.run()
    for worker in world.workers:
        del worker.runner.call
    let_time_pass(world.service.db)
