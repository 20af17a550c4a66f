"""The demonstration: a running Linux guest's disk grows, driven by the `openstack` command.

Everything is real: libvirt, QEMU, the guest, the client.  It runs in a throwaway
folder on free ports, touches nothing else on the machine, and leaves nothing behind.
Exit status 0 means that the guest itself has seen the new size.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from onebox import measure
from onebox.terminal import Screen, duration

LIMIT = 180             # seconds, after the guest image is there
GIB = 1024 ** 3
BIN = pathlib.Path(sys.executable).parent
LOUD = re.compile(r' (WARNING|ERROR|CRITICAL) ')


class Failed(Exception):
    """A step did not end well; `output` is what it had to say."""

    def __init__(self, message, output=''):
        super().__init__(message)
        self.output = output


class Demo:
    """One run. `folder` is thrown away at the end unless `keep`."""

    def __init__(self, screen: Screen, folder: pathlib.Path, clock=time.monotonic):
        self.screen, self.folder = screen, folder
        self._clock = clock
        self._until = clock() + LIMIT
        self._box = None
        self.step = 'start'
        self.times = []         # (step, seconds)

    @contextlib.contextmanager
    def doing(self, name: str):
        """A step with a name, for the heading, the times and for saying what failed."""
        self.step = name
        self.screen.heading(name)
        began = self._clock()
        yield
        self.times.append((name, self._clock() - began))

    def run(self):
        with self.doing('Make a small Linux guest image'):
            self._make_image()
        self._until = self._clock() + LIMIT
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(LIMIT + 5)     # for what does not look at the clock itself
        with self.doing('Start onebox with libvirt'):
            self._start_onebox()
        with self.doing('Create a boot volume from the image'):
            self._create('root', '--image', 'guest', '--bootable')
        with self.doing('Boot a guest from it'):
            self._boot()
        with self.doing('Create a volume of 1 GiB and attach it'):
            data = self._create('data')
            self._attach(data)
        before = self._sizes(data)
        with self.doing('Grow it to 2 GiB while the guest runs'):
            self._grow(data)
        after = self._sizes(data)
        self._report(data, before, after)
        if any(size != 2 * GIB for _, size in after) or any(size != GIB for _, size in before):
            raise Failed('the sizes are not what they should be')

    # -- the steps

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
                   '--backend', 'file', *(f'--{name}-port=0' for name in ('identity', 'volume', 'compute', 'image'))]
        self.screen.command(['onebox', *command[3:]])
        self._said = self.folder.parent / 'said'
        with self._said.open('w') as said:
            # A session of its own: Ctrl-C is for us, and we stop it in good order.
            self._box = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        with self.screen.busy('onebox'):
            while not self._said.read_text().rpartition('Servers run under')[1]:
                self._check_box()
                self._wait('onebox is ready')
        for line in self._said.read_text().splitlines():
            self.screen.line('  ' + self.screen.paint(line, 'dim'))
        self.cloud = measure.Cloud(self.folder)
        with self.screen.busy('the guest image is registered and the host reports'):
            while not (self.cloud.image_is_active('guest') and self.cloud.host_is_up()):
                self._wait('the image and the host are there')

    def _create(self, name, *options) -> dict:
        volume = json.loads(self._openstack('volume', 'create', '--size', '1', *options, name, form='json',
                                            fields=['id', 'name', 'size', 'status']))
        with self.screen.busy(f'volume {name} becomes available'):
            self._until_status('volume', volume['id'], 'available')
        return volume

    def _boot(self):
        self._openstack('server', 'create', '--flavor', 'm1.nano', '--volume', 'root', '--no-network', 'guest',
                        fields=['id', 'name', 'status'])
        self.server = self.cloud.server('guest')
        with self.screen.busy('the guest boots (emulated)') as busy:
            self._until_status('server', self.server, 'ACTIVE')
            while ' is up after ' not in (text := self.cloud.console(self.server)):
                busy.note = f'{len(text.splitlines())} lines on its serial console'
                self._wait('the guest says on its console that it is up')
        self._openstack('console', 'log', 'show', '--lines', '3', 'guest')

    def _attach(self, volume):
        self._openstack('server', 'add', 'volume', 'guest', 'data', fields=['Server ID', 'Volume ID', 'Device'])
        with self.screen.busy('the guest sees the new disk'):
            self._until_status('volume', volume['id'], 'in-use')
            self._until_guest_sees(volume, GIB)

    def _grow(self, volume):
        began = self._clock()
        self._openstack('volume', 'set', '--size', '2', 'data')
        with self.screen.busy('the operation and its children end') as busy:
            while not measure.ended(operations := self.cloud.operations(volume['id'], self.server)):
                if error := measure.failure(operations):
                    raise Failed(error)
                busy.note = measure.where(operations)
                self._wait('the operation has ended')
            if error := measure.failure(operations):
                raise Failed(error)
            self._until_guest_sees(volume, 2 * GIB)
        self.screen.good(f'Done, {duration(self._clock() - began)} after the command was typed.')

    # -- what is seen

    def _sizes(self, volume) -> list[tuple[str, int]]:
        """[(who says so, bytes)]"""
        return [('volume service', self.cloud.volume_size(volume['id'])),
                ('host: the file', self.cloud.file_size(volume['id'])),
                ("host: libvirt's disk", self.cloud.disk_size(self.server, volume['id'])),
                ('guest: serial console', self.cloud.guest_size(self.server, volume['id']) or 0)]

    def _report(self, volume, before, after):
        self.screen.heading('What everybody says')
        self._openstack('volume', 'show', 'data', fields=['name', 'size', 'status'])
        self._openstack('console', 'log', 'show', '--lines', '2', 'guest')
        self.screen.line()
        self.screen.table(['size of the volume according to', 'before', 'after'],
                          [[name, _size(size), _size(dict(after)[name])] for name, size in before])
        self.screen.heading('Where the time went: the operation, step by step')
        self.screen.bars(measure.bars(self.cloud.operations(volume['id'], self.server)))
        self.screen.heading('Where the time of this demonstration went')
        began = 0
        rows = []
        for name, seconds in self.times:
            rows.append((name, began, seconds))
            began += seconds
        self.screen.bars(rows)

    # -- waiting, within the limit

    def _until_status(self, kind, id, wanted):
        while (status := self.cloud.status(kind, id)) != wanted:
            if 'error' in status.lower():
                raise Failed(f'the {kind} is {status}: {self.cloud.complaint(kind, id)}')
            self._wait(f'the {kind} is {wanted} (it is {status})')

    def _until_guest_sees(self, volume, size):
        while self.cloud.guest_size(self.server, volume['id']) != size:
            self._wait(f'the guest sees {_size(size)}')

    def _wait(self, what):
        self._check_box()
        if self._clock() > self._until:
            raise Failed(f'gave up after {LIMIT} s waiting until {what}')
        time.sleep(0.1)

    def _check_box(self):
        if self._box.poll() is not None:
            raise Failed(f'onebox ended with status {self._box.returncode}', self._said.read_text())

    # -- the client

    def _openstack(self, *words, fields=(), form=None) -> str:
        """Runs the real client, shows it and what it said, and returns that."""
        words = ['openstack', *words, *(part for field in fields for part in ('-c', field))]
        self.screen.command(words)
        shown = words + (['-f', form] if form else [])
        with self.screen.busy(' '.join(words[:3])):
            try:
                done = subprocess.run([str(BIN / words[0]), *shown[1:]], capture_output=True, text=True,
                                      env=self._environment(), timeout=max(self._until - self._clock(), 1))
            except subprocess.TimeoutExpired:
                raise Failed(f'{" ".join(words)} did not end within the {LIMIT} s') from None
        if done.returncode:
            raise Failed(f'{" ".join(words)} ended with status {done.returncode}', done.stderr or done.stdout)
        self.screen.output(_flat(json.loads(done.stdout)) if form else done.stdout)
        return done.stdout

    def _environment(self):
        ours = {key: value for key, value in os.environ.items() if not key.startswith('OS_')}
        return {**ours, 'OS_CLIENT_CONFIG_FILE': str(self.folder / 'clouds.yaml'), 'OS_CLOUD': 'onebox'}

    # -- the end

    def clean_up(self):
        """Ends onebox, libvirtd and the guest, whatever state they are in."""
        signal.alarm(0)
        if self._box:
            self._box.terminate()
            try:
                self._box.wait(15)
            except subprocess.TimeoutExpired:
                self._box.kill()
                self._box.wait()
        from onebox import libvirtd
        libvirtd.Libvirtd(self.folder).destroy()

    def complaints(self, most=15) -> str:
        """The last warnings and errors in the log."""
        log = self.folder / 'onebox.log'
        lines = log.read_text(errors='replace').splitlines() if log.exists() else []
        return '\n'.join([line for line in lines if LOUD.search(line)][-most:])


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog='onebox.demo', description=__doc__.splitlines()[0])
    parser.add_argument('--keep', action='store_true', help='leave the state folder there, to look at')
    options = parser.parse_args(argv)
    sys.stdout.reconfigure(errors='replace')
    screen = Screen()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='onebox-demo-'))
    demo = Demo(screen, folder / 'state')
    began = time.monotonic()
    try:
        demo.run()
        screen.line()
        screen.good(screen.paint(f'The guest saw its disk grow. {duration(time.monotonic() - began)} in all.', 'bold'))
        return 0
    except KeyboardInterrupt:
        screen.bad(f'Stopped in the step "{demo.step}".')
        return 130
    except Exception as error:
        screen.line()
        screen.bad(f'The step "{demo.step}" failed: {error}')
        screen.output(getattr(error, 'output', ''), cut=False)
        if complaints := demo.complaints():
            screen.line('Warnings and errors in its log:')
            screen.output(complaints, cut=False)
        return 1
    finally:
        with screen.busy('cleaning up'):
            demo.clean_up()
        if options.keep:
            screen.line(f'The state folder is kept: {folder}')
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _too_late(number, frame):
    raise Failed(f'not done after {LIMIT} s')


def _size(size: int) -> str:
    return f'{size / GIB:g} GiB' + ('' if size % GIB == 0 else f' ({size} bytes)')


def _flat(document: dict) -> str:
    return '   '.join(f'{key}: {value}' for key, value in document.items())


if __name__ == '__main__':
    sys.exit(main())
