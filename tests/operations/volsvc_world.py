"""volsvc without any process: its database, a backend, and a compute service in memory."""
import json

import sqlalchemy as sa

from svckit import conf as configuration
from svckit.context import RequestContext
from svckit.db.base import utcnow
from svckit.messaging import Local, Messaging
from svckit.web.microversion import Microversion
from tests.fakes.nova import Nova
from volsvc import conf
from volsvc.compute import Compute
from volsvc.db import models, volumes
from volsvc.operations import connect_attachment, create_volume
from volsvc.service import Clock, Service

GIB = 1024 ** 3
LATEST = Microversion(3, 71)
HIDDEN = {'operations', 'operation_events', 'services', 'messages', 'alembic_version', 'volume_types'}
TIMES = {'created_at', 'updated_at', 'launched_at', 'attach_time', 'previous_status'}


class Skipping(Clock):
    """Time passes by being slept away: nothing waits in tests."""

    def __init__(self):
        self.ahead = 0.0

    def time(self):
        return super().time() + self.ahead

    def monotonic(self):
        return super().monotonic() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds


class World:
    """`run()` does all that is due; `volume()` and `attach()` make what tests start from."""

    def __init__(self, url, folder, backend='memory', clock=None, **options):
        self.conf = configuration.load(
            'volsvc', conf.OPTS, files=[], database__connection=url,
            database__sqlite_synchronous=False, enabled_backends=[backend],
            service__host='host1', state_path=str(folder), oslo_policy__policy_file=str(folder / 'policy.yaml'),
            api__auth_strategy='noauth', compute__auth_type='none',
            compute__endpoint_override='http://compute/v2.1', images__auth_type='none',
            **{**{f'{backend}__path': str(folder / 'volumes')}, **options})
        self.service = Service(self.conf, Messaging(self.conf, 'volsvc', Local()), clock or Skipping())
        self.service.migrate()
        self.nova = Nova()
        self.service.compute = Compute(self.conf, self.nova.session())
        self.worker = self.service.worker(backend)
        self.driver = self.worker.driver
        self.driver.start()
        self.worker.report()
        self.db = self.service.db

    def context(self, project='project', version=LATEST, roles=('member',), **more):
        return RequestContext(service=self.service, version=version, roles=list(roles), project_id=project,
                              user_id='user', **more)

    def run(self) -> int:
        return self.worker.run_due()

    def volume(self, size=1, **wanted):
        """One that is available."""
        made = create_volume.request(self.context(), size=size, **wanted)
        self.run()
        return self.get(made.id)

    def get(self, id):
        with self.db.reader() as session:
            return volumes.get(session, id)

    def attach(self, volume, server=None, host='host1'):
        """(server id, attachment), the volume in use; no worker is needed for it."""
        server = server or self.nova.add_server(host)
        attachment = connect_attachment.reserve(self.context(), volume, server)
        info = self.driver.connect(self._driven(volume), {'host': host}, 'rw')
        with self.db.transaction() as session:
            session.execute(sa.update(models.Attachment).where(models.Attachment.id == attachment.id).values(
                connector={'host': host}, connection_info=info, attached_host=host, attach_status='attaching',
                mountpoint='/dev/vdb', attach_mode='rw', attach_time=utcnow()))
        connect_attachment.complete(self.context(), attachment)
        self.nova.volumes[server, volume.id] = attachment.id
        return server, attachment

    def usage(self, project='project'):
        from svckit import quota
        with self.db.reader() as session:
            return {name: used for name, used in quota.usage(session, project).items() if used}

    def messages(self):
        with self.db.reader() as session:
            return [row.user_message for row in session.scalars(
                sa.select(models.Message).order_by(models.Message.created_at))]

    def operations(self, resource=None):
        """All, oldest first."""
        from svckit.operations import queries
        with self.db.reader() as session:
            found = queries.find(session, limit=1000)
        return [op for op in reversed(found) if resource in (None, op.resource)]

    def snapshot(self) -> dict:
        """All that anybody could see of it but operations, messages and times."""
        found = {}
        with self.db.reader() as session:
            for table in models.Base.metadata.sorted_tables:
                if table.name not in HIDDEN:
                    order = [table.c.created_at] if 'created_at' in table.c else []
                    rows = session.execute(sa.select(table).order_by(*order)).mappings()
                    found[table.name] = [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
        found['quota_usages'] = [row for row in found['quota_usages'] if row['in_use']]
        found['backend'] = {id: {**kept, 'data': kept['data'].decode()} for id, kept in self.driver.volumes.items()}
        # Events may be doubled; what counts is who has heard.
        found['told'] = sorted({f'{server} {volume}' for server, volume in self.nova.told})
        return json.loads(json.dumps(found, default=str))

    @staticmethod
    def _driven(volume):
        from volsvc.drivers.base import Volume
        return Volume(volume.id, volume.size)
