"""Tests on real SCSI, iSCSI, multipath, LVM and guests, in a user-mode Linux machine that touches nothing of its host.

    python -m tests.lab                                 every file of tests here, each in a machine of its own
    python -m tests.lab [--hosts 2] -- COMMAND…         boot a machine (two on a wire), run COMMAND in the first
    python -m tests.lab --shell                         a prompt in it

machine.py is the host's side, init.sh the machine's; wire.py joins two, and neighbour.py is what the first has the
second one do (`python -m tests.lab.neighbour COMMAND…` at a prompt). The tests here are marked `lab` and run inside.
"""
