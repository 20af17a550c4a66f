"""Disks of SCSI: how one is found, seen and grown, whichever wire it came by.

    device = connector.device(data)     # its paths and its map, as the kernel has them now
    connector.grow(data, 2 * 1024 ** 3)

grow() asks every path at once for its size (brick/scsi.py), makes the map as large as them (brick/multipath.py) and a
LUKS mapper as large as that (brick/luks.py); every size is read back from /sys. No program is run, but for LUKS.
"""

import abc
import dataclasses
import time

from brick import errors, multipath, privileged, scsi
from brick.connectors.base import Connector, Path
from brick.sysfs import Sysfs


@dataclasses.dataclass(frozen=True)
class Device:
    """A volume as a disk of this host. Sizes are bytes."""

    wwid: str                           # '36001405…', as udev and multipathd write it
    paths: tuple[Path, ...]             # those of the connection, and those of the map
    map: str | None = None              # 'dm-0'
    map_name: str = ''                  # its name in /dev/mapper
    map_size: int = 0
    members: frozenset[str] = frozenset()       # names of the paths that the map has

    @property
    def label(self):
        return self.map_name or self.wwid or self.paths[0].name

    @property
    def largest(self):
        """The size of the largest path that the kernel thinks well of."""
        return max((path.size for path in scsi.running(self)), default=0)

    @property
    def size(self):
        """What whoever uses the volume sees; without a map the least of the paths that are not down."""
        return self.map_size if self.map else min((path.size for path in scsi.running(self)), default=0)

    def showing(self, sizes):
        """The same, each path and the map with the size that was read of it just now."""
        paths = tuple(dataclasses.replace(path, size=sizes[path.name]) for path in self.paths)
        return dataclasses.replace(self, paths=paths, map_size=sizes.get(self.map, self.map_size))

    def lagging(self, size):
        """Paths of the map that have another size, as long as the map keeps one that has this one."""
        members = [path for path in self.paths if path.name in self.members]
        lagging = [path for path in members if path.size != size]
        return lagging if len(lagging) < len(members) else []

    def missing(self, size):
        """Paths that have the map's size and are not in it."""
        return [path for path in scsi.running(self)
                if path.size == size == self.map_size and path.name not in self.members]

    def describe(self):
        """'sda 1073741824 running, …' for an operator."""
        return ', '.join(f'{path.name} {path.size} {path.state}' for path in self.paths)


class SCSIConnector(Connector):
    """What iSCSI and Fibre Channel have in common; `clock`, `ask`, … are there for tests."""

    clock = time
    ask = staticmethod(privileged.grow)
    multipathd = staticmethod(privileged.multipathd)
    luks_resize = staticmethod(privileged.luks_resize)

    @abc.abstractmethod
    def disks(self, data: dict, sysfs: Sysfs) -> list[str]:
        """Names of the disks that the connection's sessions or ports show now."""

    def device(self, data) -> Device:
        """The volume as it is now; nothing is remembered from earlier. DeviceNotFound.

        BadConnection if the connection's portals show different volumes: then nothing is touched.
        """
        sysfs = Sysfs(self.root)
        disks = self.disks(data, sysfs)
        if not disks:
            raise errors.DeviceNotFound('No disk of this host belongs to the connection.')
        over = sysfs.multipath_over(disks)
        members = sysfs.members(over) if over else []
        names = sorted({*disks, *members})
        wwids = {name: sysfs.wwid(name) for name in names}
        if len({wwid for wwid in wwids.values() if wwid}) > 1:
            found = ', '.join(f'{name} is {wwid}' for name, wwid in wwids.items())
            raise errors.BadConnection(f'The paths of one connection show different volumes: {found}.')
        paths = tuple(sysfs.path(name) for name in names)
        if not over:
            return Device(max(wwids.values()), paths)
        return Device(max(wwids.values()), paths, over, sysfs.map_name(over), sysfs.size(over), frozenset(members))

    def paths(self, data):
        try:
            device = self.device(data)
        except errors.DeviceNotFound:
            return []
        sysfs = Sysfs(self.root)
        return [dataclasses.replace(path, portal=sysfs.portal(path.name),
                                    used=not device.map or path.name in device.members) for path in device.paths]

    def size(self, data):
        device, sysfs = self.device(data), Sysfs(self.root)
        mapper = self._mapper(device, sysfs)
        return sysfs.size(mapper) if mapper else device.size

    def grow(self, data, size, key=None):
        """See Connector. The device is the LUKS mapper if there is one: that has its header's size less.

        `key`: passphrase (bytes) of a LUKS mapper whose key is in the kernel's keyring. A path that is down does not
        hold up the others, see paths(). PathsDown, DeviceTooSmall, MultipathError; a repeat finds nothing to do.
        """
        def look():
            return self.device(data)

        agreement = scsi.Agreement(look, self.ask, self.clock)
        agreed, device = agreement.reach(size), agreement.device
        if device.map:
            device = multipath.Growth(look, self.multipathd, self.clock).run(agreed, device, agreement.reply)
        sysfs = Sysfs(self.root)
        mapper = self._mapper(device, sysfs)
        return self._grow_mapper(sysfs, mapper, device, agreed, key) if mapper else agreed

    def _mapper(self, device, sysfs):
        return sysfs.crypt_over([device.map] if device.map else [path.name for path in device.paths])

    def _grow_mapper(self, sysfs, mapper, device, size, key):
        wanted = self.luks_resize(sysfs.map_name(mapper), device.map or device.paths[0].name, size, key)
        found = sysfs.size(mapper)
        if found != wanted:
            raise errors.DeviceTooSmall(f'The LUKS mapper {mapper} has {found} bytes, not {wanted}.')
        return found
