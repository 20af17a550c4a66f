"""The hosts that servers run on, all in this one process: each has a name, an address and folders of its own.

The first has its things in the state folder itself, each further one in a folder below `hosts/` there, by which the
next start knows how many there are.
"""
import pathlib
import typing

FIRST = 'onebox'
MOST = 8


class Unusable(Exception):
    """There cannot be that many hosts; the sentence says why and what to do."""


class Host(typing.NamedTuple):
    name: str
    address: str            # '' for the first: the one that onebox has
    folder: pathlib.Path    # of its libvirtd, its servers' local disks and consoles

    @property
    def servers(self) -> pathlib.Path:
        return self.folder / 'servers'

    @property
    def memory(self) -> pathlib.Path:
        """Where a hypervisor that only remembers does so."""
        return self.folder / 'memory-hypervisor.json'

    @property
    def is_first(self) -> bool:
        return self.name == FIRST


def make(folder: pathlib.Path, wanted: int | None, backend: str) -> list[Host]:
    """As many as `wanted`, else as there were at the last start with this folder, else one. Unusable."""
    before = known(folder)
    if wanted and wanted < len(before):
        raise Unusable(f'{folder} has {len(before)} hosts. Without {before[-1].name} the servers there would be lost: '
                       f'leave --hosts out, or say --hosts {len(before)}.')
    hosts = [_host(folder, number) for number in range(1, (wanted or len(before)) + 1)]
    if backend == 'lvm' and len(hosts) > 1:
        raise Unusable('With --backend lvm there is one host: the hosts here are one machine, which is one iSCSI '
                       'initiator, and what one of them gives up the other loses.')
    for host in hosts:
        host.servers.mkdir(mode=0o700, parents=True, exist_ok=True)
    return hosts


def known(folder: pathlib.Path) -> list[Host]:
    """Those that the folder has had; at least the first."""
    number = 1
    while _host(folder, number + 1).folder.exists():
        number += 1
    return [_host(folder, one) for one in range(1, number + 1)]


def end(folder: pathlib.Path) -> None:
    """Nothing of any host runs without its onebox any more, guests, libvirtds and disks that are copied; libvirt has
    forgotten what it knew of them."""
    from computesvc.host import processes
    from onebox.libvirtd import Libvirtd
    for host in known(folder):
        processes.end('qemu-img', f'{host.servers}/')
        processes.end('qemu-nbd', f'--pid-file={host.servers}/')
        Libvirtd(host.folder).destroy()


def _host(folder, number):
    if number == 1:
        return Host(FIRST, '', folder)
    name = f'{FIRST}-{number}'
    return Host(name, f'127.0.0.{number}', folder / 'hosts' / name)
