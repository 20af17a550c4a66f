"""The machine beneath: what it has and what libvirt can do on it. Runs in a native thread."""

import shutil
from xml.etree import ElementTree

import libvirt

from computesvc.host.libvirt import xml

PAUSED = libvirt.VIR_DOMAIN_START_PAUSED


def describe(connection, state_dir):
    """The numbers of Hypervisor.capabilities()."""
    _, memory_mb, cpus, *_ = connection.getInfo()
    return {
        'hypervisor_type': connection.getType(), 'hypervisor_version': connection.getVersion(), 'vcpus': cpus,
        'memory_mb': memory_mb, 'local_gb': shutil.disk_usage(state_dir).total >> 30, 'cpu_info': _cpu(connection),
    }


def best_type(connection, machine):
    """'kvm' if a guest starts under it here, else 'qemu' (emulation).

    That libvirt offers KVM proves little. Seen on a nested machine: QEMU ends at once with
    "failed to set MSR 0x10a to 0x69". So a guest with nothing in it is started and thrown away.
    """
    description = xml.trial('kvm', machine)
    try:
        connection.getDomainCapabilities(None, 'x86_64', machine, 'kvm')
        trial = connection.createXML(description, PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY)
        trial.destroy()
    except libvirt.libvirtError:
        return 'qemu'
    return 'kvm'


def _cpu(connection):
    cpu = ElementTree.fromstring(connection.getCapabilities()).find('host/cpu')
    topology = cpu.find('topology')
    return {
        'arch': cpu.findtext('arch'), 'model': cpu.findtext('model') or '', 'vendor': cpu.findtext('vendor') or '',
        'features': sorted(feature.get('name') for feature in cpu.iterfind('feature')),
        'topology': {name: int(value) for name, value in topology.items()} if topology is not None else {},
    }
