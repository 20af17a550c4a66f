"""What a storage driver promises.

A driver moves bytes.  It knows no database, status, quota, message or RPC.
Sizes are bytes.  Every method looks first, so that each may be repeated, also
after it was killed half way.
"""
import abc
import dataclasses
from collections.abc import Callable, Iterator


class DriverError(Exception):
    """The backend could not do it (now). The sentence goes to users: no paths, no secrets."""


class NoSpace(DriverError):
    """The backend is full; what was there before is unharmed."""


class VolumeMissing(DriverError):
    """The backend has no such volume."""


@dataclasses.dataclass(frozen=True)
class Volume:
    id: str
    size: int                        # bytes that it should have

    @property
    def name(self) -> str:
        return f'volume-{self.id}'


@dataclasses.dataclass(frozen=True)
class Image:
    """What to fill a new volume with."""
    id: str
    disk_format: str                 # 'raw', 'qcow2', …
    size: int                        # bytes to download
    chunks: Callable[[], Iterator[bytes]]


class Driver(abc.ABC):
    """One backend.  `name` is its section of the configuration, `options` that section."""

    protocol: str                    # the driver_volume_type that hosts connect by
    online_extend = True             # whether a volume in use can grow
    thin = False                     # whether space is taken as it is written

    def __init__(self, name: str, options):
        self.name, self.options = name, options

    def start(self) -> None:
        """The backend can be used; raises DriverError with a sentence for the operator."""

    @abc.abstractmethod
    def create(self, volume: Volume) -> None:
        """There is an empty volume of `volume.size`. NoSpace."""

    @abc.abstractmethod
    def create_from_image(self, volume: Volume, image: Image) -> None:
        """There is a volume of `volume.size` that begins with the image. NoSpace; Refused for an unknown format."""

    @abc.abstractmethod
    def clone(self, volume: Volume, source: Volume) -> None:
        """There is a volume of `volume.size` that begins with the source's data. NoSpace, VolumeMissing."""

    @abc.abstractmethod
    def extend(self, volume: Volume, size: int) -> None:
        """Afterwards size(volume) >= size, its data unharmed; raises Refused only if nothing changed. NoSpace."""

    @abc.abstractmethod
    def size(self, volume: Volume) -> int:
        """The bytes the volume has, as read from the backend now. VolumeMissing."""

    @abc.abstractmethod
    def delete(self, volume: Volume) -> None:
        """The volume and its data are gone; fine if they were."""

    @abc.abstractmethod
    def connect(self, volume: Volume, connector: dict, mode: str) -> dict:
        """{'driver_volume_type', 'data'}: how the host that sent `connector` reaches the volume ('rw' or 'ro')."""

    @abc.abstractmethod
    def disconnect(self, volume: Volume, connector: dict) -> None:
        """That host reaches it no more; fine if it never did."""

    @abc.abstractmethod
    def stats(self) -> dict:
        """{'total_bytes', 'free_bytes'} of the backend now."""
