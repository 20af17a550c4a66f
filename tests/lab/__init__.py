"""Tests on real SCSI, iSCSI, multipath, LVM and guests, in a user-mode Linux machine that touches nothing of its host.

    python -m tests.lab [--seconds N] [--memory SIZE] -- COMMAND…     boot a machine, run COMMAND in it
    python -m tests.lab --shell                                       a prompt in it

machine.py is the host's side, init.sh the machine's. The tests here are marked `lab` and run inside.
"""
