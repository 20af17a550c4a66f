"""Both services in the lab's machine: a onebox on logical volumes, iSCSI, multipath and libvirt, for tests to kill."""
import pathlib
import sys

from tests.system.box import Box
from tests.system.deployment import Halt

PORTALS = tuple(f'10.11.{number}.1' for number in range(1, 5))
# Where a test can have the process halt, to kill it there.
HALTS = {'worker': ('volsvc.drivers.lvm:LvmDriver.extend', 'after'),        # before its step's checkpoint
         'agent': ('brick.multipath:Growth.run', 'before')}                 # paths are grown, the map is not
VOLSVC = """
[lvm]
volume_group = lab
lvm_type = thick
volume_clear = none
target_portals = {portals}
"""
# Disks of guests are holes here, in a machine whose only disk is its memory.
COMPUTESVC = """
[agent]
volume_use_multipath = true

[scheduler]
disk_allocation_ratio = 16
"""
# As an operator would not have it: what is due now and then comes soon.
HURRIED_VOLSVC = """
[DEFAULT]
sweep_interval = 2

[service]
lease = 4
poll = 0.5
"""
HURRIED_COMPUTESVC = """
[service]
lease = 4
poll = 0.5

[agent]
heartbeat_interval = 1
sweep_interval = 2
"""


class LabBox(Box):
    """A Box; `halts['worker']` and `halts['agent']` are the test's end of halting.py."""

    patience = 240      # seconds, in a machine that may share a processor with others
    pause = 0.5         # looking takes the processor from what is looked at

    def __init__(self, folder, portals=PORTALS, hurried=True):
        super().__init__(folder, '--hypervisor', 'libvirt', '--backend', 'lvm')
        self.state.mkdir(mode=0o700)
        volsvc = VOLSVC.format(portals=','.join(f'{one}:3260' for one in portals))
        (self.state / 'volsvc.conf').write_text(volsvc + HURRIED_VOLSVC * hurried)
        (self.state / 'computesvc.conf').write_text(COMPUTESVC + HURRIED_COMPUTESVC * hurried)
        self.halts = {name: Halt(folder / f'halt-{name}') for name in HALTS}
        halting = [word for name, place in HALTS.items()
                   for word in ('tests.system.halting', *place, str(self.halts[name].folder))]
        self.command = ['-m', *halting, 'onebox.app']

    def add_tiny_image(self):
        """There is an image 'tiny', of 1 MiB of nothing, for guests that only have disks."""
        images = self.state / 'images'
        images.mkdir()
        (images / 'tiny.raw').write_bytes(bytes(1 << 20))
        return self

    @property
    def hypervisor(self) -> str:
        """libvirt's URI, as it says at its start."""
        return self.said().rpartition('libvirt, ')[2].split('.\n')[0]

    def end(self):
        """Nothing of it runs any more, guests neither."""
        from onebox.libvirtd import Libvirtd
        if self.process and self.process.poll() is None:
            self.stop()
        Libvirtd(self.state).destroy()


def main(folder):
    """Starts one for a prompt, and leaves it running."""
    path = pathlib.Path(folder)
    path.mkdir(parents=True)
    print(LabBox(path).start().said(), end='')


if __name__ == '__main__':
    main(sys.argv[1])
