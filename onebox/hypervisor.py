"""Which hypervisor runs the servers: a private libvirt if it can start, else one in memory."""
import os
import threading

from onebox import files
from svckit import process


class Unavailable(Exception):
    """The hypervisor that was asked for cannot start; the sentence says why."""


class Choice:
    """Starts libvirtd at once, beside everything else; `hypervisor()` waits for it.

    `wish` is 'auto', 'libvirt' or 'memory'.  A folder whose servers live under
    libvirt is never opened with another one by 'auto': they would look lost.
    """

    def __init__(self, wish: str, state):
        self._wish, self._state = wish, state
        self._mark = state.folder / 'hypervisor'
        self._before = self._mark.read_text().strip() if self._mark.exists() else None
        self._libvirtd = self._uri = self._why_not = None
        if wish == 'auto' and self._before == 'memory':
            self._why_not = 'it was not available at the first start on this folder; --hypervisor libvirt tries again'
        self._thread = None
        if self.wants_libvirt:
            self._thread = threading.Thread(target=self._start, name='libvirtd', daemon=True)
            self._thread.start()

    @property
    def wants_libvirt(self) -> bool:
        return self._wish == 'libvirt' or self._wish == 'auto' and self._before != 'memory'

    def decide(self) -> str:
        """A sentence about the hypervisor that will be; Unavailable if there is none."""
        if self._thread:
            self._thread.join()
        if self._uri:
            name, about = 'libvirt', f'libvirt, {self._uri}'
        elif self._wish == 'libvirt':
            raise Unavailable(f'libvirt cannot start: {self._why_not}.')
        elif self._before == 'libvirt' and self._wish == 'auto':
            raise Unavailable(f'The servers in {self._state.folder} run under libvirt, which cannot start now: '
                              f'{self._why_not}. With --hypervisor memory they would be lost.')
        else:
            reason = f'. No libvirt: {self._why_not}' if self._wish == 'auto' else ''
            name, about = 'memory', f'memory: servers are only remembered{reason}'
        files.write(self._mark, name + '\n')
        return about

    def hypervisor(self, image):
        """The computesvc Hypervisor that was decided on.

        `image()` gives a bootable image, or None, on which to try whether a KVM that
        seems to be there works; it is only called if that is in question.
        """
        if not self._uri:
            from computesvc.host.memory import Memory
            return Memory('memory', path=str(self._state.memory))
        from computesvc.host.libvirt import Libvirt
        return Libvirt(self._uri, str(self._state.servers), virt_type='kvm' if _kvm_works(image) else 'qemu')

    def stop(self) -> int:
        """Ends libvirtd; the number of guests that go on running without it."""
        if self._thread:
            self._thread.join()
        if not self._libvirtd:
            return 0
        self._libvirtd.stop()
        return len(self._libvirtd.guests())

    def _start(self):
        from onebox import libvirtd
        try:
            self._libvirtd = libvirtd.Libvirtd(self._state.folder)
            self._uri = self._libvirtd.start()
        except libvirtd.Unavailable as error:
            self._why_not = str(error).rstrip('.')


def _kvm_works(image) -> bool:
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False
    from onebox import guest
    path = image()
    return path is not None and process.native(guest.kvm_works, path)
