"""How long it takes from the request to extend a volume until its guest's disk has grown, against the bare commands.

    .venv/bin/python -m tests.lab -- python benchmarks/lab_extend.py [--rounds 15] [--paths 4]

In the lab's machine, on one volume in use: a logical volume, so many iSCSI paths, a multipath map, a running guest
under libvirt. Each round grows it three times, by each of these in turn:
  services  POST os-extend; the time until the step that has libvirt show the guest the new size has ended (as the
            service wrote it down: looking for it does not disturb)
  least     the same work with nothing around it, in one process of root's that has all connections open already:
            lvextend (a program: LVM offers nothing else), `1` into each path's rescan, `resize map` through
            multipathd's socket, libvirt's blockResize()
  typed     what an operator would type for that: lvextend, tee, multipathd, virsh
Each time all paths, the map and the guest are looked at afterwards. User-mode Linux makes programs dear, about twenty
times as dear as on hardware. Prints a table of medians and, as its last line, the same as one JSON object.
"""
import argparse
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import libvirt  # noqa: E402

from benchmarks import figures  # noqa: E402
from tests.lab.services import LabBox  # noqa: E402
from tests.lab.sight import GIB, Seen  # noqa: E402
from tests.system.processes import eventually  # noqa: E402

MULTIPATHD = '\0/org/kernel/linux/storage/multipathd'
LENGTH = struct.Struct('@N')
BLOCK = pathlib.Path('/sys/class/block')
WAYS = ('services', 'least', 'typed')
LAST = 'grow_guest_disk'
POLL = 0.25         # seconds between two looks whether all has ended
IDLE = 0.5          # seconds of rest before each: udev has seen the last one


class Volume:
    """One in use by a running server; `grow(name)` takes it a GiB further by one of the ways, and returns seconds."""

    target = 'vdb'

    def __init__(self, box):
        self.box = box.add_tiny_image().start()
        self.user, admin = box.api('onebox'), box.api('onebox-admin')
        flavor = {'name': 'small', 'ram': 64, 'vcpus': 1, 'disk': 1}
        flavor = admin.compute('POST', '/flavors', {'flavor': flavor})['flavor']['id']
        self.id = self.user.new_volume(1)
        eventually('the volume is made', lambda: self.user.volume_is(self.id, status='available'))
        eventually('the host has reported', lambda: admin.compute('GET', '/os-hypervisors')['hypervisors'], 120)
        wanted = {'name': 'guest', 'flavorRef': flavor, 'networks': 'none', 'imageRef': self.user.image_id('tiny')}
        self.server = self.user.compute('POST', '/servers', {'server': wanted})['server']['id']
        eventually('the server runs', lambda: self.user.server_is(self.server, 'ACTIVE'), 120)
        self.user.attach(self.server, self.id)
        eventually('the volume is attached', lambda: self.user.volume_is(self.id, status='in-use'), 120)
        self.seen, self.size, self.steps = Seen(self.id, box.hypervisor), GIB, []
        self.disks, self.map = list(self.seen.disks().values()), pathlib.Path(self.seen.device()).name
        self._connection = libvirt.open(box.hypervisor)
        self._domain = self._connection.lookupByUUIDString(self.server)

    def grow(self, way) -> float:
        time.sleep(IDLE)
        self.size += GIB
        seconds = getattr(self, way)()
        found = self.seen.sizes(self.server)
        assert set(found.values()) == {self.size}, (way, found)
        return seconds

    # -- the ways

    def services(self):
        began = time.time()
        request = self.user.extend(self.id, self.size // GIB)
        answered = time.time()
        steps = self._ended(request)
        self.steps.append({'answer': answered - began} | {step['name']: step['seconds'] for step in steps})
        return next(step['finished_at'] for step in steps if step['name'] == LAST) - began

    def least(self):
        began = time.time()
        run('lvextend', '--size', f'{self.size}b', self.seen.logical)
        for disk in self.disks:
            (BLOCK / disk / 'device/rescan').write_text('1')
        self._resize_map()
        self._domain.blockResize(self.target, self.size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        return time.time() - began

    def typed(self):
        began = time.time()
        run('lvextend', '--size', f'{self.size}b', self.seen.logical)
        for disk in self.disks:
            run('tee', BLOCK / disk / 'device/rescan', input='1')
        run('multipathd', 'resize', 'map', self.map)
        run('virsh', '--connect', self.box.hypervisor, 'blockresize', self.server, self.target, f'{self.size}b')
        return time.time() - began

    def _resize_map(self):
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(MULTIPATHD)
            words = f'resize map {self.map}'.encode() + b'\0'
            daemon.sendall(LENGTH.pack(len(words)) + words)
            length, = LENGTH.unpack(daemon.recv(LENGTH.size, socket.MSG_WAITALL))
            assert daemon.recv(length, socket.MSG_WAITALL).startswith(b'ok')

    def _ended(self, request) -> list[dict]:
        """All steps of both services; `finished_at` of the compute service's is in seconds since the epoch."""
        path = f'/operations?volume_id={self.id}&request_id={request}'
        operation = eventually('the extend has ended', lambda: self._all_done(path), pause=POLL)
        index = self.user.compute('GET', f'/servers/{self.server}/operations')['operations'][0]
        host = self.user.compute('GET', f'/servers/{self.server}/operations/{index["id"]}')['operation']
        return [*operation['steps'], *operation['children'][0]['steps'], *host['steps']]

    def _all_done(self, path):
        operation, = self.user.volume('GET', path)['operations']
        parts = [operation, *operation['children']]
        assert all(part['finished_at'] for part in parts)
        if any(part['state'] != 'done' or part['outcome'] and 'lags' in part['outcome'] for part in parts):
            raise RuntimeError(f'an extend ended as {parts}')
        return operation


def run(*command, **how):
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, **how)


def measure(volume, rounds) -> dict:
    for way in WAYS:                # warm
        volume.grow(way)
    volume.steps.clear()
    taken = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            taken[way].append(volume.grow(way))
    return {way: figures.summary(seconds) for way, seconds in taken.items()} | {
        'steps': {name: figures.summary([steps[name] for steps in volume.steps]) for name in volume.steps[0]}}


def show(found, paths):
    least = found['least']['p50_ms']
    rows = [(way, found[way]['n'], found[way]['p50_ms'], found[way]['p95_ms'], f'{found[way]["p50_ms"] / least:.2f}')
            for way in WAYS]
    rows += [(f'  services: {name}', one['n'], one['p50_ms'], one['p95_ms'], '')
             for name, one in found['steps'].items()]
    figures.report((f'request to guest, {paths} paths', 'n', 'p50 ms', 'p95 ms', '/ least'), rows, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--paths', type=int, default=4)
    options = parser.parse_args()
    if 'LAB_NODE' not in os.environ:
        parser.error('in the lab: .venv/bin/python -m tests.lab -- python benchmarks/lab_extend.py')
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        portals = [f'10.11.{number + 1}.1' for number in range(options.paths)]
        box = LabBox(pathlib.Path(folder), portals, hurried=False)
        try:
            found = measure(Volume(box), options.rounds)
        finally:
            box.end()
    show(found, options.paths)


if __name__ == '__main__':
    main()
