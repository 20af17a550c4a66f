"""The LVM driver on a real volume group: what every driver promises, and what only LVM can do wrong."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
import uuid

import pytest
from oslo_config import cfg

from svckit.operations import Refused
from tests.drivers import deaths
from tests.drivers.test_contract import *  # noqa: F403 - the contract's stories, with this module's backend
from tests.drivers.test_contract import CONNECTOR, image
from tests.operations.volsvc_world import World
from volsvc import conf, drivers
from volsvc.drivers.base import DriverError, NoSpace, Snapshot, Volume, VolumeMissing
from volsvc.operations import extend_volume
from volsvc.privileged import lvm as privileged

# Of these LVM itself sees nothing that others do not show it; tests/drivers/test_contract.py has them, also for LVM,
# and test_lio.py has connections.
del test_an_unknown_format_is_refused_and_leaves_nothing, test_data_that_stop_coming_leave_nothing  # noqa: F821
del test_what_is_not_there, test_a_snapshot_of_nothing_and_a_volume_of_no_snapshot  # noqa: F821
del test_disconnecting_what_is_gone, test_making_one_again_leaves_it_as_it_is  # noqa: F821
del test_growing_again_changes_nothing, test_it_never_shrinks, test_a_copy_made_before_needs_no_source  # noqa: F821
del test_connecting_and_connecting_again  # noqa: F821

MIB = 1024 * 1024
POOL = 'volumes'
KINDS = {'thin': {'lvm_type': 'thin', 'thin_pool': POOL}, 'thick': {'lvm_type': 'thick'}}


def lvm(*words) -> str:
    return subprocess.run(['lvm', *words], check=True, capture_output=True, text=True, timeout=120).stdout


def names() -> set:
    return {line.strip() for line in lvm('lvs', '--noheadings', '-o', 'lv_name', 'lab').splitlines()}


class Backend:
    """A driver, and how a test reads and writes what its volumes hold."""

    def __init__(self, folder, kind, **options):
        self.folder, self.kind, self._options = folder, kind, options
        self.again()

    def again(self):
        """What a worker finds that is started after this one was killed."""
        configuration = cfg.ConfigOpts()
        configuration.register_opts(conf.DEFAULT)
        chosen = conf.backend(configuration, 'test')
        for name, value in {'volume_driver': 'lvm', 'volume_group': 'lab', 'image_folder': str(self.folder),
                            'target_portals': ['10.11.1.1:3260', '10.11.2.1:3260'], **KINDS[self.kind],
                            **self._options}.items():
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


@pytest.fixture(scope='module', params=KINDS)
def kind(request):
    """All tests of one kind in a row, as a pool takes its time to make and to remove."""
    yield request.param
    with contextlib.suppress(subprocess.CalledProcessError):
        lvm('lvremove', '-f', f'lab/{POOL}')


@pytest.fixture
def backend(kind, tmp_path, empty):
    return Backend(tmp_path, kind)


@pytest.fixture
def thick(tmp_path, empty):
    return Backend(tmp_path, 'thick')


@pytest.fixture
def empty():
    """The volume group has nothing, but perhaps a pool, again afterwards."""
    yield
    left = names()
    if left - {POOL}:
        # Snapshots of thick ones go with their source, so those cannot be named.
        lvm('lvremove', '-f', *(f'lab/{name}' for name in left - {POOL}) if POOL in left else ['lab'])


@pytest.fixture
def small():
    return Volume(str(uuid.uuid4()), 64 * MIB)


@pytest.fixture
def other():
    return Volume(str(uuid.uuid4()), 80 * MIB)


@pytest.fixture
def snapshot(small):
    return Snapshot(str(uuid.uuid4()), small.size)


@pytest.fixture
def world(tmp_path, empty):
    """The whole service over thick volumes."""
    return World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, enabled_backends=['file'],
                 file__volume_driver='lvm', file__volume_group='lab', file__lvm_type='thick')


def test_grown_by_hand(world):
    """The operator ran lvextend: that is told and left as it is; an extend to that size takes its quota."""
    volume = world.made()
    lvm('lvextend', '-L', '3g', f'lab/volume-{volume.id}')
    for _ in range(2):
        world.worker.sweep()
    said, = world.messages()
    assert 'has 1 GiB, but the storage backend holds 3 GiB' in said
    assert (world.row(volume.id).size, world.used()['gigabytes']) == (1024 * MIB, 1)
    extend_volume.request(world.context(), world.row(volume.id), 3)
    world.run()
    world.worker.sweep()
    assert (world.row(volume.id).size, world.used()['gigabytes']) == (3072 * MIB, 3)
    assert world.driver.sizes() == {volume.id: 3072 * MIB} and world.worker.grown == {}


# ------------------------------------------------------------------ full

class TestFull:
    @pytest.fixture
    def thick(self, thick, small):
        thick.driver.create(small)
        thick.write(small, b'kept')
        lvm('lvcreate', '-y', '-W', 'n', '-n', 'rest', '-l', '100%FREE', 'lab')
        return thick

    def test_nothing_new_fits_and_nothing_is_left_of_it(self, thick, small, other, snapshot):
        before = names()
        for ask in (lambda: thick.driver.create(other), lambda: thick.driver.clone(other, small),
                    lambda: thick.driver.create_from_image(other, image(b'data')),
                    lambda: thick.driver.create_snapshot(snapshot, small)):
            with pytest.raises(NoSpace, match='full'):
                ask()
        assert names() == before and thick.driver.stats()['free_bytes'] == 0

    def test_a_volume_that_cannot_grow_is_as_it_was(self, thick, small):
        with pytest.raises(NoSpace, match='full') as caught:
            thick.driver.extend(small, 2 * small.size)
        assert 'lab' not in str(caught.value)
        assert thick.driver.size(small) == small.size and thick.read(small, 4) == b'kept'
        lvm('lvremove', '-f', 'lab/rest')
        thick.driver.extend(small, 2 * small.size)
        assert thick.driver.size(small) == 2 * small.size

    def test_a_full_pool(self, tmp_path, empty, small, other, snapshot):
        lvm('lvcreate', '-y', '--type', 'thin-pool', '-L', '32m', '-n', 'small', 'lab')
        thin = Backend(tmp_path, 'thin', thin_pool='small')
        thin.driver.create(small)
        thin.write(small, b'x' * 32 * MIB)
        assert thin.driver.stats()['free_bytes'] == 0
        for ask in (lambda: thin.driver.create(other), lambda: thin.driver.create_snapshot(snapshot, small),
                    lambda: thin.driver.extend(small, 2 * small.size)):
            with pytest.raises(NoSpace, match='full'):
                ask()
        assert thin.driver.size(small) == small.size and thin.read(small, 4) == b'xxxx'

    def test_an_extend_that_was_asked_for_is_refused_and_costs_nothing(self, world):
        """The worker knows more than the API did: somebody took the room meanwhile."""
        volume = world.made()
        extend_volume.request(world.context(), volume, 2)
        lvm('lvcreate', '-y', '-W', 'n', '-n', 'rest', '-l', '100%FREE', 'lab')
        world.run()
        found = world.row(volume.id)
        assert (found.status, found.size) == ('available', 1024 * MIB)
        assert world.used()['gigabytes'] == 1
        assert 'keeps its size' in world.messages()[0] and 'full' in world.messages()[0]
        lvm('lvremove', '-f', 'lab/rest')
        world.worker.report()
        extend_volume.request(world.context(), found, 2)
        world.run()
        assert (world.row(volume.id).size, world.used()['gigabytes']) == (2048 * MIB, 2)


# ------------------------------------------------------------------ thick snapshots, and what was there before

def test_a_thick_volume_with_snapshots_grows_only_while_nobody_uses_it(thick, small, other, snapshot):
    thick.driver.create(small)
    thick.write(small, b'as it was')
    thick.driver.create_snapshot(snapshot, small)
    with open(f'/dev/lab/{small.name}', 'rb'), pytest.raises(Refused, match='snapshots and is in use'):
        thick.driver.extend(small, 2 * small.size)
    assert thick.driver.size(small) == small.size
    thick.driver.extend(small, 2 * small.size)
    thick.write(small, b'AS IT IS ')
    assert thick.driver.size(small) == 2 * small.size
    thick.driver.create_from_snapshot(other, snapshot)
    assert thick.read(other, 9) == b'as it was'


def test_a_thick_volume_stays_while_it_has_snapshots(thick, small, snapshot):
    thick.driver.create(small)
    thick.driver.create_snapshot(snapshot, small)
    with pytest.raises(Refused, match='snapshots'):
        thick.driver.delete(small)
    thick.driver.delete_snapshot(snapshot)
    thick.driver.delete(small)
    assert names() == set()


def test_what_a_thick_volume_or_snapshot_held_is_overwritten(thick, small, snapshot):
    thick.driver.create(small)
    thick.write(small, b'SECRET' * 1000, 8 * MIB)
    thick.driver.create_snapshot(snapshot, small)
    thick.write(small, b'PUBLIC' * 1000, 8 * MIB)       # the secret is what the snapshot has set aside
    thick.driver.delete_snapshot(snapshot)
    thick.write(small, b'SECRET' * 1000, 8 * MIB)
    thick.driver.delete(small)
    assert disk_holds(b'SECRETSECRET') is False


def disk_holds(words, upto=512 * MIB) -> bool:
    """In the first part of the group's disk, past its metadata, where these tests write."""
    with open('/dev/loop0', 'rb') as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(MIB)
        return words in file.read(upto)


def test_a_copy_of_a_volume_that_is_written_to_meanwhile(thick, small, other):
    thick.driver.create(small)
    thick.write(small, b'before' * 1000)
    copy = thick.driver.group.copy

    def write_and_copy(*arguments, **options):
        thick.write(small, b'after!' * 1000)
        copy(*arguments, **options)
    thick.driver.group.copy = write_and_copy
    thick.driver.clone(other, small)
    assert thick.read(other, 12) == b'beforebefore' and names() == {small.name, other.name}


def test_a_qcow2_image(backend, tmp_path, small):
    if not shutil.which('qemu-img'):
        pytest.skip('there is no qemu-img')
    (tmp_path / 'raw').write_bytes(b'boot' + bytes(8 * MIB) + b'end')
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', tmp_path / 'raw', tmp_path / 'q'], check=True)
    backend.driver.create_from_image(small, image((tmp_path / 'q').read_bytes(), 'qcow2'))
    found = backend.read(small, 9 * MIB)
    assert found[:4] == b'boot' and found[8 * MIB + 4:8 * MIB + 7] == b'end'
    assert not any(found[4:8 * MIB]) and not list(tmp_path.glob('.image-*'))


# ------------------------------------------------------------------ killed in the middle

def test_killed_in_the_middle_and_repeated(thick):
    """After a snapshot was split off; tests/drivers/test_lvm.py has all verbs and all changes."""
    deaths.each_change_of('delete_snapshot', thick, names, 2)


def test_an_extend_that_died_before_the_kernel_heard_of_it(thick, small):
    thick.driver.create(small)
    device = f'lab-volume--{small.id.replace("-", "--")}'
    table = subprocess.run(['dmsetup', 'table', device], check=True, capture_output=True, text=True).stdout
    lvm('lvextend', '-L', '128m', f'lab/{small.name}')
    for words in (['suspend', device], ['load', device, '--table', table.strip()], ['resume', device]):
        subprocess.run(['dmsetup', *words], check=True)
    assert thick.driver.size(small) == small.size
    thick.driver.extend(small, 2 * small.size)
    assert thick.driver.size(small) == 2 * small.size


def test_the_daemon_dies(thick, small):
    daemon, = [int(path.parent.name) for path in pathlib.Path('/proc').glob('[0-9]*/cmdline')
               if b'volsvc.privileged' in path.read_bytes()]
    os.kill(daemon, signal.SIGKILL)
    for _ in range(50):
        with contextlib.suppress(DriverError):
            thick.driver.create(small)
            break
        time.sleep(0.1)
    assert thick.driver.size(small) == small.size


# ------------------------------------------------------------------ others at work on the same group

@contextlib.contextmanager
def locked():
    """Somebody else's command works on the volume group."""
    with open('/run/lock/lvm/V_lab', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def test_waits_for_others(thick, small):
    with locked() as file:
        threading.Timer(1, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        thick.driver.create(small)
        time.sleep(0.1)
    assert thick.driver.size(small) == small.size


def test_does_not_wait_for_ever(thick, small, monkeypatch):
    monkeypatch.setattr(privileged, 'PATIENCE', 1.0)
    monkeypatch.setattr(privileged.context, 'client_mode', False)
    with locked(), pytest.raises(DriverError, match='busy'):
        thick.driver.create(small)
    thick.driver.create(small)


def test_side_by_side(backend):
    volumes = [Volume(str(uuid.uuid4()), 16 * MIB) for _ in range(3)]
    threads = [threading.Thread(target=backend.driver.create, args=(volume,)) for volume in volumes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert backend.driver.sizes() == {volume.id: volume.size for volume in volumes}


# ------------------------------------------------------------------ what an operator can get wrong

def test_settings_that_cannot_be(tmp_path, empty):
    for options, said in (({'volume_group': None}, 'not set'), ({'volume_group': 'nowhere'}, 'no volume group nowhere'),
                          ({'volume_group': '../lab'}, 'managed'), ({'lvm_conf_folder': str(tmp_path)}, 'managed')):
        tmp_path.chmod(0o777)
        with pytest.raises(DriverError, match=said):
            Backend(tmp_path, 'thick', **options)


def test_connecting_what_was_switched_off(thick, small):
    thick.driver.create(small)
    lvm('lvchange', '-an', f'lab/{small.name}')
    assert thick.driver.size(small) == small.size
    assert thick.driver.connect(small, CONNECTOR, 'rw')['data']['target_lun'] == 0
    thick.driver.delete(small)
    with pytest.raises(VolumeMissing):
        thick.driver.size(small)
