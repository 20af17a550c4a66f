"""The service as one object: what its API, its workers and its commands share."""
import time

from svckit import operations as engine
from svckit.db import Database, migrate
from svckit.messaging import Messaging
from svckit.policy import Policy
from svckit.turns import Turns
from volsvc import operations, policies
from volsvc.progress import Progress

REMEMBERED = 5.0        # seconds


class Clock:
    """Time; tests inject another."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float):
        time.sleep(seconds)


class Tools:
    """What operations see as `ctx`; `driver` is the backend's, None where there is none."""

    def __init__(self, service, driver=None):
        self.service, self.driver = service, driver
        self.db, self.conf, self.messaging, self.clock = service.db, service.conf, service.messaging, service.clock
        self.exports = Turns()      # by volume: who may reach it is changed by one step at a time

    def progress(self, op) -> Progress:
        """To be told how far the step is that `op` stands at."""
        return Progress(self.db, self.service.registry, op)

    @property
    def compute(self):
        return self.service.compute

    @property
    def images(self):
        return self.service.images


class Service:
    """`messaging` is shared with others in one process, or None for the configured broker's."""

    def __init__(self, conf, messaging=None, clock=None):
        self.conf, self.clock = conf, clock or Clock()
        self.messaging = messaging or Messaging(conf, 'volsvc')
        self.db = Database.configured(conf)
        self.db.on_wake = self._wake
        self.policy = Policy(conf, policies.list_rules())
        self.registry = operations.registry()
        self.store = engine.Store(self.db, self.registry, Tools(self))
        self._here: dict[str, list] = {}             # target -> what wakes this process's own workers of it
        self._compute = self._images = None
        self._backends, self._looked = {}, float('-inf')

    @property
    def compute(self):
        """The compute service's client, made when first needed: its library takes long to import."""
        if self._compute is None:
            from volsvc.compute import Compute
            self._compute = Compute(self.conf)
        return self._compute

    @compute.setter
    def compute(self, client):
        self._compute = client

    @property
    def images(self):
        if self._images is None:
            from volsvc.images import Images
            self._images = Images(self.conf)
        return self._images

    @images.setter
    def images(self, client):
        self._images = client

    def migrate(self) -> bool:
        """The schema is the newest, and the default volume type is there; True if the schema was not."""
        from volsvc.db import types
        changed = migrate(self.db, 'volsvc.db.migrations')
        self.db.run(lambda session: types.seed(session, self.conf.default_volume_type))
        return changed

    def api(self):
        """The WSGI application."""
        from svckit import web
        from volsvc import metrics
        from volsvc.api.routes import ROUTES
        from volsvc.api.versions import VERSIONS
        return web.application(self, ROUTES, VERSIONS, collectors=[lambda: metrics.families(self)])

    def backends(self) -> dict:
        """host@backend -> its row of the services table, some seconds old: for what hardly ever changes."""
        now = self.clock.monotonic()
        if now - self._looked > REMEMBERED:
            from volsvc.db import services
            with self.db.reader() as session:
                self._backends = {row.host: row for row, _ in services.every(session)}
            self._looked = now if self._backends else float('-inf')
        return self._backends

    def backend_of(self, host: str | None):
        """The one that a volume with this host ('host@backend#pool') is on; None if it never reported."""
        return self.backends().get((host or '').partition('#')[0])

    def forget_backends(self):
        """One has just reported."""
        self._looked = float('-inf')

    def worker(self, backend: str):
        """A worker of one backend, not started."""
        from volsvc.worker import BackendWorker
        return BackendWorker(self, backend)

    def wakes(self, targets, callback) -> None:
        """Call `callback` when there may be work at these targets."""
        for target in targets:
            self._here.setdefault(target, []).append(callback)
        self.messaging.listen(targets, callback)

    def _wake(self, targets):
        """Our own workers by a call, everybody else by a message."""
        others = set()
        for target in targets:
            for callback in self._here.get(target, ()):
                callback()
            if target not in self._here:
                others.add(target)
        if others:
            self.messaging.wake(others)
