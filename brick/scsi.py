"""Disks that are asked for their size again, until they agree.

Writing to a disk's `rescan` makes the kernel ask the storage (drivers/scsi/scsi_scan.c, sd_revalidate_disk()); when
the write returns, /sys shows the answer. A disk whose path is down keeps its old size, a disk that refuses to answer
gets the size 0, and one whose path dies meanwhile does not return for seconds.
"""

from brick import errors
from brick.sysfs import RUNNING

PATIENCE = 10.0         # seconds for paths to come back and for a storage to show the new size on each of them
ANSWER = 3.0            # seconds for one rescan
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class Agreement:
    """Brings the paths of one device to one size.

    `look()` is the device as it is now, see brick.connectors.scsi.Device; `rescan(names, timeout)` asks the disks, all
    at once, and returns {name: '' or what went wrong}.
    """

    def __init__(self, look, rescan, clock):
        self._look, self._rescan, self._clock = look, rescan, clock
        self._silent = {}               # {disk that did not answer: its size then}; the kernel still asks it

    def reach(self, size):
        """The size that all paths show that answer, at least `size`; 0 wants no size but has every path asked.

        PathsDown if no path answers, DeviceTooSmall if one answers and keeps another size. A path that is about to
        come back or to be given up by the kernel ('blocked') is waited for; then it is left behind.
        """
        until, pause = self._clock.monotonic() + PATIENCE, FIRST_PAUSE
        device = self._look()
        self._ask([path for path in running(device) if path.size < max(size, device.largest) or not size], until)
        while True:
            device = self._look()
            agreed = self._agreed(device, size)
            if agreed and not self._undecided(device, agreed):
                return agreed
            if self._clock.monotonic() >= until:
                return agreed or self._fail(device, size)
            self._clock.sleep(min(pause, until - self._clock.monotonic()))
            pause = min(2 * pause, LONGEST_PAUSE)
            self._ask([path for path in running(self._look()) if path.size < max(size, device.largest)], until)

    def _ask(self, paths, until):
        names = [path.name for path in paths if path.name not in self._silent]
        if names:
            seconds = max(1.0, min(ANSWER, until - self._clock.monotonic()))
            answers = self._rescan(names, seconds)
            self._silent |= {path.name: path.size for path in paths if answers.get(path.name)}

    def _agreed(self, device, size):
        """The one size of all paths that answer, 0 if there is none."""
        sizes = {path.size for path in running(device) if self._answers(path)}
        return sizes.pop() if len(sizes) == 1 and min(sizes) >= max(size, 1) else 0

    def _answers(self, path):
        return path.size and self._silent.get(path.name) != path.size

    def _undecided(self, device, agreed):
        """Some path may yet catch up."""
        return any(path.size != agreed and (path.state == 'blocked' or path.name in self._silent)
                   for path in device.paths)

    def _fail(self, device, size):
        if not any(self._answers(path) for path in running(device)):
            raise errors.PathsDown(f'No path to {device.label} answers now: {device.describe()}.')
        wanted = f'{size} bytes are wanted' if size else 'one size for all is wanted'
        raise errors.DeviceTooSmall(f'{device.label}: {wanted}; paths: {device.describe()}.')


def running(device):
    """The paths that the kernel thinks well of."""
    return [path for path in device.paths if path.state == RUNNING]
