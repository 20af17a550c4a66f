"""Disks that QEMU reaches by itself (RBD), as far as that shows without a Ceph cluster."""
import uuid
from xml.etree import ElementTree

import pytest

from computesvc.host import base
from computesvc.host.libvirt import disks, xml

MiB = 1 << 20


@pytest.fixture
def rbd():
    return {'volume_id': str(uuid.uuid4()), 'path': 'volumes/volume-1', 'type': 'network', 'protocol': 'rbd',
            'format': 'raw', 'target': 'vdb', 'boot_index': None, 'read_only': False, 'username': 'cinder',
            'hosts': [{'name': '10.0.0.1', 'port': '6789'}, {'name': 'mon2.example.org'}],
            'secret_uuid': str(uuid.uuid4())}


def test_libvirt_takes_it(libvirt_hypervisor, daemon, rbd):
    import libvirt
    server_id = str(uuid.uuid4())
    libvirt_hypervisor.define({'id': server_id, 'name': 'rbd', 'vcpus': 1, 'memory_mb': 128}, [], [])
    try:
        libvirt_hypervisor.attach_disk(server_id, rbd)
        assert libvirt_hypervisor.disk_users(rbd['volume_id']) == [server_id]
        connection = libvirt.open(daemon.uri)
        found = xml.find_disk(connection.lookupByUUIDString(server_id).XMLDesc(), rbd['volume_id'])
        connection.close()
        assert found.find('source').attrib == {'protocol': 'rbd', 'name': 'volumes/volume-1'}
        assert [dict(host.attrib) for host in found.iterfind('source/host')] == rbd['hosts']
        assert found.find('auth').get('username') == 'cinder'
        assert found.find('auth/secret').attrib == {'type': 'ceph', 'uuid': rbd['secret_uuid']}
        libvirt_hypervisor.detach_disk(server_id, rbd['volume_id'])
    finally:
        libvirt_hypervisor.undefine(server_id)


class Guest:
    """A running domain with one disk, of which QEMU shows `size`; `told` is what it was told."""

    def __init__(self, disk, size, obeys=True):
        self.size, self.obeys, self.told = size, obeys, []
        root = ElementTree.Element('domain')
        ElementTree.SubElement(root, 'devices').append(xml.disk(disk))
        self.description = ElementTree.tostring(root, encoding='unicode')

    def isActive(self):  # noqa: N802
        return True

    def UUIDString(self):  # noqa: N802
        return 'guest'

    def XMLDesc(self, flags):  # noqa: N802
        return self.description

    def blockInfo(self, target):  # noqa: N802
        return [self.size, 0, 0]

    def blockResize(self, target, size, flags):  # noqa: N802
        self.told.append(size)
        if self.obeys:
            self.size = size


def test_qemu_is_told_the_wanted_size(rbd):
    guest = Guest(rbd, MiB)
    for _ in range(2):
        disks.resize(guest, rbd['volume_id'], 2 * MiB)
    assert guest.told == [2 * MiB]


def test_never_a_smaller_one(rbd):
    """QEMU would cut the image off."""
    guest = Guest(rbd, 3 * MiB)
    disks.resize(guest, rbd['volume_id'], 2 * MiB)
    assert guest.told == []


def test_a_size_that_does_not_change_is_an_error(rbd):
    with pytest.raises(base.HostError, match='still shows'):
        disks.resize(Guest(rbd, MiB, obeys=False), rbd['volume_id'], 2 * MiB)
