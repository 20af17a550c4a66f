"""Every driver, set up on a backend of its own: the contract's stories run on each."""
import pytest
from oslo_config import cfg

from tests.drivers.fake_group import FakeGroup, FakeTarget
from volsvc import conf, drivers
from volsvc.drivers.base import Snapshot, Volume

GIB = 1024 ** 3
KINDS = {
    'memory': {'volume_driver': 'memory', 'capacity_gb': 64},
    'file': {'volume_driver': 'file'},
    'file-full': {'volume_driver': 'file', 'preallocation': 'full'},
    'lvm-thin': {'volume_driver': 'lvm', 'volume_group': 'lab', 'lvm_type': 'thin'},
    'lvm-thick': {'volume_driver': 'lvm', 'volume_group': 'lab', 'lvm_type': 'thick'},
}


def make(folder, kind, group=None, **options):
    """A started driver whose backend is in `folder`, or the volume group `group`."""
    configuration = cfg.ConfigOpts()
    configuration.register_opts(conf.DEFAULT)
    chosen = conf.backend(configuration, 'test')
    for name, value in {'path': str(folder / 'volumes'), 'image_folder': str(folder),
                        **KINDS.get(kind, {'volume_driver': kind}), **options}.items():
        configuration.set_override(name, value, 'test')
    driver = drivers.load('test', chosen)
    if group:
        driver.group, driver.target = group, FakeTarget()
    driver.start()
    return driver


class Backend:
    """A driver, and how a test reads and writes what its volumes hold."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.group = FakeGroup() if kind.startswith('lvm') else None
        self.driver = make(folder, kind, self.group)

    def read(self, volume, count) -> bytes:
        if self.kind == 'memory':
            return self.driver.volumes[volume.id]['data'][:count].ljust(count, b'\0')
        if self.group:
            return self.group.read(volume.name, 0, count)
        with open(self.folder / 'volumes' / volume.name, 'rb') as file:
            return file.read(count)

    def write(self, volume, data):
        if self.kind == 'memory':
            self.driver.volumes[volume.id]['data'] = data
        elif self.group:
            self.group.write(volume.name, 0, data)
        else:
            with open(self.folder / 'volumes' / volume.name, 'r+b') as file:
                file.write(data)

    def again(self):
        """What a worker finds that is started after this one was killed."""
        if self.kind != 'memory':
            self.driver = make(self.folder, self.kind, self.group)
        return self.driver


@pytest.fixture(params=KINDS)
def backend(request, tmp_path):
    return Backend(tmp_path, request.param)


@pytest.fixture
def small():
    """A volume of 64 MiB: sizes are bytes to a driver, and full ones take the disk's space."""
    return Volume('5f3b8c1e-0000-4000-8000-000000000001', 64 * 1024 * 1024)


@pytest.fixture
def other():
    return Volume('5f3b8c1e-0000-4000-8000-000000000002', 80 * 1024 * 1024)


@pytest.fixture
def snapshot(small):
    return Snapshot('5f3b8c1e-0000-4000-8000-000000000003', small.size)
