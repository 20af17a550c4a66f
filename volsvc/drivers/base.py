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
    """The backend has no such volume, or no such snapshot."""


def _unheard(percent: int) -> None:
    """Nobody wants to know how far the making has come."""


@dataclasses.dataclass(frozen=True)
class Volume:
    id: str
    size: int                        # bytes that it should have
    progress: Callable[[int], None] = dataclasses.field(default=_unheard, compare=False, repr=False)
    """Told now and then how many per cent are made, where making takes long."""

    @property
    def name(self) -> str:
        return f'volume-{self.id}'


@dataclasses.dataclass(frozen=True)
class Snapshot:
    id: str
    size: int                        # bytes that its volume had
    progress: Callable[[int], None] = dataclasses.field(default=_unheard, compare=False, repr=False)

    @property
    def name(self) -> str:
        return f'snapshot-{self.id}'


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
    known_by: tuple = ('host',)      # the fields of a connector that say to connect() and disconnect() which host it is
    online_extend = True             # whether a volume in use can grow
    multiattach = True               # whether several servers can use a volume at once
    thin = False                     # whether space is taken as it is written
    snapshot_ratio = 1.0             # bytes that a snapshot may come to take for each byte of its volume, and, besides
    snapshot_extra = 0               # these, bytes for itself; such room is promised as a volume's is

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
    def clone(self, volume: Volume, source: Volume) -> str | None:
        """There is a volume of `volume.size` that begins with the source's data. NoSpace, VolumeMissing.

        Returns what its owner should know of the copy, if it is not of one moment.
        """

    @abc.abstractmethod
    def extend(self, volume: Volume, size: int) -> None:
        """Afterwards size(volume) >= size, its data unharmed; raises Refused only if nothing changed. NoSpace."""

    @abc.abstractmethod
    def size(self, volume: Volume) -> int:
        """The bytes the volume has, as read from the backend now. VolumeMissing."""

    def sizes(self) -> dict[str, int]:
        """The bytes of each volume by its id, where one question answers for all; {} where it does not."""
        return {}

    @abc.abstractmethod
    def delete(self, volume: Volume) -> None:
        """The volume and its data are gone; fine if they were.  Refused where snapshots need it."""

    @abc.abstractmethod
    def create_snapshot(self, snapshot: Snapshot, volume: Volume) -> str | None:
        """There is a snapshot of what the volume holds now, in use or not. NoSpace, VolumeMissing.

        Returns what its owner should know, as clone() does.
        """

    @abc.abstractmethod
    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """The snapshot is gone; fine if it was."""

    @abc.abstractmethod
    def create_from_snapshot(self, volume: Volume, snapshot: Snapshot) -> None:
        """There is a volume of `volume.size` that begins with the snapshot's data. NoSpace, VolumeMissing."""

    @abc.abstractmethod
    def revert(self, volume: Volume, snapshot: Snapshot) -> None:
        """The volume holds what its snapshot does, and keeps its size; no host reaches it. VolumeMissing.

        NoSpace and Refused only if nothing changed; after another error it may hold some of both until it is repeated.
        """

    @abc.abstractmethod
    def read(self, source: Volume | Snapshot, place: int, count: int) -> bytes:
        """What it holds from the byte `place` on: `count` bytes, or fewer, but some where it goes on. VolumeMissing."""

    def used(self, source: Volume | Snapshot) -> int:
        """All beyond so many bytes is zero, as far as the backend knows without reading it. VolumeMissing."""
        return source.size

    @abc.abstractmethod
    def connect(self, volume: Volume, connector: dict, mode: str) -> dict:
        """{'driver_volume_type', 'data'}: how the host that sent `connector` reaches the volume ('rw' or 'ro')."""

    @abc.abstractmethod
    def disconnect(self, volume: Volume, connector: dict) -> None:
        """That host reaches it no more; fine if it never did."""

    def restore(self, volume: Volume, connector: dict, connection: dict) -> None:
        """The host reaches the volume by `connection`, which connect() answered once, also after this machine started
        anew.  VolumeMissing."""

    @abc.abstractmethod
    def stats(self) -> dict:
        """{'total_bytes', 'free_bytes'} of the backend now."""
