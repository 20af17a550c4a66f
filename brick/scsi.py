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

    `look()` is the device as it is now, see brick.connectors.scsi.Device; `ask` is privileged.grow().
    """

    def __init__(self, look, ask, clock):
        self._look, self._ask_disks, self._clock = look, ask, clock
        self._silent = {}               # {disk that did not answer: its size then}; the kernel still asks it
        self.reply = ''                 # what multipathd said, if all paths agreed at once and it was asked
        self.device = None              # as it was seen last

    def reach(self, size):
        """The size that all paths show that answer, at least `size`; 0 wants no size but has every path asked.

        PathsDown if no path answers, DeviceTooSmall if one answers and keeps another size. A path that is about to
        come back or to be given up by the kernel ('blocked') is waited for; then it is left behind.
        """
        until, pause = self._clock.monotonic() + PATIENCE, FIRST_PAUSE
        self.device = self._look()
        self._ask(size, until, everyone=not size)
        while True:
            agreed = self._agreed(size)
            if agreed and not self._undecided(agreed):
                return agreed
            left = until - self._clock.monotonic()
            if left <= 0:
                return agreed or self._fail(size)
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
            self.device = self._look()
            self._ask(size, until)

    def _ask(self, size, until, everyone=False):
        """Disks that should show more than they do were asked, and the device was looked at again."""
        device, least = self.device, max(size, self.device.largest, self.device.map_size)
        paths = [path for path in running(device)
                 if (everyone or path.size < least) and path.name not in self._silent]
        if not paths:
            return
        names = [path.name for path in paths]
        whole = device.map and device.members <= set(names)
        seconds = max(1.0, min(ANSWER, until - self._clock.monotonic()))
        answers, self.reply, sizes = self._ask_disks(names, least, device.map if whole else None, seconds)
        self._silent |= {path.name: path.size for path in paths if answers[path.name]}
        if any(answers.values()) or len(paths) < len(device.paths) or device.map not in (None, *sizes):
            self.device = self._look()
        else:
            self.device = device.showing(sizes)

    def _agreed(self, size):
        """The one size of all paths that answer, 0 if there is none, or one that would shrink the map."""
        sizes = {path.size for path in running(self.device) if self._answers(path)}
        return sizes.pop() if len(sizes) == 1 and min(sizes) >= max(size, self.device.map_size, 1) else 0

    def _answers(self, path):
        return path.size and self._silent.get(path.name) != path.size

    def _undecided(self, agreed):
        """Some path may yet catch up."""
        return any(path.size != agreed and (path.state == 'blocked' or path.name in self._silent)
                   for path in self.device.paths)

    def _fail(self, size):
        device = self.device
        if not any(self._answers(path) for path in running(device)):
            raise errors.PathsDown(f'No path to {device.label} answers now: {device.describe()}.')
        least = max(size, device.map_size)
        wanted = f'{least} bytes are wanted' if least else 'one size for all is wanted'
        raise errors.DeviceTooSmall(f'{device.label}: {wanted}; paths: {device.describe()}.')


def running(device):
    """The paths that the kernel thinks well of."""
    return [path for path in device.paths if path.state == RUNNING]
