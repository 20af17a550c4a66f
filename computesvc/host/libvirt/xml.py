"""What a server and its disks look like to libvirt (https://libvirt.org/formatdomain.html)."""

import uuid
from xml.etree import ElementTree

from computesvc.host import base
from computesvc.host.libvirt import nics as nic_xml

PREFIX = 'server-'


def domain_name(server_id):
    """The domain's name; by it and the UUID together a domain is known to be ours."""
    return PREFIX + server_id


def is_ours(domain):
    """True for a libvirt domain that this service defined."""
    return domain.name() == domain_name(domain.UUIDString())


def domain(server, disks, nics, console, virt_type, machine):
    """The domain's XML. `console`: path of the serial console's log. The pc machine has 28 slots to plug disks into
    while the guest runs; q35 has them only if foreseen."""
    root = _machine(domain_name(server['id']), server['memory_mb'], server['vcpus'], virt_type, machine)
    _text(root, 'uuid', server['id'])
    _text(root, 'title', server.get('name') or server['id'])
    root.append(_devices(server, disks, nics, console))
    return ElementTree.tostring(root, encoding='unicode')


def trial(virt_type, machine):
    """The XML of a domain with nothing in it, made like all others otherwise."""
    root = _machine(f'trial-{uuid.uuid4()}', 32, 1, virt_type, machine)
    devices = ElementTree.SubElement(root, 'devices')
    ElementTree.SubElement(devices, 'controller', type='usb', model='none')
    ElementTree.SubElement(devices, 'memballoon', model='none')
    return ElementTree.tostring(root, encoding='unicode')


def _machine(name, memory_mb, vcpus, virt_type, machine):
    root = ElementTree.Element('domain', type=virt_type)
    _text(root, 'name', name)
    _text(root, 'memory', memory_mb, unit='MiB')
    _text(root, 'vcpu', vcpus)
    _text(ElementTree.SubElement(root, 'os'), 'type', 'hvm', arch='x86_64', machine=machine)
    features = ElementTree.SubElement(root, 'features')
    ElementTree.SubElement(features, 'acpi')        # the power button, and disks that come and go
    ElementTree.SubElement(features, 'apic')
    ElementTree.SubElement(root, 'cpu', mode='host-model' if virt_type == 'kvm' else 'maximum')
    ElementTree.SubElement(root, 'clock', offset='utc')
    _text(root, 'on_poweroff', 'destroy')
    _text(root, 'on_reboot', 'restart')
    _text(root, 'on_crash', 'destroy')
    return root


def _devices(server, disks, nics, console):
    devices = ElementTree.Element('devices')
    ElementTree.SubElement(devices, 'controller', type='usb', model='none')
    ElementTree.SubElement(devices, 'memballoon', model='none')
    serial = ElementTree.SubElement(devices, 'serial', type='file')
    ElementTree.SubElement(serial, 'source', path=console, append='on')
    for one, cache in disks:
        devices.append(disk(one, cache))
    for place, nic in enumerate(nics):
        devices.append(nic_xml.element(server['id'], place, nic))
    return devices


def disk(disk, cache='none'):
    """The <disk> element of a disk: virtio, its serial number the volume's id."""
    kind = disk['type']
    if kind not in ('file', 'block', 'network'):
        raise base.HostError(f'A libvirt server cannot have a disk of type {kind!r}.')
    root = ElementTree.Element('disk', type=kind, device='disk')
    ElementTree.SubElement(root, 'driver', name='qemu', type=disk.get('format', 'raw'), cache=cache, discard='unmap')
    if kind == 'network':
        _add_network_source(root, disk)
    else:
        ElementTree.SubElement(root, 'source', {'dev' if kind == 'block' else 'file': disk['path']})
    ElementTree.SubElement(root, 'target', dev=disk['target'], bus='virtio')
    _text(root, 'serial', disk['volume_id'])
    if disk.get('read_only'):
        ElementTree.SubElement(root, 'readonly')
    if disk.get('shareable'):
        ElementTree.SubElement(root, 'shareable')
    if disk.get('boot_index') is not None:
        ElementTree.SubElement(root, 'boot', order=str(disk['boot_index'] + 1))
    return root


def _add_network_source(root, disk):
    if disk.get('username'):
        auth = ElementTree.SubElement(root, 'auth', username=disk['username'])
        ElementTree.SubElement(auth, 'secret', type='ceph', uuid=disk['secret_uuid'])
    source = ElementTree.SubElement(root, 'source', protocol=disk['protocol'], name=disk['path'])
    for host in disk.get('hosts') or ():
        ElementTree.SubElement(source, 'host', host)


def find_disk(description, volume_id):
    """The <disk> of a volume in a domain's XML text, None if there is none."""
    for found in ElementTree.fromstring(description).iterfind('devices/disk'):
        if found.findtext('serial') == volume_id:
            return found
    return None


def targets(description):
    """The device names that a domain's disks have."""
    return {target.get('dev') for target in ElementTree.fromstring(description).iterfind('devices/disk/target')}


def _text(parent, tag, text, **attributes):
    ElementTree.SubElement(parent, tag, attributes).text = str(text)
