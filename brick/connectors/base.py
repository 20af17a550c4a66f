"""What every connector promises. `data` is the 'data' of a connection_info; sizes are bytes."""

import abc


class Connector(abc.ABC):
    """Connects volumes of one protocol. Each method looks first, so each may be repeated."""

    protocol: str

    def __init__(self, root=None):
        self.root = root or '/'

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
    def paths(self, data: dict) -> list[str]:
        """Return the devices through which the volume is seen now, an empty list if none."""
