"""How long an online extend takes in onebox, from the request to the end of its operation.

    .venv/bin/python benchmarks/extend.py [--layouts memory,libvirt] [--sequential 200] [--burst 200]

For each layout (memory driver and memory hypervisor; file driver and real libvirt):
  start       from the command to the first answered request, and memory when idle
  sequential  online extends one after the other: until the answer, until `in-use` at the new size, and until the
              operation and all its children have ended, the guest's disk grown; and each step's share
  burst       16 in flight over 50 volumes
Prints a table and, as its last line, the same figures as one JSON object.
"""
import argparse
import datetime
import pathlib
import queue
import signal
import sys
import tempfile
import threading
import time

import psutil

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import figures  # noqa: E402
from tests import databases  # noqa: E402
from tests.system.cloud import Cloud  # noqa: E402
from tests.system.processes import Processes, eventually  # noqa: E402

LAYOUTS = {'memory': ('memory', 'memory'), 'libvirt': ('libvirt', 'file')}      # hypervisor, backend
VOLUMES, IN_FLIGHT, VOLUMES_OF_A_SERVER = 50, 16, 10
POLL = 0.02


class Onebox:
    """A onebox of its own in a new folder."""

    def __init__(self, folder, hypervisor, backend, *options):
        self.ports = {name: databases.free_port() for name in ('identity', 'image', 'volume', 'compute')}
        words = [word for name, port in self.ports.items() for word in (f'--{name}-port', port)]
        self.state, self.guests = folder / 'state', hypervisor == 'libvirt'
        self.processes = Processes(folder)
        self._process = self.processes.add('onebox', '-m', 'onebox.app', '--state', self.state,
                                           '--hypervisor', hypervisor, '--backend', backend, *words, *options)

    def start(self) -> float:
        """Seconds from the command to the first answered request of a user, log-in included."""
        began = time.perf_counter()
        self._process.start()
        eventually('onebox answers a user', self._first_answer, pause=0.01)
        return time.perf_counter() - began

    def _first_answer(self):
        if not self.state.joinpath('clouds.yaml').exists():
            return False
        self.user = Cloud(self.state / 'clouds.yaml')
        self.user.volume('GET', '/volumes')
        return True

    def idle_memory(self) -> float:
        time.sleep(5)
        return figures.memory_mib(self._process.pid)

    def processor_seconds(self) -> float:
        return sum(psutil.Process(self._process.pid).cpu_times()[:2])

    def lift_quota(self):
        admin = Cloud(self.state / 'clouds.yaml', 'onebox-admin')
        project = self.user.project_id
        admin.volume('PUT', f'/os-quota-sets/{project}', {'quota_set': {'volumes': -1, 'gigabytes': -1}})

    def stop(self):
        self.processes.stop()
        if self.guests:
            from onebox import hosts
            hosts.end(self.state)           # guests outlive a onebox


def volumes_in_use(onebox, count) -> list[str]:
    """`count` volumes of 1 GiB, attached to running servers."""
    user, made, server = onebox.user, [], None
    flavor = user.compute('GET', '/flavors')['flavors'][0]['id']
    for number in range(count):
        if number % VOLUMES_OF_A_SERVER == 0:
            server = user.new_server(flavor)
        made.append(user.new_volume_in_use(server))
    return made


def extend(user, volume, size, wait=lambda volume: None) -> dict:
    """Seconds from the request to: its answer, the volume in use at `size`, and everything ended; and of each step.

    The ends are those that the services wrote down (their clock is ours), so looking for them costs no precision
    and can be done seldom enough not to be what is measured.
    """
    began = time.time()
    request_id = user.extend(volume, size)
    accepted = time.time() - began
    wait(volume)
    operation = _ended(user, f'/operations?volume_id={volume}&request_id={request_id}')
    parts = [operation, *operation['children']]
    if any(part['state'] != 'done' for part in parts):
        raise RuntimeError(f'an extend ended as {[(part["name"], part["state"], part["error"]) for part in parts]}')
    return {'accepted': accepted, 'in_use': _moment(operation) - began,
            'done': max(_moment(part) for part in parts) - began,
            'steps': {step['name']: step['seconds'] for part in parts for step in part['steps']}}


def _ended(user, path):
    end = time.time() + 120
    while time.time() < end:
        operation = user.volume('GET', path)['operations'][0]
        if all(part['finished_at'] for part in (operation, *operation['children'])):
            return operation
        time.sleep(POLL)
    raise TimeoutError(f'an extend did not end: {operation}')


def _moment(operation) -> float:
    return datetime.datetime.fromisoformat(operation['finished_at'] + '+00:00').timestamp()


def sequential(onebox, volumes, count) -> dict:
    used = onebox.processor_seconds()
    taken = [extend(onebox.user, volumes[number % len(volumes)], 2 + number // len(volumes)) for number in range(count)]
    used = onebox.processor_seconds() - used
    steps = {step: figures.summary([one['steps'][step] for one in taken]) for step in taken[0]['steps']}
    return {what: figures.summary([one[what] for one in taken]) for what in ('accepted', 'in_use', 'done')} | {
        'steps': steps, 'processor_ms': round(used / count * 1000, 1)}


class Watch:
    """One look for all who wait for their volumes: sixteen that each look would be measured instead of the extends."""

    def __init__(self, user):
        self._user, self._waiting, self._lock = user, {}, threading.Lock()
        self._stopped = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def wait(self, volume):
        """Returns when no operation of the volume is live."""
        idle = threading.Event()
        with self._lock:
            self._waiting[f'volume:{volume}'] = idle
        if not idle.wait(300):
            raise TimeoutError(f'operations of volume {volume} did not end')

    def _look(self):
        while not self._stopped.wait(POLL):
            with self._lock:
                asked = dict(self._waiting)
            live = self._user.volume('GET', '/operations?state=live')['operations']
            for resource in asked.keys() - {operation['resource'] for operation in live}:
                with self._lock:
                    del self._waiting[resource]
                asked[resource].set()

    def stop(self):
        self._stopped.set()


def burst(onebox, volumes, count, size) -> dict:
    """`count` extends over the volumes, IN_FLIGHT at a time, none twice on a volume at once."""
    todo, done, lock, errors = queue.Queue(), [], threading.Lock(), []
    for number in range(count):
        todo.put((number % len(volumes), size + number // len(volumes)))
    turns, watch = [threading.Lock() for _ in volumes], Watch(Cloud(onebox.state / 'clouds.yaml'))

    def work():
        user = Cloud(onebox.state / 'clouds.yaml')
        while True:
            try:
                place, wanted = todo.get_nowait()
            except queue.Empty:
                return
            with turns[place]:
                try:
                    seconds = extend(user, volumes[place], wanted, watch.wait)['done']
                except (AssertionError, RuntimeError, OSError) as error:
                    errors.append(str(error))
                    continue
            with lock:
                done.append(seconds)

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    watch.stop()
    return {'per_s': round(len(done) / wall, 1), 'done': figures.summary(done), 'errors': errors[:5]}


def measure(layout, options) -> dict:
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        onebox = Onebox(pathlib.Path(folder), *LAYOUTS[layout])
        try:
            result = {'start_s': round(onebox.start(), 2), 'idle_mib': onebox.idle_memory()}
            onebox.lift_quota()
            volumes = volumes_in_use(onebox, VOLUMES)
            extend(onebox.user, volumes[0], 2)                      # warm
            result['sequential'] = sequential(onebox, volumes[1:11], options.sequential)
            largest = 2 + options.sequential // 10
            result['burst'] = burst(onebox, volumes, options.burst, largest + 1)
            result['memory_after_mib'] = figures.memory_mib(onebox.processes['onebox'].pid)
            return result
        except BaseException:
            print(onebox.processes.last_words(), file=sys.stderr)
            raise
        finally:
            onebox.stop()


def rows(layout, result):
    s, b = result['sequential'], result['burst']
    yield f'{layout}: start, command to first answer', '', '', f'{result["start_s"]} s', '', ''
    yield f'{layout}: memory idle / after', '', '', f'{result["idle_mib"]} / {result["memory_after_mib"]} MiB', '', ''
    figure_rows = [(f'{layout}: extend answered', s['accepted'], ''),
                   (f'{layout}: extend until in-use', s['in_use'], ''),
                   (f'{layout}: extend until operation done', s['done'], ''),
                   *((f'{layout}:   of which {name}', step, '') for name, step in s['steps'].items()),
                   (f'{layout}: done, {IN_FLIGHT} in flight over {VOLUMES} volumes', b['done'], b['per_s'])]
    yield f'{layout}: processor time of one, looking included', s['done']['n'], '', s['processor_ms'], '', ''
    for name, figure, rate in figure_rows:
        yield name, figure['n'], rate, figure['p50_ms'], figure['p95_ms'], figure['max_ms']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--layouts', default=','.join(LAYOUTS))
    parser.add_argument('--sequential', type=int, default=200)
    parser.add_argument('--burst', type=int, default=200)
    options = parser.parse_args()
    # `kill` ends it as Ctrl-C does: everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results = {}
    for layout in options.layouts.split(','):
        print(f'{layout} ...', file=sys.stderr)
        results[layout] = measure(layout, options)
    figures.report(('measurement', 'n', 'per s', 'p50 ms', 'p95 ms', 'max ms'),
                   [row for layout, result in results.items() for row in rows(layout, result)], results)


if __name__ == '__main__':
    main()
