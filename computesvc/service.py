"""One computesvc, in one process: what its API, its conductor and its agents share.

Nothing is opened before it is used, so an agent never touches a database.
"""
import functools
import logging

from computesvc import images, notifications, volumes
from computesvc.operations import registry
from svckit import operations
from svckit.messaging import Messaging
from svckit.policy import Policy

LOG = logging.getLogger(__name__)
NAME = 'computesvc'


class Service:
    """`conf` as made by svckit.conf.load; `messaging` given by whoever runs several services in one process."""

    def __init__(self, conf, messaging=None, volumes_session=None, images_session=None):
        self.conf = conf
        self.messaging = messaging or Messaging(conf, NAME)
        self.volumes = volumes.Volumes(conf, volumes_session)
        self.images = images.Images(conf, images_session)
        self.registry = registry()

    @functools.cached_property
    def db(self):
        from svckit.db import Database
        db = Database.configured(self.conf)
        db.on_wake = self.messaging.wake
        return db

    @functools.cached_property
    def policy(self):
        from computesvc import policies
        return Policy(self.conf, policies.list_rules())

    @functools.cached_property
    def store(self):
        return operations.Store(self.db, self.registry, self)

    @property
    def quota_defaults(self) -> dict[str, int]:
        return {name: self.conf.quota[name] for name in self.conf.quota}

    def migrate(self) -> bool:
        """Bring the database up to date; True if there was anything to do."""
        from svckit import db
        return db.migrate(self.db, 'computesvc.db.migrations')

    def api(self):
        """The WSGI application."""
        from computesvc.api import routes
        return routes.application(self)

    def conductor(self):
        """Control steps, the agents' desk and housekeeping; .start() and .stop()."""
        from computesvc.conductor.process import Conductor
        return Conductor(self)

    def agent(self, hypervisor, desk=None, host=None):
        """The agent of one host; `desk` is a call to the conductor, by default through messaging."""
        from computesvc.host.agent import Agent
        return Agent(self, hypervisor, desk, host)

    # ---------------------------------------------------------------- for steps at the conductor

    @operations.of_step
    def notify(self, ctx, event: str, op) -> None:
        """Tell whoever meters what became of `op`'s server, once that is durable (see notifications.py)."""
        notifications.send(ctx, event, op)

    def warn(self, message: str, *values) -> None:
        LOG.warning(message, *values)
