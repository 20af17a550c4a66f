"""How long it takes a host to see that a device has grown: brick's grow() against os-brick's extend_volume().

    .venv/bin/python -m tests.lab -- python benchmarks/grow.py [--paths 1,2,4,8] [--others 1,50] [--rounds 5]

In the lab's machine, on one map over so many iSCSI paths, and with so many other maps on the host. Each round grows the
logical volume several times, and each time one of three makes the host see it, in turn; the last once, being slow,
the others three times, as what udev does on the one processor makes theirs vary:
  bare      nothing but the kernel's and multipathd's own work, as root in one process: `1` into each path's rescan, one
            after the other, and `resize map` through multipathd's socket
  brick     grow(), with the privileged daemon
  os-brick  LinuxSCSI.extend_volume(), which spawns programs; user-mode Linux makes that dear, about twenty times as
            dear as on hardware, so the ratio there is smaller
Each begins on a host at rest: udev and multipathd have done with what the growth before made them do. Afterwards the
size of the map is checked. Prints a table of medians and, as its last line, the same as one JSON object.
"""
import argparse
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import os_brick.privileged  # noqa: E402
from os_brick.initiator import linuxscsi  # noqa: E402

import brick  # noqa: E402
from benchmarks import figures  # noqa: E402
from brick import multipath  # noqa: E402
from tests.lab import disks  # noqa: E402

SIZE, STEP = 64 << 20, 8 << 20


def add_others(first, last):
    """Other volumes are connected: each has a target of its own, two sessions and a map."""
    import rtslib_fb
    for number in range(first, last):
        name = f'other{number}'
        target = rtslib_fb.Target(rtslib_fb.FabricModule('iscsi'), f'iqn.2010-10.org.openstack:{name}')
        group = rtslib_fb.TPG(target, 1)
        disks.open_to_all(group)
        rtslib_fb.LUN(group, 0, rtslib_fb.FileIOStorageObject(name, f'/run/lab/{name}', size=64 << 20))
        for portal in disks.PORTALS[:2]:
            rtslib_fb.NetworkPortal(group, portal, disks.PORT)
        group.enable = True
    if last > first:
        disks.run('iscsiadm', '-m', 'discovery', '-t', 'sendtargets', '-p', f'{disks.PORTALS[0]}:{disks.PORT}')
        disks.run('iscsiadm', '-m', 'node', '--loginall=all', check=False)      # some of them are there already
        disks.run('iscsiadm', '-m', 'session', '--rescan')
        disks.until(lambda: maps() == last, seconds=120, what='the other maps')
        disks.run('udevadm', 'settle')


def maps():
    return sum(path.read_text().startswith('mpath-') for path in pathlib.Path('/sys/block').glob('dm-*/dm/uuid'))


def rest():
    """Nobody works on an event of the kernel's any more."""
    disks.run('udevadm', 'settle')
    disks.until(lambda: 'busy: False' in multipath.ask(['show', 'status']), what='multipathd at rest')


class Contest:
    """One volume, and who makes the host see its growth."""

    def __init__(self, paths):
        self.volume = disks.Volume('subject', disks.PORTALS[:paths], size=SIZE)
        self.volume.login()
        self.device = self.volume.await_map()
        self.name = pathlib.Path(f'/sys/block/{self.device}/dm/name').read_text().strip()
        self.size = SIZE
        self.connector = brick.connector_for('iscsi', multipath=True)
        self.taken = {'bare': [], 'brick': [], 'os-brick': []}

    def rounds(self, count):
        quick = ('bare', self.bare), ('brick', self.brick)
        for _ in range(count):
            for name, grow in (*quick, *quick, *quick, ('os-brick', self.os_brick)):
                self.size += STEP
                self.volume.extend(self.size)
                rest()
                began = time.perf_counter()
                grow()
                self.taken[name].append(time.perf_counter() - began)
                assert disks.size(self.device) == self.size, name
        return {name: statistics.median(taken) for name, taken in self.taken.items()}

    def bare(self):
        for disk in pathlib.Path(f'/sys/block/{self.device}/slaves').iterdir():
            with open(disk / 'device/rescan', 'w') as file:
                file.write('1')
        assert multipath.ask(['resize', 'map', self.name]) == 'ok'

    def brick(self):
        assert self.connector.grow(self.volume.data, self.size) == self.size

    def os_brick(self):
        found = [f'/dev/{disk}' for disk in self.volume.disks()]
        assert linuxscsi.LinuxSCSI(None).extend_volume(found, use_multipath=True)

    def end(self):
        self.volume.remove()


def show(found, rounds):
    head = ('paths', 'other maps', 'bare ms', 'brick ms', 'os-brick ms', 'brick / bare', 'os-brick / brick')
    rows = [(row['paths'], row['others'], *(f'{row[name] * 1000:.1f}' for name in ('bare', 'brick', 'os-brick')),
             f'{row["brick"] / row["bare"]:.2f}', f'{row["os-brick"] / row["brick"]:.0f}') for row in found]
    figures.report(head, rows, {'rounds': rounds, 'seconds': found})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--paths', default='1,2,4,8')
    parser.add_argument('--others', default='1,50')
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    if 'LAB_NODE' not in os.environ:
        parser.error('in the lab: .venv/bin/python -m tests.lab -- python benchmarks/grow.py')
    brick.setup(lock_path='/run/locks')
    brick.warm_up()
    os_brick.privileged.default.set_client_mode(False)      # it runs what it runs as root right here
    found, there = [], 0
    for others in sorted(int(count) for count in options.others.split(',')):
        add_others(there, others)
        there = others
        for paths in [int(count) for count in options.paths.split(',')]:
            contest = Contest(paths)
            found.append({'paths': paths, 'others': others, **contest.rounds(options.rounds)})
            contest.end()
            print(found[-1], file=sys.stderr)
    show(found, options.rounds)


if __name__ == '__main__':
    main()
