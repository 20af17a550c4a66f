"""The machine beneath: what it has and what libvirt can do on it. Runs in a native thread."""

import fcntl
import os
import shutil
from xml.etree import ElementTree

import libvirt

KVM_GET_API_VERSION, KVM_CREATE_VM = 0xAE00, 0xAE01     # linux/kvm.h
KVM_API_VERSION = 12


def describe(connection, state_dir):
    """The numbers of Hypervisor.capabilities()."""
    _, memory_mb, cpus, *_ = connection.getInfo()
    return {
        'hypervisor_type': connection.getType(), 'hypervisor_version': connection.getVersion(), 'vcpus': cpus,
        'memory_mb': memory_mb, 'local_gb': shutil.disk_usage(state_dir).total >> 30, 'cpu_info': _cpu(connection),
    }


def best_type(connection, machine):
    """'kvm' if libvirt offers it and the kernel makes a virtual machine for us, else 'qemu' (emulation)."""
    try:
        connection.getDomainCapabilities(None, 'x86_64', machine, 'kvm')
    except libvirt.libvirtError:
        return 'qemu'
    return 'kvm' if _kernel_makes_machines() else 'qemu'


def _kernel_makes_machines():
    try:
        kvm = os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if fcntl.ioctl(kvm, KVM_GET_API_VERSION) != KVM_API_VERSION:
            return False
        os.close(fcntl.ioctl(kvm, KVM_CREATE_VM, 0))
    except OSError:
        return False
    finally:
        os.close(kvm)
    return True


def _cpu(connection):
    cpu = ElementTree.fromstring(connection.getCapabilities()).find('host/cpu')
    topology = cpu.find('topology')
    return {
        'arch': cpu.findtext('arch'), 'model': cpu.findtext('model') or '', 'vendor': cpu.findtext('vendor') or '',
        'features': sorted(feature.get('name') for feature in cpu.iterfind('feature')),
        'topology': {name: int(value) for name, value in topology.items()} if topology is not None else {},
    }
