"""What every demonstration is played on: a onebox with libvirt, the real client, a clock and a screen."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from onebox import hosts, measure
from onebox.terminal import Screen

GIB = 1024 ** 3
BIN = pathlib.Path(sys.executable).parent
LOUD = re.compile(r' (WARNING|ERROR|CRITICAL) ')


class Failed(Exception):
    """A step did not end well; `output` is what it had to say."""

    def __init__(self, message, output=''):
        super().__init__(message)
        self.output = output


class Stage:
    """One run; a demonstration is a subclass with `play()`, which raises Failed if its point was not made.

    `folder` is the state folder, in one that is thrown away. `limit`: seconds, after the guest image is there.
    """

    limit = 180
    options = ()            # of onebox

    def __init__(self, screen: Screen, folder: pathlib.Path, clock=time.monotonic):
        self.screen, self.folder = screen, folder
        self._clock = clock
        self._until = clock() + self.limit
        self._box = None
        self.step = 'start'
        self.times = []         # (step, seconds)

    def run(self):
        with self.doing('Make a small Linux guest image'):
            self._make_image()
        self._until = self._clock() + self.limit
        signal.signal(signal.SIGALRM, self._too_late)
        signal.alarm(self.limit + 5)     # for what does not look at the clock itself
        with self.doing('Start onebox with libvirt'):
            self._start_onebox()
        self.play()

    @contextlib.contextmanager
    def doing(self, name: str):
        """A step with a name, for the heading, the times and for saying what failed."""
        self.step = name
        self.screen.heading(name)
        began = self._clock()
        yield
        self.times.append((name, self._clock() - began))

    # -- what every story begins with

    def _make_image(self):
        from onebox import guest
        with self.screen.busy('guest image') as busy:
            try:
                path = guest.image(progress=lambda text: setattr(busy, 'note', text))
            except guest.Unavailable as error:
                raise Failed(str(error)) from None
        self.screen.good(f'{path.name}, {path.stat().st_size >> 20} MiB')

    def _start_onebox(self):
        command = [str(BIN / 'python'), '-m', 'onebox.app', '--state', str(self.folder), '--hypervisor', 'libvirt',
                   '--backend', 'file', *self.options,
                   *(f'--{name}-port=0' for name in ('identity', 'volume', 'compute', 'image'))]
        self.screen.command(['onebox', *command[3:]])
        self._said = self.folder.parent / 'said'
        with self._said.open('w') as said:
            # A session of its own: Ctrl-C is for us, and we stop it in good order.
            self._box = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        with self.screen.busy('onebox'):
            while not self._said.read_text().rpartition('Servers run under')[1]:
                self._check_box()
                self.wait('onebox is ready')
        for line in self._said.read_text().splitlines():
            self.screen.line('  ' + self.screen.paint(line, 'dim'))
        self.cloud = measure.Cloud(self.folder)
        with self.screen.busy('the guest image is registered and the hosts report'):
            while not (self.cloud.image_is_active('guest') and self.hosts_are_up()):
                self.wait('the image and the hosts are there')

    def hosts_are_up(self) -> bool:
        return self.cloud.host_is_up()

    def create_volume(self, name, *options) -> dict:
        """A volume of 1 GiB that is available."""
        volume = json.loads(self.openstack('volume', 'create', '--size', '1', *options, name, form='json',
                                           fields=['id', 'name', 'size', 'status']))
        with self.screen.busy(f'volume {name} becomes available'):
            self.until_status('volume', volume['id'], 'available')
        return volume

    def boot(self, *options) -> str:
        """The id of a server whose guest has said that it is up."""
        self.openstack('server', 'create', '--flavor', 'm1.nano', *options, '--no-network', 'guest',
                       fields=['id', 'name', 'status'])
        server = self.cloud.server('guest')
        with self.screen.busy('the guest boots (emulated)') as busy:
            self.until_status('server', server, 'ACTIVE')
            while ' is up after ' not in (text := self.cloud.console(server)):
                busy.note = f'{len(text.splitlines())} lines on its serial console'
                self.wait('the guest says on its console that it is up')
        return server

    def attach(self, server, volume):
        """The guest has the volume of 1 GiB as a disk, and has said so."""
        self.openstack('server', 'add', 'volume', 'guest', volume['name'], fields=['Server ID', 'Volume ID', 'Device'])
        with self.screen.busy('the guest sees the new disk'):
            self.until_status('volume', volume['id'], 'in-use')
            self.until_guest_sees(server, volume, GIB)

    # -- waiting, within the limit

    def until_status(self, kind, id, wanted):
        while (status := self.cloud.status(kind, id)) != wanted:
            if 'error' in status.lower():
                raise Failed(f'the {kind} is {status}: {self.cloud.complaint(kind, id)}')
            self.wait(f'the {kind} is {wanted} (it is {status})')

    def until_guest_sees(self, server, volume, size):
        while self.cloud.guest_size(server, volume['id']) != size:
            self.wait(f'the guest sees {size_text(size)}')

    def wait(self, what, seconds=0.1):
        """Some time passes; Failed if there is none left to wait until `what`."""
        self._check_box()
        if self._clock() > self._until:
            raise Failed(f'gave up after {self.limit} s waiting until {what}')
        time.sleep(seconds)

    def now(self) -> float:
        return self._clock()

    def _check_box(self):
        if self._box.poll() is not None:
            raise Failed(f'onebox ended with status {self._box.returncode}', self._said.read_text())

    def _too_late(self, number, frame):
        raise Failed(f'not done after {self.limit} s')

    # -- the client

    def openstack(self, *words, fields=(), form=None) -> str:
        """Runs the real client, shows it and what it said, and returns that."""
        words = ['openstack', *words, *(part for field in fields for part in ('-c', field))]
        self.screen.command(words)
        shown = words + (['-f', form] if form else [])
        with self.screen.busy(' '.join(words[:3])):
            try:
                done = subprocess.run([str(BIN / words[0]), *shown[1:]], capture_output=True, text=True,
                                      env=self._environment(), timeout=max(self._until - self._clock(), 1))
            except subprocess.TimeoutExpired:
                raise Failed(f'{" ".join(words)} did not end within the {self.limit} s') from None
        if done.returncode:
            raise Failed(f'{" ".join(words)} ended with status {done.returncode}', done.stderr or done.stdout)
        self.screen.output(_flat(json.loads(done.stdout)) if form else done.stdout)
        return done.stdout

    def _environment(self):
        ours = {key: value for key, value in os.environ.items() if not key.startswith('OS_')}
        return {**ours, 'OS_CLIENT_CONFIG_FILE': str(self.folder / 'clouds.yaml'), 'OS_CLOUD': 'onebox'}

    # -- the end

    def show_times(self):
        self.screen.heading('Where the time of this demonstration went')
        began = 0
        rows = []
        for name, seconds in self.times:
            rows.append((name, began, seconds))
            began += seconds
        self.screen.bars(rows)

    def clean_up(self):
        """Ends onebox and all that outlives one, whatever state they are in."""
        signal.alarm(0)
        if self._box:
            self._box.terminate()
            try:
                self._box.wait(15)
            except subprocess.TimeoutExpired:
                self._box.kill()
                self._box.wait()
        hosts.end(self.folder)

    def complaints(self, most=15) -> str:
        """The last warnings and errors in the log."""
        log = self.folder / 'onebox.log'
        lines = log.read_text(errors='replace').splitlines() if log.exists() else []
        return '\n'.join([line for line in lines if LOUD.search(line)][-most:])


def size_text(size: int) -> str:
    return f'{size / GIB:g} GiB' + ('' if size % GIB == 0 else f' ({size} bytes)')


def _flat(document: dict) -> str:
    return '   '.join(f'{key}: {value}' for key, value in document.items())
