"""Which hypervisor runs the servers: private libvirts, one for each host, if they can start, else ones in memory."""
import os
import threading

from onebox import files
from svckit import process


class Unavailable(Exception):
    """The hypervisor that was asked for cannot start; the sentence says why."""


class Choice:
    """Starts each host's libvirtd at once, beside everything else; `hypervisors()` waits for them.

    `wish` is 'auto', 'libvirt' or 'memory'.  A folder whose servers live under
    libvirt is never opened with another one by 'auto': they would look lost.
    """

    def __init__(self, wish: str, folder, hosts):
        self._wish, self._folder, self._hosts = wish, folder, hosts
        self._mark = folder / 'hypervisor'
        self._before = self._mark.read_text().strip() if self._mark.exists() else None
        self._libvirtds, self._uris, self._why_not = [], [], None
        if wish == 'auto' and self._before == 'memory':
            self._why_not = 'it was not available at the first start on this folder; --hypervisor libvirt tries again'
        self._thread = None
        if self.wants_libvirt:
            self._thread = threading.Thread(target=self._start, name='libvirtd', daemon=True)
            self._thread.start()

    @property
    def wants_libvirt(self) -> bool:
        return self._wish == 'libvirt' or self._wish == 'auto' and self._before != 'memory'

    def decide(self) -> list[str]:
        """What they will be, in words, and if there are several a line about each; Unavailable if there are none."""
        if self._thread:
            self._thread.join()
        if self._has_libvirt:
            name, about, more = 'libvirt', 'libvirt', self._uris
        elif self._wish == 'libvirt':
            raise Unavailable(f'libvirt cannot start: {self._why_not}.')
        elif self._before == 'libvirt' and self._wish == 'auto':
            raise Unavailable(f'The servers in {self._folder} run under libvirt, which cannot start now: '
                              f'{self._why_not}. With --hypervisor memory they would be lost.')
        else:
            reason = f'. No libvirt: {self._why_not}' if self._wish == 'auto' else ''
            name, about, more = 'memory', f'memory: servers are only remembered{reason}', [''] * len(self._hosts)
        files.write(self._mark, name + '\n')
        return self._about(about, more)

    def hypervisors(self, image):
        """A computesvc Hypervisor for each host, of the kind that was decided on.

        `image()` gives a bootable image, or None, on which to try whether a KVM that
        seems to be there works; it is only called if that is in question.
        """
        if not self._has_libvirt:
            from computesvc.host.memory import Memory
            return [Memory('memory', path=str(host.memory)) for host in self._hosts]
        from computesvc.host.libvirt import Libvirt
        kind = 'kvm' if _kvm_works(image) else 'qemu'
        return [Libvirt(uri, str(host.servers), virt_type=kind, host_ip=host.address or '127.0.0.1')
                for host, uri in zip(self._hosts, self._uris, strict=True)]

    def stop(self) -> int:
        """Ends each libvirtd; the number of guests that go on running without them."""
        if self._thread:
            self._thread.join()
        for libvirtd in self._libvirtds:
            libvirtd.stop()
        return sum(len(libvirtd.guests()) for libvirtd in self._libvirtds)

    @property
    def _has_libvirt(self):
        return len(self._uris) == len(self._hosts)

    def _about(self, about, more):
        if len(self._hosts) == 1:
            return [f'{about}, {more[0]}'.removesuffix(', ')]
        width = max(len(host.name) for host in self._hosts)
        lines = [f'{"host":9} {host.name:{width}}  {host.address or "127.0.0.1"}  {one}'.rstrip()
                 for host, one in zip(self._hosts, more, strict=True)]
        return [f'{about}, on {len(lines)} hosts', *lines]

    def _start(self):
        """One after the other: what the first finds out about this machine's QEMUs, the others need not ask again."""
        from onebox import libvirtd
        try:
            for host in self._hosts:
                self._libvirtds.append(libvirtd.Libvirtd(host.folder))
                self._uris.append(self._libvirtds[-1].start())
        except libvirtd.Unavailable as error:
            self._why_not = str(error).rstrip('.')


def _kvm_works(image) -> bool:
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False
    from onebox import guest
    path = image()
    return path is not None and process.native(guest.kvm_works, path)
