"""What the agent may ask of a hypervisor, and the errors it may get.

Plain values in and out: no database, no RPC, no volume service. Every method looks first and may be repeated: the
second call of a pair finds the work done. Sizes are bytes. A method that cannot promise its docstring raises a
HostError; it never returns a half-truth.

Shapes:

server  {'id': uuid, 'name': str, 'vcpus': int, 'memory_mb': int}
disk    {'volume_id': uuid, 'path': str, 'type': 'file'|'block'|'network'|'memory', 'format': 'raw',
         'target': 'vda', 'boot_index': 0 or None, 'read_only': False, 'shareable': bool}; a shareable one may be in
         several guests. 'size' in bytes is only looked at where there is no device to ask (type 'memory').
         Of type 'network' also: 'protocol': 'rbd', 'hosts': [{'name': str, 'port': str}], perhaps 'username'
         and 'secret_uuid'; 'path' is then 'pool/image'
nic     {'type': 'user', 'mac': str or None}
"""

import abc
import pathlib

RUNNING = 'running'
PAUSED = 'paused'
SHUTDOWN = 'shutdown'
CRASHED = 'crashed'
ABSENT = 'absent'

PROTOCOLS = ['fibre_channel', 'iscsi', 'local', 'nfs', 'rbd']      # whose disks any guest can have, and see grow


class HostError(Exception):
    """The host could not do it; str() is a sentence for the operation's event log."""


class ServerNotFound(HostError):
    """The hypervisor has no such server."""

    def __init__(self, server_id):
        super().__init__(f'Server {server_id} is not on this host.')
        self.server_id = server_id


class DiskNotFound(HostError):
    """The server has no disk for that volume."""

    def __init__(self, server_id, volume_id):
        super().__init__(f'Server {server_id} has no disk for volume {volume_id}.')
        self.server_id, self.volume_id = server_id, volume_id


class DiskHeld(HostError):
    """The guest did not let go of a disk in time; asking again later may do."""


class TargetTaken(HostError):
    """Another disk of the server has the wanted device name."""


class DeviceGone(HostError):
    """The host has no device of the volume, though it had one."""


class DeviceTooSmall(HostError):
    """The device or file under a disk is smaller than the size that the guest should be shown."""


class WrongPowerState(HostError):
    """The server is not in a state in which this can be done."""


class HostUnavailable(HostError):
    """The hypervisor cannot be reached at the moment; nothing is known about the effect of the call."""


class HostTimeout(HostUnavailable):
    """The hypervisor did not answer in time; the call may still take effect later."""


class Hypervisor(abc.ABC):
    """One host's servers."""

    name: str

    @abc.abstractmethod
    def capabilities(self) -> dict:
        """Return what the host is and can do.

        Keys: hypervisor_type, hypervisor_version (int), vcpus, memory_mb, local_gb, cpu_info (dict), host_ip,
        extend_attached (bool: a running guest can be shown a grown disk) and protocols (list of volume protocols
        whose disks can be grown so).
        """

    @abc.abstractmethod
    def define(self, server: dict, disks: list[dict], nics: list[dict]) -> None:
        """The server exists with these disks and NICs, and survives a restart of the host. Not started."""

    @abc.abstractmethod
    def undefine(self, server_id: str) -> None:
        """The server is gone, running or not, and its console log too. No error if it never was."""

    @abc.abstractmethod
    def power_on(self, server_id: str) -> None:
        """The server runs; a paused one goes on. Disks show their devices' sizes as they are now."""

    @abc.abstractmethod
    def power_off(self, server_id: str, timeout: float = 60) -> None:
        """The server is off. Its guest was asked and given `timeout` seconds (0: not asked), then cut off."""

    @abc.abstractmethod
    def reboot(self, server_id: str, hard: bool = False) -> None:
        """The server was off for a moment and runs again; one that was off already just runs."""

    @abc.abstractmethod
    def pause(self, server_id: str) -> None:
        """The server's processors stand still; WrongPowerState if it is off."""

    @abc.abstractmethod
    def unpause(self, server_id: str) -> None:
        """The server's processors run again; WrongPowerState if it is off."""

    @abc.abstractmethod
    def power_state(self, server_id: str) -> str:
        """Return 'running', 'paused', 'shutdown', 'crashed' or 'absent'."""

    @abc.abstractmethod
    def servers(self) -> dict[str, str]:
        """Return id -> power state of each server of ours, and of no other guest on the host."""

    @abc.abstractmethod
    def attach_disk(self, server_id: str, disk: dict) -> None:
        """The disk is in the server's definition and, unless it is off, in the live guest. TargetTaken."""

    @abc.abstractmethod
    def detach_disk(self, server_id: str, volume_id: str) -> None:
        """Neither the definition nor the live guest has the disk any more, so its device may be taken away.

        Waits for the guest to let go, a bounded time; DiskHeld if it does not. No error if there is no such disk.
        """

    @abc.abstractmethod
    def disk_users(self, volume_id: str) -> list[str]:
        """Return the ids of the servers that have a disk for that volume, running or not."""

    @abc.abstractmethod
    def disk_size(self, server_id: str, volume_id: str) -> int:
        """Return the bytes that the guest's disk has (of a stopped server: will have). DiskNotFound."""

    @abc.abstractmethod
    def resize_disk(self, server_id: str, volume_id: str, size: int) -> int | None:
        """`disk_size()` is at least `size` bytes, and a running guest was told. Never makes a disk smaller.

        Returns what a running or paused guest is shown then, as read back; None of one that is off.

        DeviceTooSmall if the device beneath is not that large yet, DiskNotFound.
        """

    @abc.abstractmethod
    def console_output(self, server_id: str, lines: int | None = None) -> str:
        """Return the last lines (all that are kept, if None) the guest wrote to its serial console."""

    def boot_id(self) -> str | None:
        """Return what is another whenever the host has started anew, None if nobody knows.

        https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html (random/boot_id)
        """
        try:
            return pathlib.Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        except OSError:
            return None

    def housekeeping(self) -> None:
        """Bound what grows by itself (console logs). The agent calls it every few minutes."""
