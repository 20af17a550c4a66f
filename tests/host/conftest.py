"""The hypervisors under test."""

import os
import uuid

import pytest

from computesvc.host.memory import Memory


@pytest.fixture(params=['memory'])
def hypervisor(request):
    """Each hypervisor in turn."""
    return Memory('memory')


@pytest.fixture
def make_disk(tmp_path):
    """Make a sparse file of so many bytes and describe it as a disk."""
    def make(target, size, boot_index=None):
        volume_id = str(uuid.uuid4())
        path = tmp_path / f'volume-{volume_id}'
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
