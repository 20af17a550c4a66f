"""How long a resize between two hosts takes, from the request to VERIFY_RESIZE, against the bare actions on the hosts.

    .venv/bin/python benchmarks/resize.py [--rounds 9]

One server that boots from a volume in a file, with a real guest, in a onebox with two libvirt hosts. Each round moves
it to the other host and confirms that, and then moves such a guest between two libvirts with nothing around it:
  services  POST of the resize until the server's status is VERIFY_RESIZE, as the service wrote the moments down (their
            clock is ours: looking for it does not disturb); and each step's share
  bare      what has to be done on the hosts and no more, in one process that has its connections open: press the power
            button and wait for the guest to end, disconnect the volume, connect it, define the guest, start it
In both the guest takes its time to shut down, which is neither's doing: so the same is said without it.
Prints a table of medians and, as its last line, the same as one JSON object.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import libvirt  # noqa: E402

import brick  # noqa: E402
from benchmarks import figures  # noqa: E402
from benchmarks.extend import Onebox  # noqa: E402
from computesvc.host.libvirt import disks, host, xml  # noqa: E402
from onebox import guest, measure  # noqa: E402
from onebox.libvirtd import Libvirtd  # noqa: E402
from tests.system.cloud import Cloud  # noqa: E402
from tests.system.processes import eventually  # noqa: E402

GIB = 1 << 30
PATIENCE = 120      # seconds that a guest has to boot
POLL = 0.25         # seconds between two looks whether the services are done
SAME = {'shut_down': 'shutdown', 'disconnect_source': 'disconnect', 'connect_devices': 'connect',
        'spawn': 'define, start'}
SHUTDOWN = 'shut_down'


class Moved:
    """A server in a onebox with two hosts, which moves by asking for it."""

    def __init__(self, folder):
        self.onebox = Onebox(folder, 'libvirt', 'file', '--hosts', 2)

    def start(self):
        self.onebox.start()
        self.user, admin = self.onebox.user, Cloud(self.onebox.state / 'clouds.yaml', 'onebox-admin')
        self.flavors = [admin.compute('POST', '/flavors', {'flavor': {
            'name': name, 'ram': 128, 'vcpus': 1, 'disk': 1}})['flavor']['id'] for name in ('one', 'other')]
        image = self.user.image_id('guest')
        eventually('both hosts report', lambda: len(admin.compute('GET', '/os-hypervisors')['hypervisors']) == 2)
        root = self.user.new_volume(1, imageRef=image)
        eventually('the volume is made', lambda: self.user.volume_is(root, status='available'))
        disk = {'boot_index': 0, 'uuid': root, 'source_type': 'volume', 'destination_type': 'volume'}
        self.id = self.user.compute('POST', '/servers', {'server': {
            'name': 'guest', 'flavorRef': self.flavors[0], 'networks': 'none',
            'block_device_mapping_v2': [disk]}})['server']['id']
        self._is('ACTIVE')
        self._has_come_up()

    def move(self) -> dict:
        """Seconds from the request to VERIFY_RESIZE, which the last step sets, and of each step.

        Afterwards it is confirmed, and its guest is up.
        """
        self.flavors.reverse()
        began = time.time()
        self._act({'resize': {'flavorRef': self.flavors[0]}})
        answered = time.time() - began
        self._is('VERIFY_RESIZE')
        operation = self._last('resize-server')
        steps = operation['steps']
        self._has_come_up()
        self._act({'confirmResize': None})
        self._is('ACTIVE')
        eventually('the source is clean', lambda: all(operation['finished_at'] for operation in self.user.compute(
            'GET', f'/servers/{self.id}/operations')['operations']), PATIENCE, POLL)
        return {'answered': answered, 'whole': measure.seconds(steps[-1]['finished_at']) - began,
                'steps': {step['name']: step['seconds'] for step in steps}}

    def _last(self, name):
        path = f'/servers/{self.id}/operations'
        found = max((one for one in self.user.compute('GET', path)['operations'] if one['name'] == name),
                    key=lambda one: one['created_at'])
        return self.user.compute('GET', f'{path}/{found["id"]}')['operation']

    def _act(self, body):
        self.user.compute('POST', f'/servers/{self.id}/action', body)

    def _is(self, status):
        eventually(f'the server is {status}', lambda: self.user.server_is(self.id, status), PATIENCE, POLL)

    def _has_come_up(self):
        eventually('the guest counts', lambda: guest.counters(self.user.compute(
            'POST', f'/servers/{self.id}/action', {'os-getConsoleOutput': {}})['output']), PATIENCE, POLL)

    def stop(self):
        self.onebox.stop()


class Bare:
    """The same guest on the same kind of volume, between two libvirts."""

    def __init__(self, folder):
        self._folder, self._id = folder, str(uuid.uuid4())
        self._daemons = [Libvirtd(folder / name) for name in ('one', 'other')]

    def start(self):
        libvirt.registerErrorHandler(lambda context, error: None, None)     # it prints to stderr otherwise
        self._hosts = [libvirt.open(daemon.start()) for daemon in self._daemons]
        volume = self._folder / 'volume'
        self._volume = {'device_path': str(volume), 'volume_id': self._id}
        shutil.copyfile(guest.image(), volume)
        os.truncate(volume, GIB)
        self._connector = brick.connector_for('local')
        self._type = host.best_type(self._hosts[0], 'pc')
        self._domain = self._define(self._hosts[0], self._connector.connect(self._volume))
        self._domain.create()
        self._has_come_up()

    def move(self) -> dict:
        """Seconds of each action; afterwards the guest is up at the other one, and the first knows nothing of it."""
        steps, gone = {}, self._domain
        self._hosts.reverse()
        with _timed(steps, 'shutdown'):
            gone.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
            while gone.isActive():
                time.sleep(0.005)
        with _timed(steps, 'disconnect'):
            self._connector.disconnect(self._volume, None)
        with _timed(steps, 'connect'):
            device = self._connector.connect(self._volume)
        with _timed(steps, 'define'):
            self._domain = self._define(self._hosts[0], device)
        with _timed(steps, 'start'):
            self._domain.create()
        gone.undefine()
        self._has_come_up()
        return {'whole': sum(steps.values()), 'steps': steps}

    def _define(self, connection, device):
        self._console = self._folder / f'console-{uuid.uuid4()}'
        disk = {'volume_id': self._id, 'path': device['path'], 'type': 'file', 'format': 'raw', 'target': 'vda',
                'boot_index': 0, 'read_only': False}
        server = {'id': self._id, 'name': 'bare', 'vcpus': 1, 'memory_mb': 128}
        return connection.defineXML(xml.domain(server, disks.with_cache_modes([disk]), [], str(self._console),
                                               self._type, 'pc'))

    def _has_come_up(self):
        eventually('the bare guest counts', lambda: guest.counters(self._console.read_text(errors='replace')),
                   PATIENCE, POLL)

    def stop(self):
        for daemon in self._daemons:
            daemon.destroy()


class _timed:
    """The seconds of its block, into `steps`."""

    def __init__(self, steps, name):
        self._steps, self._name = steps, name

    def __enter__(self):
        self._began = time.perf_counter()

    def __exit__(self, *error):
        self._steps[self._name] = time.perf_counter() - self._began


def summary(rounds, shutdown) -> dict:
    """Medians of everything, `rest` being the whole without the guest's shutdown."""
    names = list(rounds[0]['steps'])
    return {'whole': figures.summary([one['whole'] for one in rounds]),
            'rest': figures.summary([one['whole'] - one['steps'][shutdown] for one in rounds]),
            'steps': {name: figures.summary([one['steps'][name] for one in rounds]) for name in names}}


def both(rounds) -> dict:
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='bench-')))
        (folder / 'bare').mkdir()
        moved, bare = Moved(folder), Bare(folder / 'bare')
        for one in (moved, bare):
            stack.callback(one.stop)
            one.start()
        try:
            taken = [(moved.move(), bare.move()) for _ in range(rounds + 1)][1:]        # the first is to warm up
        except BaseException:
            print(moved.onebox.processes.last_words(), file=sys.stderr)
            raise
    services, bare = [one for one, _ in taken], [one for _, one in taken]
    result = {'services': summary(services, SHUTDOWN), 'bare': summary(bare, 'shutdown')}
    result['services']['answered'] = figures.summary([one['answered'] for one in services])
    result['services']['between_ms'] = round(statistics.median(
        one['whole'] - sum(one['steps'].values()) for one in services) * 1000, 1)
    result['ratio'] = {part: round(result['services'][part]['p50_ms'] / result['bare'][part]['p50_ms'], 2)
                       for part in ('whole', 'rest')}
    return result


def rows(result):
    services, bare, ratio = result['services'], result['bare'], result['ratio']
    bare_steps = {name: figure['p50_ms'] for name, figure in bare['steps'].items()}
    bare_steps['define, start'] = round(bare_steps['define'] + bare_steps['start'], 1)
    yield 'request to VERIFY_RESIZE', *_cells(services['whole']), *_cells(bare['whole'])[1:], ratio['whole']
    yield 'the same without the guest\'s shutdown', *_cells(services['rest']), *_cells(bare['rest'])[1:], ratio['rest']
    yield 'request answered', *_cells(services['answered']), '', '', ''
    for name, figure in services['steps'].items():
        yield f'  {name}', *_cells(figure), bare_steps.get(SAME.get(name), ''), '', ''
    yield '  between the steps', '', services['between_ms'], '', '', '', ''


def _cells(figure):
    return figure['n'], figure['p50_ms'], figure['max_ms']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=9)
    options = parser.parse_args()
    # `kill` ends it as Ctrl-C does: everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    result = both(options.rounds)
    figures.report(('measurement', 'n', 'services p50 ms', 'max ms', 'bare p50 ms', 'max ms', 'ratio'),
                   list(rows(result)), result)


if __name__ == '__main__':
    main()
