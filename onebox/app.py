"""The command `onebox`: everything in one process, until it is told to stop.

Order matters for how soon it answers: identity and images need little and are up
first, libvirtd starts beside the imports of the services, and the guest image is
made after everything answers.
"""
import logging
import os
import signal
import sys
import traceback

from onebox import arguments
from svckit import process

LOG = logging.getLogger(__name__)


class Failed(Exception):
    """onebox cannot run; the sentence says why and what to do."""


class Onebox:
    """`start()` has everything answering; `stop()` leaves all of it in the state folder."""

    def __init__(self, options, say=print):
        from onebox import hosts, state
        self.options, self._say = options, say
        try:
            self.state = state.State(options.state)
            self.state.lock()
            self._hosts = hosts.make(self.state.folder, options.hosts, options.backend)
        except (state.Taken, hosts.Unusable) as error:
            raise Failed(str(error)) from None
        except OSError as error:
            raise Failed(f'The state folder {options.state} cannot be used: {error.strerror}.') from None
        self._running = []          # what has a stop(), in the order it was started
        self._whole = 'volume' in options.only
        self._hashing = None

    def start(self):
        hypervisor = self._choose_hypervisor() if self._whole else None
        clouds, passwords = self._start_identity()
        if self._whole:
            self._start_services(passwords)
        else:       # the services' configuration sets the log up, and there is none
            logging.basicConfig(filename=self.state.log, level=logging.INFO,
                                format='%(asctime)s %(process)d %(levelname)s %(name)s %(message)s')
            self._offer('volumev3', 'cinderv3', self.options.volume_port, '/v3/{project_id}')
            self._offer('compute', 'nova', self.options.compute_port, '/v2.1')
        clouds.write(self.identity_url)
        self._tell()
        if self._whole:
            self._start_workers()
        sentences = self._decide(hypervisor) if self._whole else []
        process.spawn(self._start_servers, hypervisor, sentences, name='servers')

    def stop(self):
        self._say('Stopping.')
        if self._hashing:       # a native thread in the middle of something aborts the interpreter's end
            self._hashing.join()
        for part in reversed(self._running):
            try:
                part()
            except Exception:
                LOG.exception('Stopping %s', part)

    # -- identity and images

    def _start_identity(self):
        from onebox.clouds import CLOUDS, SERVICES, Clouds
        from onebox.identity import passwords
        from onebox.identity.api import Identity
        from onebox.identity.catalog import Catalog
        from onebox.identity.directory import Directory
        from onebox.identity.tokens import Tokens
        from onebox.images import open_images
        directory = Directory(self.state.identity / 'directory.json')
        self._catalog = Catalog()
        identity = Identity(directory, Tokens(self.state.identity), self._catalog)
        self.images, images = open_images(self.state.images, identity, directory)
        port = self._serve('identity', self.options.identity_port, identity.application)
        self.identity_url = f'http://{self._address()}:{port}/v3'
        self._offer('identity', 'keystone', port, '/v3')
        self._offer('image', 'glance', self._serve('image', self.options.image_port, images.application), '')
        clouds = Clouds(self.state.clouds, CLOUDS if self._whole else {**CLOUDS, **SERVICES})
        new = clouds.passwords_to_set()
        if self._whole:     # nobody else needs to know the services' own: new ones at each start
            new |= {name: passwords.generate() for name in SERVICES}
        # A hash takes its time, and importing the services takes longer.
        self._hashing = process.spawn(directory.set_passwords, new, name='passwords')
        return clouds, new

    def _serve(self, name, port, application, options=None) -> int:
        """Listens and answers; the port."""
        from svckit.web.server import Server
        server = Server(application, self.options.host, port, options=options)
        try:
            server.start()
        except OSError as error:
            raise Failed(f'The {name} API cannot listen on {self.options.host}:{port}: {error.strerror}. '
                         f'Choose another port by --{name}-port (0 takes a free one).') from None
        self._running.append(lambda: server.stop(5))
        return server.port

    def _offer(self, type_, name, port, path):
        self._catalog.offer(type_, name, f'http://{self._address()}:{port}{path}')

    def _address(self) -> str:
        """Where clients on this machine reach us."""
        host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(self.options.host, self.options.host)  # noqa: S104
        return f'[{host}]' if ':' in host else host

    # -- the services

    def _start_services(self, passwords):
        from onebox import settings
        from svckit.messaging import Local, Messaging
        local = Local()
        try:
            compute = settings.computesvc(self.options, self.state, self.identity_url, passwords['computesvc'])
            volumes = settings.volsvc(self.options, self.state, self.identity_url, passwords['volsvc'])
        except settings.Unusable as error:
            raise Failed(str(error)) from None
        from computesvc.service import Service as Compute
        self.compute = Compute(compute, messaging=Messaging(compute, 'computesvc', local))
        self._agents = [self.compute]       # the service that each host's agent belongs to
        for host in self._hosts[1:]:
            conf = settings.agent(host, self.options, self.state, self.identity_url, passwords['computesvc'])
            self._agents.append(Compute(conf, messaging=Messaging(conf, 'computesvc', local)))
        from volsvc.service import Service as Volumes
        self.volumes = Volumes(volumes, messaging=Messaging(volumes, 'volsvc', local))
        for service in (self.compute, self.volumes):
            service.migrate()
        with self.compute.db.transaction() as session:
            from computesvc.db import flavors
            flavors.seed(session)
        self._hashing.join()
        port = self._serve('volume', self.options.volume_port, self.volumes.api(), self.volumes.conf.api)
        self._offer('volumev3', 'cinderv3', port, '/v3/{project_id}')
        port = self._serve('compute', self.options.compute_port, self.compute.api(), self.compute.conf.api)
        self._offer('compute', 'nova', port, '/v2.1')

    def _choose_hypervisor(self):
        from onebox.hypervisor import Choice
        choice = Choice(self.options.hypervisor, self.state.folder, self._hosts)
        self._running.append(lambda: self._leave(choice))
        return choice

    def _leave(self, choice):
        if guests := choice.stop():
            self._say(f'{guests} guests go on running; the next start with this folder finds them.')

    def _decide(self, choice) -> list[str]:
        """Sentences on what servers run under."""
        from onebox.hypervisor import Unavailable
        try:
            first, *more = choice.decide()
        except Unavailable as error:
            raise Failed(str(error)) from None
        return [*more, f'Servers run under {first}.']

    def _start_workers(self):
        backends = [self.volumes.worker(name) for name in self.volumes.conf.enabled_backends]
        for part in (*backends, self.compute.conductor()):
            self._run(part)

    def _start_servers(self, choice, sentences):
        """The agents, and the guest image: whichever can do without the other goes first."""
        try:
            if self._whole:
                for service, hypervisor in zip(self._agents, choice.hypervisors(self._image), strict=True):
                    agent = service.agent(hypervisor)
                    agent.heartbeat()       # whoever asks for a server from here on finds its host
                    self._run(agent)
                for sentence in sentences:
                    self._say(sentence)
            self._image()
        except Exception as error:
            LOG.exception('Servers cannot run')
            self._say(f'Servers cannot run: {error}')

    def _image(self):
        from onebox import seeds
        return seeds.guest_image(self.images, self._say)

    def _run(self, part):
        part.start()
        self._running.append(part.stop)

    # -- the rest

    def _tell(self):
        if self._hashing:
            self._hashing.join()
        for row in self._catalog.endpoints:
            if row['interface'] == 'public':
                service = next(one for one in self._catalog.services if one['id'] == row['service_id'])
                self._say(f'{service["type"]:9} {row["url"].replace("/{project_id}", "")}')
        self._say(f'Clouds "onebox" and "onebox-admin" are in {self.state.clouds}, the log in {self.state.log}:')
        self._say(f'    export OS_CLIENT_CONFIG_FILE={self.state.clouds} OS_CLOUD=onebox')


def main(argv=None) -> int:
    # There is nothing to stop yet, and a library that is interrupted while it is imported may swallow that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = arguments.parse(argv)
    # Green name look-ups cost 0.1 s and 8 MiB, and we only talk to ourselves, by address.
    os.environ.setdefault('EVENTLET_NO_GREENDNS', 'yes')
    process.start(options.concurrency)
    sys.stdout.reconfigure(line_buffering=True)
    process.interrupt_start()
    box = None
    try:
        box = Onebox(options)
        box.start()
        process.until_signal(lambda: None)
        return 0
    except KeyboardInterrupt:       # while starting
        return 0
    except Failed as error:
        print(f'onebox: {error}', file=sys.stderr)
        return 1
    except Exception:
        LOG.exception('onebox cannot go on')
        traceback.print_exc()       # the log goes to a file
        return 1
    finally:
        if box:
            box.stop()


if __name__ == '__main__':
    sys.exit(main())
