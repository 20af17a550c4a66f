"""Messages between processes: wakes, the conductor's desk, notifications.

A wake says "look" and carries nothing.  Sending one, or a notification, never
blocks a request and never fails it: a thread sends, and what cannot be sent is
dropped.  Within one process (`Local`) a wake is a call, and a desk answers
directly, because oslo.messaging's in-process transport polls every 50 ms.
"""
import json
import logging
import queue
import threading
import time

from svckit import process

LOG = logging.getLogger(__name__)
REST = 0.005        # seconds between two rounds of sending: in a burst one wake stands for several
SILENCE = 60.0      # seconds between two complaints about a broker that is away


class Local:
    """What the services of one process share instead of a broker."""

    def __init__(self):
        self.listeners: dict[str, list] = {}
        self.endpoints: dict[str, object] = {}
        self.meters: list = []          # called with (event type, payload) of each notification


class Messaging:
    """One service's messages.  `name` prefixes its topics: a broker may be shared.

    `conf` has `transport_url` and [service] host; the transport is opened when first needed.
    """

    def __init__(self, conf, name: str, local: Local | None = None):
        self.conf, self.name = conf, name
        self._local = local
        self._waiting: set[str] = set()              # targets still to be woken
        self._outbox = queue.Queue(maxsize=10000)    # notifications
        self._due = threading.Event()
        self._sender = None
        self._lock = threading.Lock()
        self._transport = self._notifier = None
        self.silent = False         # nobody is to be notified: known once there was something to tell
        self._servers = []
        self._complained = 0.0

    # -- wakes

    def wake(self, targets):
        """Tell the workers of these targets to look; drops it if nobody can be told."""
        remote = set()
        for target in targets:
            listeners = self._local.listeners.get(self._topic(target), ()) if self._local else ()
            for listener in listeners:
                listener()
            if not listeners:
                remote.add(target)
        if remote and not self._local:
            self._waiting |= remote
            self._send_soon()

    def listen(self, targets, callback):
        """Call `callback()` at each wake for one of `targets`; returns at once, broker or none."""
        for target in targets:
            if self._local:
                self._local.listeners.setdefault(self._topic(target), []).append(callback)
            else:
                self._serve_soon(self._topic(target), _Endpoint(_Wakes(callback)))

    # -- calls

    def serve(self, topic: str, endpoint):
        """Answer calls to the methods of `endpoint`; returns at once, broker or none."""
        if self._local:
            self._local.endpoints[self._topic(topic)] = endpoint
        else:
            self._serve_soon(self._topic(topic), _Endpoint(endpoint))

    def client(self, topic: str, timeout=10.0):
        """`call(method, **arguments)` to whoever serves `topic`; raises when no answer comes in `timeout` seconds."""
        if self._local:
            from svckit.operations import LocalDesk
            return LocalDesk(self._local.endpoints[self._topic(topic)])
        import oslo_messaging

        def call(method, **arguments):
            client = oslo_messaging.get_rpc_client(
                self._open(), oslo_messaging.Target(topic=self._topic(topic)), timeout=timeout)
            return client.call({}, method, **json.loads(json.dumps(arguments)))
        return call

    # -- notifications

    def notify(self, event_type: str, payload: dict, context: dict | None = None, publisher: str | None = None):
        """Publish `volume.resize.end` and the like, for meters; dropped when the outbox is full.

        As in every OpenStack service only where [oslo_messaging_notifications] names a driver: a broker keeps what
        nobody fetches, for ever.
        `context` is of the request that led to it: its request_id, user_id and project_id.  `publisher`
        is who says so, `service.host`; by default this service.  What ends in `.error` has that priority.
        """
        if self._local:
            LOG.debug('notification %s %s', event_type, payload)
            for meter in self._local.meters:
                meter(event_type, payload)
            return
        if self.silent:
            return
        try:
            self._outbox.put_nowait((event_type, payload, context or {}, publisher))
        except queue.Full:
            self._complain('the outbox is full', f'notification {event_type}')
        self._send_soon()

    def stop(self):
        for server in self._servers:
            try:
                server.stop()
            except Exception as e:
                LOG.debug('stopping an RPC server: %s', e)

    # -- the sender

    def _send_soon(self):
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = process.spawn(self._send, name=f'{self.name} sender')
        self._due.set()

    def _send(self):
        while True:
            self._due.wait()
            self._due.clear()
            while self._waiting:
                target = self._waiting.pop()
                self._try(f'a wake of {target}', self._cast, target)
            while not self._outbox.empty():
                event_type, *what = self._outbox.get_nowait()
                self._try(f'the notification {event_type}', self._publish, event_type, *what)
            time.sleep(REST)

    def _try(self, what, fn, *args):
        try:
            fn(*args)
        except Exception as e:
            self._complain(e, what)

    def _complain(self, why, what):
        if time.monotonic() - self._complained > SILENCE:
            self._complained = time.monotonic()
            LOG.warning('The broker cannot be reached, dropped %s (and maybe more); '
                        'workers find their work by looking: %s', what, why)

    def _cast(self, target):
        import oslo_messaging
        # retry=0: a wake that comes late is worth nothing, and the next one waits behind it.
        client = oslo_messaging.get_rpc_client(
            self._open(), oslo_messaging.Target(topic=self._topic(target)), retry=0)
        client.cast({}, 'wake')

    def _publish(self, event_type, payload, context, publisher):
        import oslo_messaging
        from oslo_context.context import RequestContext
        if self._notifier is None:
            transport = oslo_messaging.get_notification_transport(self.conf)
            self.silent = not self.conf.oslo_messaging_notifications.driver
            # It writes a traceback for each one that it could not send; a lost wake has said why already.
            logging.getLogger('oslo_messaging.notify.messaging').setLevel(logging.CRITICAL)
            self._notifier = oslo_messaging.Notifier(transport, self.name, retry=0, serializer=_Asked())
        notifier = self._notifier.prepare(publisher_id=publisher) if publisher else self._notifier
        context = RequestContext(overwrite=False, **context) if context else {}
        (notifier.error if event_type.endswith('.error') else notifier.info)(context, event_type, payload)

    # -- the transport

    def _open(self):
        import oslo_messaging
        with self._lock:
            if self._transport is None:
                _register_strays(self.conf)
                self._transport = oslo_messaging.get_rpc_transport(self.conf)
            return self._transport

    def _topic(self, target):
        return f'{self.name}.{target}'

    def _serve_soon(self, topic, endpoint):
        def begin():
            import oslo_messaging
            server = oslo_messaging.get_rpc_server(
                self._open(), oslo_messaging.Target(topic=topic, server=self.conf.service.host), [endpoint],
                access_policy=oslo_messaging.DefaultRPCAccessPolicy)
            server.start()              # comes back when the broker does
            self._servers.append(server)
        process.spawn(begin, name=f'serve {topic}')


def _register_strays(conf):
    """oslo.messaging 18 registers these options on the global CONF only, and reads them from ours."""
    from oslo_messaging._metrics import client as metrics
    from oslo_messaging._tracing import client as tracing
    for module, group in ((metrics, 'oslo_messaging_metrics'), (tracing, 'oslo_messaging_tracing')):
        conf.register_opts(getattr(module, group), group)


class _Wakes:
    def __init__(self, callback):
        self._callback = callback

    def wake(self):
        self._callback()


class _Asked:
    """Contexts of notifications, as words of a message: oslo.messaging takes none but RequestContexts, and sends them
    without what is secret."""

    def serialize_context(self, context):
        return context.to_dict() if context else {}

    def serialize_entity(self, context, entity):
        return entity


class _Endpoint:
    """An object's methods as oslo.messaging calls them, with a context that ours do not need."""

    def __init__(self, served):
        self._served = served

    def __getattr__(self, name):
        method = getattr(self._served, name)
        return lambda ctxt, **arguments: method(**arguments)
