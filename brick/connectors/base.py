"""What every connector promises. `data` is the 'data' of a connection_info; sizes are bytes."""

import abc
import dataclasses


@dataclasses.dataclass(frozen=True)
class Path:
    """One way from this host to a volume; a path whose size is below the device's lags."""

    name: str               # of the device, 'sdb'; a file's or an image's whole name
    size: int               # bytes that it shows now
    state: str = 'running'  # as sysfs says: 'running', 'offline', 'transport-offline', 'blocked', …
    portal: str = ''        # where it leads: an iSCSI portal or the WWN of a Fibre Channel port
    used: bool = True       # False: the device's map leaves it out


class Connector(abc.ABC):
    """Connects volumes of one protocol. Each method looks first, so each may be repeated."""

    protocol: str

    def __init__(self, root=None, multipath=False, scan_attempts=3, mount_point_base='/var/lib/brick/mnt'):
        """`root` stands for `/` (tests); `multipath`: use it where a connection offers several ways;
        `scan_attempts`: how often to look for a device before giving up; `mount_point_base`: NFS shares go there."""
        self.root, self.multipath = root or '/', multipath
        self.scan_attempts, self.mount_point_base = scan_attempts, mount_point_base

    @abc.abstractmethod
    def connect(self, data: dict) -> dict:
        """The volume is a device here: returns {'path': str, 'type': 'file'|'block'|'network'|'memory'}."""

    @abc.abstractmethod
    def disconnect(self, data: dict, device: dict | None = None) -> None:
        """The device is gone from this host; no error if it never was here."""

    @abc.abstractmethod
    def grow(self, data: dict, size: int) -> int:
        """Return the bytes that the device has, at least `size`, as read back. DeviceTooSmall, DeviceNotFound."""

    @abc.abstractmethod
    def size(self, data: dict) -> int:
        """Return the bytes that the device shows now, 0 if there is none to look at; nothing is changed.

        DeviceNotFound.
        """

    @abc.abstractmethod
    def paths(self, data: dict) -> list[Path]:
        """Return the ways through which the volume is seen now, an empty list if none. Nothing is changed."""
