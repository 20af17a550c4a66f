"""Disks between hosts as the memory hypervisor has them: files of one machine, copied as they are.

The same contract as nbd.py's, without programs: for tests and benchmarks of everything else.
"""
import os

from computesvc.host import snapshots
from computesvc.host.base import HostError
from computesvc.host.faults import Faults
from computesvc.host.nbd import read_key
from svckit import process


class Copies:
    """`faults`: of the hypervisor, so that a test can break 'offer', 'fetch' and 'withdraw' too."""

    def __init__(self, faults=None):
        self._faults = faults or Faults()

    def offer(self, folder, name, path, port=None):
        self._faults.before('offer')
        with open(_listing(folder, name), 'w') as file:
            file.write(path)
        self._faults.after('offer')
        return {'folder': folder}

    def withdraw(self, folder):
        self._faults.before('withdraw')
        for entry in os.listdir(folder) if os.path.isdir(folder) else ():
            if entry.endswith('.offer'):
                os.unlink(os.path.join(folder, entry))

    def fetch(self, offer, name, folder, path, progress):
        self._faults.before('fetch')
        if read_key(offer['folder']) != read_key(folder) or not os.path.exists(_listing(offer['folder'], name)):
            raise HostError('A disk could not be copied from the other host.')
        with open(_listing(offer['folder'], name)) as file:
            progress(0.0)
            process.native(snapshots.copy, file.read(), path)
            progress(100.0)
        self._faults.after('fetch')

    def stop_fetching(self, path):
        """Nobody else does: a copy ends with its process."""


def _listing(folder, name):
    return os.path.join(folder, f'{name}.offer')
