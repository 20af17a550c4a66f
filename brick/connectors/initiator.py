"""Connecting and disconnecting disks, by iSCSI or Fibre Channel: os-brick does it, we look before and after."""

import abc
import logging
import os

from brick import errors, privileged
from brick.connectors.scsi import SCSIConnector
from brick.sysfs import RUNNING, Sysfs

LOG = logging.getLogger(__name__)
_LINKS = 20.0               # seconds that udev may take to make a link
_MAPS = 20.0                # seconds that multipathd may take to make a map, after os-brick has waited ten


class InitiatorConnector(SCSIConnector):
    """See Connector. What a protocol adds is abstract here."""

    def connect(self, data):
        """{'path': '/dev/mapper/…' or a stable name of the single disk, 'type': 'block'}. ConnectFailed.

        A volume that is here by every way that the connection offers costs a look at /sys. A way that is down is no
        error as long as there is another: paths() tells.
        """
        properties = self.properties(data)
        device = self._now(data)
        if not device or not self.complete(data, device):
            privileged.warm_up()
            self._connect(data, properties, device)
            device = self._settled(data)
        return {'path': self._stable_name(device), 'type': 'block'}

    def disconnect(self, data, device=None):
        """What was written is on the volume; its disks and its map are gone, and sessions that had no other disk.

        DisconnectFailed if something is still here; in use, most likely. Where no path answers, what this host had
        not written yet is lost, with a warning: a map may be set to wait for its paths for ever, a detach may not.
        """
        properties, found = self.properties(data), self._now(data)
        used = f'/dev/{found.map or found.paths[0].name}' if found else ''
        name = found.map_name if found else _map_name(device)
        privileged.warm_up()
        try:
            if _hopeless(found) or not found and self._map(name):
                raise errors.DisconnectFailed('no path answers')
            self.os_brick(data).disconnect(properties, used)
            if self._map(name) and not self._now(data):
                # Hearing of a disk between the flush and the disk's removal, multipathd makes the map anew; and one
                # that had lost all its paths before was no map of theirs to os-brick, and not flushed.
                self.os_brick(data).flush(name)
        except errors.DisconnectFailed as error:
            now = self._now(data)
            if _answering(now) or not now and not self._map(name):
                raise errors.DisconnectFailed(f'{self.label(data)} could not be disconnected: {error}') from error
            LOG.warning('%s is removed without writing what may be waiting: %s.', self.label(data), error)
            self.os_brick(data).give_up(properties, used, name)
        if left := self._left(data, name):
            raise errors.DisconnectFailed(f'{self.label(data)} was disconnected, but still here are: {left}.')

    # ---------------------------------------------------------------- what a protocol adds

    @abc.abstractmethod
    def properties(self, data):
        """What os-brick gets of the data: checked, and without secrets. BadConnection."""

    @abc.abstractmethod
    def label(self, data):
        """The volume in a sentence for an operator."""

    @abc.abstractmethod
    def os_brick(self, data):
        """os-brick's connector for this connection, see brick/initiators.py."""

    @abc.abstractmethod
    def wants_map(self, data):
        """The device is to be used through a map of multipathd."""

    @abc.abstractmethod
    def complete(self, data, device):
        """The device is here by every way that the connection offers, so that connecting would change nothing."""

    # ---------------------------------------------------------------- the rest

    def _now(self, data):
        """The device as it is, or None."""
        try:
            return self.device(data)
        except errors.DeviceNotFound:
            return None

    def _connect(self, data, properties, before):
        """As far as it goes, for a device that was there `before`: somebody may use it, so it is never taken away."""
        try:
            self.os_brick(data).connect(properties, keep=before is not None)
        except errors.ConnectFailed as error:
            if not _answering(before) or not _answering(self._now(data)):
                raise
            LOG.warning('%s stays as it was: %s', self.label(data), error)

    def _settled(self, data):
        """The device, and all its paths in the map if it is to have one."""
        device, until = self._now(data), self.clock.monotonic() + _MAPS
        while device and self.wants_map(data) and not assembled(device) and self.clock.monotonic() < until:
            self.clock.sleep(0.2)
            device = self._now(data)
        if not device:
            raise errors.ConnectFailed(f'{self.label(data)} went away again while it was connected.')
        if self.wants_map(data) and not device.map:
            said = f'multipathd made no map for {self.label(data)}'
            if data.get('enforce_multipath'):
                self.disconnect(data)
                raise errors.ConnectFailed(f'{said}, and multipath is enforced.')
            LOG.warning('%s: it is used by one path.', said)
        return device

    def _stable_name(self, device):
        """A name that stays the volume's as long as it is connected."""
        if device.map:
            return self._link(f'/dev/mapper/{device.map_name}', [device.map]) or f'/dev/{device.map}'
        disks = [path.name for path in device.paths]
        return self._link(f'/dev/disk/by-id/scsi-{device.wwid}', disks) or f'/dev/{disks[0]}'

    def _link(self, link, devices):
        """The link once it leads to one of the devices; '' if udev does not make it in time.

        While udev has events to look at, that of a disk or map which had this name before may be among them, and takes
        the link away once more.  (The file is there as long as there are any: udev_queue_get_queue_is_empty(3).)
        """
        until = self.clock.monotonic() + _LINKS
        place, events = (os.path.join(self.root, path.lstrip('/')) for path in (link, '/run/udev/queue'))
        while not (there := os.path.basename(os.path.realpath(place)) in devices) or os.path.exists(events):
            if self.clock.monotonic() > until:
                break
            self.clock.sleep(0.05)
        if not there:
            LOG.warning('udev did not make %s within %.0f s.', link, _LINKS)
        return link if there else ''

    def _map(self, name):
        """'dm-0' of the map with this name, or None."""
        device = os.path.basename(os.path.realpath(os.path.join(self.root, 'dev/mapper', name)))
        return device if name and Sysfs(self.root).map_name(device) == name else None

    def _left(self, data, name):
        """What is still here of the volume, for a sentence."""
        now = self._now(data)
        left = [path.name for path in now.paths] if now else []
        return ', '.join([*left, f'map {name}'] if self._map(name) else left)


def _map_name(device):
    """The name of the map that connect() returned, '' if it was none: sessions may be gone while it is still there."""
    folder, _, name = (device or {}).get('path', '').rpartition('/')
    return name if folder == '/dev/mapper' else ''


def _answering(device):
    return device is not None and any(path.state == RUNNING for path in device.paths)


def _hopeless(device):
    """No path answers, nor does the kernel expect one to do so any more."""
    return device is not None and not any(path.state in (RUNNING, 'blocked') for path in device.paths)


def assembled(device):
    """There is a map, and each path that answers is in it."""
    return bool(device.map) and {path.name for path in device.paths if path.state == RUNNING} <= device.members


def addressed(lun, mode):
    """The number that the kernel has for a LUN (SAM-3 4.9; the modes of os-brick's lun_for_addressing)."""
    if mode not in (None, 'SAM', 'transparent', 'SAM2', 'SAM3-flat'):
        raise errors.BadConnection(f'{mode!r} is no way to address a LUN.')
    return lun + 16384 if mode == 'SAM3-flat' or mode == 'SAM2' and lun >= 256 else lun
