"""A real, small Linux guest: a bootable raw disk image, made from Debian's kernel and busybox.

    path = guest.image(cache_dir)                    # built once, then found again
    guest.kvm_works(path)                            # can this machine run it with hardware help?
    guest.sizes_seen(console_text)                   # {'vda': Disk(bytes, serial), …} as the guest last said
    guest.counters(console_text)                     # {'vda': 17, …}: how far it has counted on each disk

The guest prints its disks and their sizes to its serial console whenever they change, counts on each of them, going on
from what it finds there (init.sh), and obeys the power button. No root, no loop devices and no mounts are needed to
build it.
"""

from onebox.guest.accelerator import kvm_works
from onebox.guest.image import Unavailable, image
from onebox.guest.report import Disk, counters, counters_found, machine, size_seen, sizes_seen, starts

__all__ = ['Disk', 'Unavailable', 'counters', 'counters_found', 'image', 'kvm_works', 'machine', 'size_seen',
           'sizes_seen', 'starts']
