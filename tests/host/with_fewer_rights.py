"""Run by test_libvirtd.py as somebody with few rights: one server from start to end."""

import os
import pathlib
import sys
import uuid

from computesvc.host.libvirt import Libvirt
from onebox import libvirtd

folder = pathlib.Path(sys.argv[1])
daemon = libvirtd.Libvirtd(folder)
hypervisor = Libvirt(daemon.start(), folder / 'host', virt_type='qemu')
disk = {'volume_id': str(uuid.uuid4()), 'path': str(folder / 'volume'), 'type': 'file', 'format': 'raw',
        'target': 'vda', 'boot_index': 0, 'read_only': False}
pathlib.Path(disk['path']).write_bytes(b'')
os.truncate(disk['path'], 1 << 20)
server_id = str(uuid.uuid4())
try:
    hypervisor.define({'id': server_id, 'name': 'x', 'vcpus': 1, 'memory_mb': 64}, [disk], [{'type': 'user'}])
    hypervisor.power_on(server_id)
    os.truncate(disk['path'], 2 << 20)
    hypervisor.resize_disk(server_id, disk['volume_id'], 2 << 20)
    print(hypervisor.power_state(server_id), hypervisor.disk_size(server_id, disk['volume_id']))
    hypervisor.undefine(server_id)
finally:
    hypervisor.close()
    daemon.destroy()
