"""The hypervisors under test: memory, and libvirt with a libvirtd and QEMU of its own."""

import os
import uuid

import pytest

from computesvc.host.memory import Memory
from onebox import guest, libvirtd


@pytest.fixture(scope='session')
def daemon(tmp_path_factory):
    """A private libvirtd for this test run."""
    state = tmp_path_factory.mktemp('libvirt-state')
    one = libvirtd.Libvirtd(state)
    try:
        one.start()
    except libvirtd.Unavailable as error:
        pytest.skip(str(error))
    yield one
    one.stop(guests=True)


@pytest.fixture(scope='session')
def guest_image():
    """The small Linux guest."""
    try:
        return guest.image()
    except guest.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope='session')
def libvirt_hypervisor(daemon, tmp_path_factory):
    """libvirt on the private libvirtd, by emulation, which every machine has."""
    from computesvc.host.libvirt import Libvirt
    one = Libvirt(daemon.uri, tmp_path_factory.mktemp('libvirt-host'), virt_type='qemu', detach_timeout=30)
    yield one
    one.close()


@pytest.fixture(params=['memory', 'libvirt'])
def hypervisor(request):
    """Each hypervisor in turn."""
    return Memory('memory') if request.param == 'memory' else request.getfixturevalue('libvirt_hypervisor')


@pytest.fixture(scope='session')
def make_disk(tmp_path_factory):
    """Make a sparse file of so many bytes and describe it as a disk."""
    folder = tmp_path_factory.mktemp('volumes')

    def make(target, size, boot_index=None):
        volume_id = str(uuid.uuid4())
        path = folder / f'volume-{volume_id}'
        path.touch()
        os.truncate(path, size)
        return {'volume_id': volume_id, 'path': str(path), 'type': 'file', 'format': 'raw', 'target': target,
                'boot_index': boot_index, 'read_only': False}
    return make


@pytest.fixture
def server(hypervisor, make_disk):
    """A defined server with an empty boot disk; not started."""
    server_id = str(uuid.uuid4())
    disks = [make_disk('vda', 1 << 20, boot_index=0)]
    hypervisor.define({'id': server_id, 'name': 'contract', 'vcpus': 1, 'memory_mb': 128}, disks, [])
    yield server_id
    hypervisor.undefine(server_id)
