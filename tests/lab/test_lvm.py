"""The LVM driver on a real volume group: what every driver promises, and what only LVM can do wrong."""
import contextlib
import os
import subprocess
import uuid

import pytest
from oslo_config import cfg

from svckit.operations import Refused
from tests.drivers.test_contract import *  # noqa: F403 - the contract's stories, with this module's backend
from tests.drivers.test_contract import CONNECTOR, image
from volsvc import conf, drivers
from volsvc.drivers.base import NoSpace, Snapshot, Volume, VolumeMissing

MIB = 1024 * 1024
KINDS = {'thin': {'lvm_type': 'thin', 'thin_pool': 'volumes'}, 'thick': {'lvm_type': 'thick'}}


def lvm(*words) -> str:
    return subprocess.run(['lvm', *words], check=True, capture_output=True, text=True, timeout=120).stdout


def names() -> set:
    return {line.strip() for line in lvm('lvs', '--noheadings', '-o', 'lv_name', 'lab').splitlines()}


class Backend:
    """A driver, and how a test reads and writes what its volumes hold."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.again()

    def again(self):
        """What a worker finds that is started after this one was killed."""
        configuration = cfg.ConfigOpts()
        configuration.register_opts(conf.DEFAULT)
        chosen = conf.backend(configuration, 'test')
        for name, value in {'volume_driver': 'lvm', 'volume_group': 'lab', 'image_folder': str(self.folder),
                            'target_portals': ['10.11.1.1:3260', '10.11.2.1:3260'], **KINDS[self.kind]}.items():
            configuration.set_override(name, value, 'test')
        self.driver = drivers.load('test', chosen)
        self.driver.start()
        return self.driver

    def read(self, volume, count) -> bytes:
        with open(f'/dev/lab/{volume.name}', 'rb') as file:
            return file.read(count)

    def write(self, volume, data, place=0):
        with open(f'/dev/lab/{volume.name}', 'r+b') as file:
            file.seek(place)
            file.write(data)
            os.fsync(file.fileno())


@pytest.fixture(params=KINDS)
def backend(request, tmp_path):
    yield Backend(tmp_path, request.param)
    with contextlib.suppress(subprocess.CalledProcessError):
        lvm('lvremove', '-f', 'lab')


@pytest.fixture
def small():
    return Volume(str(uuid.uuid4()), 64 * MIB)


@pytest.fixture
def other():
    return Volume(str(uuid.uuid4()), 80 * MIB)


@pytest.fixture
def snapshot(small):
    return Snapshot(str(uuid.uuid4()), small.size)
