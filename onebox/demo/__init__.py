"""The demonstrations: a running Linux guest's disk grows; a server moves between two hosts, its disks with it.

Everything is real: libvirt, QEMU, the guest, the `openstack` client. Each runs in a throwaway folder on free ports,
touches nothing else on the machine, and leaves nothing behind.

    python -m onebox.demo [--resize]

stage.py is what they share, grow.py and resize.py are the two stories.
"""
