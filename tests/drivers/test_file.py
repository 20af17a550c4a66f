"""What is the file driver's own: files of exact sizes, holes, full disks, locks, image formats."""
import fcntl
import os
import shutil
import subprocess
import threading

import pytest

from svckit.operations import Refused
from tests.drivers.conftest import make
from volsvc.drivers import sparse
from volsvc.drivers.base import DriverError, Image, NoSpace, Snapshot, Volume, VolumeMissing

MIB = 1024 * 1024
GIB = 1024 * MIB
A, B = (Volume(f'5f3b8c1e-0000-4000-8000-00000000000{n}', 64 * MIB) for n in (1, 2))


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a file system of 32 MiB."""
    if os.geteuid():
        pytest.skip('only root can mount a small file system')
    folder = tmp_path / 'disk'
    folder.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], capture_output=True,
                             text=True)
    if mounted.returncode:
        pytest.skip(f'no file system can be mounted: {mounted.stderr}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def path(folder, volume):
    return folder / 'volumes' / volume.name


def test_a_sparse_file_takes_no_space(tmp_path):
    driver = make(tmp_path, 'file')
    driver.create(Volume(A.id, 500 * GIB))
    found = path(tmp_path, A).stat()
    assert (found.st_size, found.st_blocks) == (500 * GIB, 0)


def test_a_full_one_takes_all_of_it(tmp_path):
    driver = make(tmp_path, 'file-full')
    driver.create(A)
    driver.extend(A, A.size + 8 * MIB)
    found = path(tmp_path, A).stat()
    assert found.st_size == A.size + 8 * MIB
    assert found.st_blocks * 512 >= found.st_size


def test_only_its_owner_may_read_it(tmp_path):
    make(tmp_path, 'file').create(A)
    assert path(tmp_path, A).stat().st_mode & 0o077 == 0


def test_a_disk_that_fills_up_leaves_the_volume_as_it_was(full_disk):
    driver = make(full_disk, 'file-full')
    volume = Volume(A.id, 8 * MIB)
    driver.create(volume)
    path(full_disk, volume).write_bytes(b'kept' + bytes(8 * MIB - 4))
    with pytest.raises(NoSpace, match='full'):
        driver.extend(volume, 64 * MIB)
    assert driver.size(volume) == 8 * MIB
    assert path(full_disk, volume).read_bytes()[:4] == b'kept'
    # What it had set aside on its way is free again.
    assert driver.stats()['free_bytes'] > 20 * MIB
    driver.extend(volume, 16 * MIB)
    assert driver.size(volume) == 16 * MIB


def test_a_new_volume_that_does_not_fit_leaves_nothing(full_disk):
    driver = make(full_disk, 'file-full')
    with pytest.raises(NoSpace):
        driver.create(A)
    assert list((full_disk / 'volumes').iterdir()) == []


def test_an_image_that_does_not_fit_leaves_nothing(full_disk):
    driver = make(full_disk, 'file')
    with pytest.raises(NoSpace):
        driver.create_from_image(A, Image('i', 'raw', 64 * MIB, lambda: (b'x' * MIB for _ in range(64))))
    assert list((full_disk / 'volumes').iterdir()) == []


def test_a_copy_that_does_not_fit_leaves_the_source(full_disk):
    driver = make(full_disk, 'file')
    driver.create_from_image(A, Image('i', 'raw', 20 * MIB, lambda: (b'x' * MIB for _ in range(20))))
    with pytest.raises(NoSpace):
        driver.clone(B, A)
    assert [p.name for p in (full_disk / 'volumes').iterdir()] == [A.name]


def test_holes_stay_holes_in_a_copy(tmp_path):
    driver = make(tmp_path, 'file')
    driver.create(A)
    with open(path(tmp_path, A), 'r+b') as file:
        file.seek(32 * MIB)
        file.write(b'x' * MIB)
    driver.clone(B, A)
    copied = path(tmp_path, B)
    assert copied.read_bytes() == path(tmp_path, A).read_bytes()
    assert copied.stat().st_blocks * 512 <= 2 * MIB


def test_copying_by_hand_where_nothing_else_works(tmp_path, monkeypatch):
    """Across file systems there is neither sharing nor copy_file_range."""
    def refuse(*args):
        raise OSError(18, 'Invalid cross-device link')
    monkeypatch.setattr(fcntl, 'ioctl', refuse)
    monkeypatch.setattr(os, 'copy_file_range', refuse)
    driver = make(tmp_path, 'file')
    driver.create(A)
    data = os.urandom(3 * MIB)
    with open(path(tmp_path, A), 'r+b') as file:
        file.seek(MIB + 17)
        file.write(data)
    driver.clone(B, A)
    assert path(tmp_path, B).read_bytes()[MIB + 17:4 * MIB + 17] == data


def test_a_source_that_grows_and_is_written_to_meanwhile(tmp_path, monkeypatch):
    """The copy has its own size, its owner knows that it is of several moments, and others hear how far it is."""
    def refuse(*args):
        raise OSError(25, 'Inappropriate ioctl for device')
    monkeypatch.setattr(fcntl, 'ioctl', refuse)
    monkeypatch.setattr(sparse, 'BLOCK', 4 * MIB)
    monkeypatch.setattr(sparse, 'OFTEN', 0.0)
    driver = make(tmp_path, 'file')
    driver.create(A)
    path(tmp_path, A).write_bytes(os.urandom(64 * MIB))
    os.utime(path(tmp_path, A), ns=(0, 0))
    heard = []
    quiet = Snapshot('5f3b8c1e-0000-4000-8000-000000000004', A.size, heard.append)
    assert driver.create_snapshot(quiet, A) is None
    assert heard == sorted(heard) and heard[0] <= 7 and heard[-1] == 100

    def meanwhile(percent):
        driver.extend(A, 96 * MIB)
        with open(path(tmp_path, A), 'r+b') as file:
            file.seek(80 * MIB)
            file.write(b'x' * MIB)
    moved = Snapshot('5f3b8c1e-0000-4000-8000-000000000005', A.size, meanwhile)
    assert 'not of one moment' in driver.create_snapshot(moved, A)
    assert path(tmp_path, moved).read_bytes() == path(tmp_path, A).read_bytes()[:64 * MIB]


@pytest.fixture(params=['xfs', 'btrfs'])
def sharing(request, tmp_path):
    """A folder on a file system whose files can share blocks."""
    program = shutil.which(f'mkfs.{request.param}')
    if os.geteuid() or program is None:
        pytest.skip('only root can mount a file system' if os.geteuid() else f'no mkfs.{request.param}')
    disk, folder = tmp_path / 'disk', tmp_path / 'folder'
    folder.mkdir()
    with open(disk, 'wb') as file:
        os.truncate(file.fileno(), 512 * MIB)
    subprocess.run([program, '-q', disk], check=True, capture_output=True)
    mounted = subprocess.run(['mount', '-o', 'loop', disk, folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f'no file system can be mounted: {mounted.stderr}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def test_copies_share_their_blocks_where_they_can(sharing):
    driver = make(sharing, 'file')
    driver.create(A)
    path(sharing, A).write_bytes(os.urandom(64 * MIB))
    os.sync()
    before = driver.stats()['free_bytes']
    snapshot, larger = Snapshot('5f3b8c1e-0000-4000-8000-000000000004', A.size), Volume(B.id, 96 * MIB)
    assert driver.create_snapshot(snapshot, A) is None
    with open(path(sharing, A), 'r+b') as file:
        file.write(b'x' * MIB)
    driver.create_from_snapshot(larger, snapshot)
    os.sync()
    assert before - driver.stats()['free_bytes'] < 16 * MIB
    held = path(sharing, A).read_bytes()
    assert held[:MIB] == b'x' * MIB
    assert path(sharing, snapshot).read_bytes()[MIB:] == held[MIB:] and driver.size(larger) == 96 * MIB
    assert path(sharing, larger).read_bytes() == path(sharing, snapshot).read_bytes() + bytes(32 * MIB)


def test_zeros_of_an_image_are_not_written(tmp_path):
    driver = make(tmp_path, 'file')
    driver.create_from_image(A, Image('i', 'raw', 32 * MIB, lambda: iter([bytes(MIB)] * 31 + [b'x' * MIB])))
    assert path(tmp_path, A).stat().st_blocks * 512 <= 2 * MIB
    assert path(tmp_path, A).read_bytes()[31 * MIB:32 * MIB] == b'x' * MIB


def test_an_image_larger_than_it_said_is_refused(tmp_path):
    driver = make(tmp_path, 'file')
    with pytest.raises(Refused, match='larger'):
        driver.create_from_image(A, Image('i', 'raw', MIB, lambda: iter([b'x' * MIB] * 65)))
    with pytest.raises(VolumeMissing):
        driver.size(A)


def test_a_half_made_volume_is_made_anew_and_deleted_with_the_rest(tmp_path):
    driver = make(tmp_path, 'file')
    part = tmp_path / 'volumes' / f'.{A.name}.part'
    part.write_bytes(b'half' * 100)
    with pytest.raises(VolumeMissing):
        driver.size(A)
    driver.create(A)
    assert path(tmp_path, A).read_bytes()[:4] == bytes(4)
    assert not part.exists()
    part.write_bytes(b'half')
    driver.delete(A)
    assert not part.exists()


def test_growing_waits_for_whoever_else_sets_the_length(tmp_path):
    driver = make(tmp_path, 'file')
    driver.create(A)
    held = open(path(tmp_path, A), 'rb')
    fcntl.flock(held, fcntl.LOCK_EX)
    growing = threading.Thread(target=driver.extend, args=(A, 2 * A.size))
    growing.start()
    growing.join(0.1)
    assert growing.is_alive() and driver.size(A) == A.size
    held.close()
    growing.join(5)
    assert driver.size(A) == 2 * A.size


def test_a_lock_that_is_never_let_go(tmp_path, monkeypatch):
    from volsvc.drivers import file as module
    monkeypatch.setattr(module, 'PATIENCE', 0.05)
    driver = make(tmp_path, 'file')
    driver.create(A)
    with open(path(tmp_path, A), 'rb') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DriverError, match='somebody else'):
            driver.extend(A, 2 * A.size)
    assert driver.size(A) == A.size


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DriverError, match='cannot be made'):
        make(tmp_path, 'file', path=str(tmp_path / 'file' / 'below'))


# ------------------------------------------------------------------ qcow2

@pytest.fixture
def qcow2(tmp_path):
    """make(options…) -> an Image in that format."""
    program = shutil.which('qemu-img')
    if not program:
        pytest.skip('qemu-img is not installed')

    def build(size, *options, backing=None):
        target = tmp_path / 'image.qcow2'
        command = [program, 'create', '-q', '-f', 'qcow2', *options]
        if backing:
            command += ['-b', str(backing), '-F', 'raw']
        subprocess.run([*command, str(target), str(size)], check=True)
        data = target.read_bytes()
        return Image('i', 'qcow2', len(data), lambda: iter([data]))
    return build


def test_qcow2_is_unpacked(tmp_path, qcow2):
    raw = tmp_path / 'image.raw'
    raw.write_bytes(b'a guest' + bytes(8 * MIB - 7))
    subprocess.run(['qemu-img', 'convert', '-O', 'qcow2', raw, tmp_path / 'made.qcow2'], check=True)
    data = (tmp_path / 'made.qcow2').read_bytes()
    driver = make(tmp_path, 'file')
    driver.create_from_image(A, Image('i', 'qcow2', len(data), lambda: iter([data])))
    assert driver.size(A) == A.size
    assert path(tmp_path, A).read_bytes()[:7] == b'a guest'
    assert [p.name for p in (tmp_path / 'volumes').iterdir()] == [A.name]


def test_qcow2_that_names_files_of_this_host_is_refused(tmp_path, qcow2):
    secret = tmp_path / 'secret'
    secret.write_bytes(b'secret' * 1000)
    driver = make(tmp_path, 'file')
    with pytest.raises(Refused, match='other files'):
        driver.create_from_image(A, qcow2(MIB, backing=secret))
    with pytest.raises(Refused, match='other files'):
        driver.create_from_image(A, qcow2(MIB, '-o', f'data_file={secret},data_file_raw=on'))
    assert list((tmp_path / 'volumes').iterdir()) == []


def test_qcow2_larger_than_the_volume_is_refused(tmp_path, qcow2):
    with pytest.raises(Refused, match='more than the volume'):
        make(tmp_path, 'file').create_from_image(A, qcow2(A.size + MIB))


def test_what_is_no_qcow2_is_refused(tmp_path, qcow2):
    with pytest.raises(Refused, match='no qcow2'):
        make(tmp_path, 'file').create_from_image(A, Image('i', 'qcow2', 5, lambda: iter([b'hello'])))


def test_without_qemu_img_only_raw(tmp_path, monkeypatch):
    monkeypatch.setattr(sparse.shutil, 'which', lambda name: None)
    with pytest.raises(Refused, match='without qemu-img'):
        make(tmp_path, 'file').create_from_image(A, Image('i', 'qcow2', 5, lambda: iter([b'hello'])))
