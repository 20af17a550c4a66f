"""The API's world, seen from below: requests without HTTP, and all that anybody could see of it."""
import json

import sqlalchemy as sa

from svckit.context import RequestContext
from svckit.db.base import utcnow
from svckit.operations import queries
from svckit.web.microversion import Microversion
from tests.api.volsvc import world
from volsvc.db import models, snapshots, volumes
from volsvc.drivers.base import Volume
from volsvc.operations import connect_attachment, create_volume

GIB = 1024 ** 3
HIDDEN = {'operations', 'operation_events', 'services', 'messages', 'alembic_version', 'volume_types'}
TIMES = {'created_at', 'updated_at', 'launched_at', 'attach_time', 'previous_status'}


class World(world.World):
    """`made()` and `used()` are what tests start from; a request that waits for a worker has it run meanwhile."""

    def __init__(self, url, folder, **options):
        super().__init__(folder, database__connection=url, **options)
        self.db = self.service.db

    def context(self, roles=('member',), project='p1'):
        return RequestContext(service=self.service, version=Microversion(3, 71), roles=list(roles),
                              project_id=project, user_id='u1')

    def made(self, size=1, **wanted):
        """An available volume."""
        volume = create_volume.request(self.context(), size=size, **wanted)
        self.run()
        return self.row(volume.id)

    def connected(self, volume, host='host1', **connector):
        """(server, attachment), the volume in use; no worker was needed for it."""
        server = self.nova.boot(host)
        attachment = connect_attachment.reserve(self.context(), volume, server)
        connector = {'host': host, **connector}
        info = self.driver.connect(Volume(volume.id, volume.size), connector, 'rw')
        with self.db.transaction() as session:
            session.execute(sa.update(models.Attachment).where(models.Attachment.id == attachment.id).values(
                connector=connector, connection_info=info, attached_host=host, attach_status='attaching',
                mountpoint='/dev/vdb', attach_mode='rw', attach_time=utcnow()))
        connect_attachment.complete(self.context(), attachment)
        self.nova.servers[server]['volumes'][volume.id] = attachment.id
        return server, attachment

    def row(self, id):
        with self.db.reader() as session:
            return volumes.get(session, id)

    def snapshot_row(self, id):
        with self.db.reader() as session:
            return snapshots.get(session, id)

    def messages(self):
        with self.db.reader() as session:
            return list(session.scalars(sa.select(models.Message.user_message).order_by(models.Message.created_at)))

    def operations(self, name=None):
        """Oldest first."""
        with self.db.reader() as session:
            found = queries.find(session, limit=1000)
        return [op for op in reversed(found) if name in (None, op.name)]

    def snapshot(self) -> dict:
        """All that anybody could see but operations, messages and times."""
        found = {}
        with self.db.reader() as session:
            for table in models.Base.metadata.sorted_tables:
                if table.name not in HIDDEN:
                    order = [table.c.created_at] if 'created_at' in table.c else []
                    rows = session.execute(sa.select(table).order_by(*order)).mappings()
                    found[table.name] = [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
        found['quota_usages'] = [row for row in found['quota_usages'] if row['in_use']]
        found['backend'] = {id: {**kept, 'data': kept['data'].decode()} for id, kept in self.driver.volumes.items()}
        found['snapshots_kept'] = {id: data.decode() for id, data in self.driver.snapshots.items()}
        # Events may be doubled; what counts is who has heard.
        found['told'] = sorted({f'{server} {volume}' for server, volume in self.nova.told()})
        return json.loads(json.dumps(found, default=str))
