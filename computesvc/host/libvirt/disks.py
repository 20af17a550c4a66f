"""Disks of a domain: plugging, unplugging and growing. Runs in a native thread.

A running domain has two descriptions, the live guest's and the one for its next start; each is looked at and changed by
itself, as a step that was killed may have changed only one.
"""

import contextlib
import errno
import fcntl
import os
from xml.etree import ElementTree

import libvirt

from computesvc.host import base
from computesvc.host.libvirt import xml

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
STORED = libvirt.VIR_DOMAIN_AFFECT_CONFIG


class LengthLocked(base.HostError):
    """Somebody else is changing the file's length at this moment; a second later it can be tried again."""


def cache_mode(disk):
    """'none', so that the guest's writes reach the device; 'writeback' on file systems that have no O_DIRECT."""
    try:
        os.close(os.open(disk['path'], os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EINVAL:     # open(2): the file system does not support O_DIRECT (tmpfs before 6.6)
            return 'writeback'
    return 'none'


def with_cache_modes(disks):
    """[(disk, cache mode)]."""
    return [(disk, cache_mode(disk)) for disk in disks]


def plug(domain, disk):
    """The disk is in the live guest, if there is one, and in the stored description."""
    for flag in _descriptions(domain):
        description = _describe(domain, flag)
        if xml.find_disk(description, disk['volume_id']) is not None:
            continue
        if disk['target'] in xml.targets(description):
            raise base.TargetTaken(f'Server {domain.UUIDString()} already has a disk {disk["target"]}.')
        element = xml.disk(disk, cache_mode(disk))
        domain.attachDeviceFlags(ElementTree.tostring(element, encoding='unicode'), flag)


def forget(domain, volume_id):
    """The disk is not in the stored description."""
    found = xml.find_disk(_describe(domain, STORED), volume_id)
    if found is not None:
        domain.detachDeviceFlags(ElementTree.tostring(found, encoding='unicode'), STORED)


def ask_guest_to_release(domain, volume_id):
    """The live guest has been asked to let go of the disk. True if it does not have it (any more)."""
    found = _live_disk(domain, volume_id)
    if found is None:
        return True
    try:
        domain.detachDeviceAlias(found.find('alias').get('name'), LIVE)
    except libvirt.libvirtError as error:
        # QEMU: "Device virtio-disk1 is already in the process of unplug".
        if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_ERR_INTERNAL_ERROR,
                                          libvirt.VIR_ERR_DEVICE_MISSING):
            raise
    return is_released(domain, volume_id)


def is_released(domain, volume_id):
    """True if no live guest has the disk."""
    return _live_disk(domain, volume_id) is None


def users(connection, volume_id):
    """The ids of our domains that have a disk for that volume, in either description."""
    return [domain.UUIDString() for domain in connection.listAllDomains()
            if xml.is_ours(domain) and _has(domain, volume_id)]


def _has(domain, volume_id):
    try:
        return any(xml.find_disk(_describe(domain, flag), volume_id) is not None for flag in _descriptions(domain))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:     # went while we looked
            return False
        raise


def size(domain, volume_id):
    """The bytes that the guest's disk has."""
    return domain.blockInfo(_target(_disk(domain, volume_id)))[0]


def resize(domain, volume_id, wanted):
    """The guest's disk has at least `wanted` bytes and a running guest was told. LengthLocked: try again.

    Returns what a running guest is shown, None if it is off: of such a one the disk will have its device's size.
    """
    disk, running = _disk(domain, volume_id), domain.isActive()
    grow = {'file': _resize_file, 'block': _resize_block, 'network': _resize_network}[disk.get('type')]
    grow(domain if running else None, disk, wanted)
    if not running:
        return None
    shown = domain.blockInfo(_target(disk))[0]
    if shown < wanted:
        raise base.HostError(f'Disk {_target(disk)} still shows {shown} bytes after it was grown to {wanted}.')
    return shown


def _resize_file(domain, disk, wanted):
    """QEMU sets a raw file's length to what it is told, so an order that comes late would cut off what the volume
    service has added since. Hence whoever changes the length of a volume's file holds its flock, and QEMU is told the
    length that the file has under that lock: true whenever it is said, so it is not looked first whether it must be."""
    with _length_locked(disk.find('source').get('file')) as length:
        _check(disk, length, wanted)
        _tell_qemu(domain, disk, length)


def _resize_block(domain, disk, wanted):
    """A host device's length is not QEMU's to change, and QEMU looks at it itself now and then without telling the
    guest. So the guest is told each time, whatever size QEMU reports."""
    with open(disk.find('source').get('dev'), 'rb') as device:
        length = device.seek(0, os.SEEK_END)
    _check(disk, length, wanted)
    _tell_qemu(domain, disk, length)


def _resize_network(domain, disk, wanted):
    """QEMU speaks to the storage itself, and sets the image's length to what it is told: so it is looked first. An
    order that comes late cuts off only what no guest has seen yet, and the next one puts it back."""
    if domain and domain.blockInfo(_target(disk))[0] < wanted:
        _tell_qemu(domain, disk, wanted)


def _tell_qemu(domain, disk, length):
    if domain:
        domain.blockResize(_target(disk), length, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


def _check(disk, length, wanted):
    if length < wanted:
        source = disk.find('source')
        path = source.get('file') or source.get('dev')
        raise base.DeviceTooSmall(f'{path} has {length} bytes, {wanted} are wanted.')


@contextlib.contextmanager
def _length_locked(path):
    """Hold the file's lock and give its length."""
    with open(path, 'rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LengthLocked(f'{path} is being resized by somebody else.') from None
        yield file.seek(0, os.SEEK_END)


def _descriptions(domain):
    stored = [STORED] if domain.isPersistent() else []
    return [LIVE, *stored] if domain.isActive() else stored


def _describe(domain, flag):
    return domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if flag == STORED else 0)


def _live_disk(domain, volume_id):
    return xml.find_disk(_describe(domain, LIVE), volume_id) if domain.isActive() else None


def _disk(domain, volume_id):
    """The <disk> as the live guest has it, or as stored if none runs. DiskNotFound."""
    found = xml.find_disk(_describe(domain, LIVE), volume_id)
    if found is None:
        raise base.DiskNotFound(domain.UUIDString(), volume_id)
    return found


def _target(disk):
    return disk.find('target').get('dev')
