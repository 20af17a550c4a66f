"""A real Linux guest from power-on to power-off: what it says on its console is what counts."""

import os
import re
import shutil
import subprocess
import time
import uuid

import pytest

from computesvc.host import base
from onebox import guest

GiB = 1 << 30
BOOT_SECONDS = 90       # four on an idle machine


def eventually(look, seconds=20):
    """Wait until look() is true; fail with what it last said."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, f'not within {seconds} s: {seen!r}'
        time.sleep(0.05)
    return seen


@pytest.fixture(scope='module')
def hypervisor(libvirt_hypervisor):
    """Only libvirt has real guests."""
    return libvirt_hypervisor


@pytest.fixture(scope='module')
def booted(hypervisor, make_disk, guest_image):
    """A running server with the Linux guest; its boot disk is larger than the image, as a volume would be."""
    boot = make_disk('vda', GiB, boot_index=0)
    with open(boot['path'], 'r+b') as volume, guest_image.open('rb') as image:
        shutil.copyfileobj(image, volume)
    server_id = str(uuid.uuid4())
    hypervisor.define({'id': server_id, 'name': 'linux', 'vcpus': 1, 'memory_mb': 128}, [boot], [{'type': 'user'}])
    hypervisor.power_on(server_id)
    sees = seen_by(hypervisor, server_id)
    eventually(lambda: sees(boot['volume_id']) == GiB, BOOT_SECONDS)
    yield server_id
    hypervisor.undefine(server_id)


@pytest.fixture
def linux(hypervisor, booted, monkeypatch):
    """The server, one for all tests here; what a test plugged in is gone after it, however it ended."""
    plugged, attach = [], hypervisor.attach_disk
    monkeypatch.setattr(hypervisor, 'attach_disk',
                        lambda server_id, disk: plugged.append(disk) or attach(server_id, disk))
    yield booted
    for disk in plugged:
        hypervisor.detach_disk(booted, disk['volume_id'])


def seen_by(hypervisor, server_id):
    """A function that says which size the guest reports for a volume."""
    return lambda volume_id: guest.size_seen(hypervisor.console_output(server_id), volume_id)


def test_a_disk_grows_under_a_running_guest(hypervisor, linux, make_disk, record_property):
    sees = seen_by(hypervisor, linux)
    disk = make_disk('vdb', GiB)
    hypervisor.attach_disk(linux, disk)
    eventually(lambda: sees(disk['volume_id']) == GiB)

    os.truncate(disk['path'], 2 * GiB)
    assert hypervisor.disk_size(linux, disk['volume_id']) == GiB
    begin = time.perf_counter()
    hypervisor.resize_disk(linux, disk['volume_id'], 2 * GiB)
    record_property('resize_disk seconds', round(time.perf_counter() - begin, 4))
    assert hypervisor.disk_size(linux, disk['volume_id']) == 2 * GiB
    eventually(lambda: sees(disk['volume_id']) == 2 * GiB)
    record_property('until the guest said so, seconds', round(time.perf_counter() - begin, 4))

    for _ in range(2):
        hypervisor.detach_disk(linux, disk['volume_id'])
    with pytest.raises(base.DiskNotFound):
        hypervisor.disk_size(linux, disk['volume_id'])
    eventually(lambda: sees(disk['volume_id']) is None)
    hypervisor.attach_disk(linux, disk)     # and it comes back with its size
    eventually(lambda: sees(disk['volume_id']) == 2 * GiB)
    hypervisor.detach_disk(linux, disk['volume_id'])


def sector(disk):
    """What stands where the guest counts: behind the file system of its image, on every disk."""
    with open(disk['path'], 'rb') as file:
        file.seek(15 << 20)
        return file.read(512)


def test_a_guest_counts_on_its_disks_and_goes_on_from_what_it_finds(hypervisor, linux, make_disk):
    def says(name):
        return guest.counters(hypervisor.console_output(linux)).get(name, 0)

    def found():
        return guest.counters_found(hypervisor.console_output(linux), fresh['volume_id']).get('vdb', [])

    begun = eventually(lambda: says('vda'))
    eventually(lambda: 'vdb' not in guest.counters(hypervisor.console_output(linux)))
    fresh, foreign = make_disk('vdb', GiB), make_disk('vdc', GiB)
    with open(foreign['path'], 'r+b') as file:
        file.seek(15 << 20)
        file.write(b'data')
    for disk in (fresh, foreign):
        hypervisor.attach_disk(linux, disk)
    eventually(lambda: found() == [0])
    shown = eventually(lambda: says('vdb'))
    hypervisor.detach_disk(linux, fresh['volume_id'])
    word, number = sector(fresh).split()
    assert (word, int(number) >= shown) == (b'counter', True)

    eventually(lambda: 'vdb' not in guest.counters(hypervisor.console_output(linux)))
    hypervisor.attach_disk(linux, fresh)
    eventually(lambda: says('vdb') > int(number))
    assert found() == [0, int(number)]
    assert says('vda') > begun
    assert says('vdc') == 0 and sector(foreign).rstrip(b'\0') == b'data'
    for disk in (fresh, foreign):
        hypervisor.detach_disk(linux, disk['volume_id'])


def test_a_guest_shuts_itself_down(hypervisor, linux):
    def starts():
        return len(re.findall('Linux .* is up', hypervisor.console_output(linux)))

    begun = starts()
    begin = time.monotonic()
    hypervisor.power_off(linux, timeout=60)
    assert time.monotonic() - begin < 50, 'it was cut off instead'
    assert 'Power button pressed' in hypervisor.console_output(linux)
    assert hypervisor.power_state(linux) == 'shutdown'
    assert re.search(r'Power down', hypervisor.console_output(linux, lines=3))

    counted = guest.counters(hypervisor.console_output(linux))['vda']
    hypervisor.power_on(linux)
    eventually(lambda: starts() == begun + 1, BOOT_SECONDS)
    eventually(lambda: guest.counters_found(hypervisor.console_output(linux))['vda'][-1] >= counted)
    hypervisor.reboot(linux)
    eventually(lambda: starts() == begun + 2, BOOT_SECONDS)


def test_a_paused_guest_holds_its_disk(hypervisor, linux, make_disk):
    sees = seen_by(hypervisor, linux)
    disk = make_disk('vdb', GiB)
    hypervisor.attach_disk(linux, disk)
    eventually(lambda: sees(disk['volume_id']) == GiB)
    hypervisor.pause(linux)
    hypervisor._detach_timeout, patience = 1, hypervisor._detach_timeout
    try:
        with pytest.raises(base.DiskHeld, match='did not let go'):
            hypervisor.detach_disk(linux, disk['volume_id'])
    finally:
        hypervisor._detach_timeout = patience
    hypervisor.unpause(linux)
    hypervisor.detach_disk(linux, disk['volume_id'])
    eventually(lambda: sees(disk['volume_id']) is None)


@pytest.fixture
def loop_device(tmp_path):
    """Make a block device over a sparse file: (device, file)."""
    made = []

    def make(size):
        path = tmp_path / f'backing-{len(made)}'
        path.touch()
        os.truncate(path, size)
        done = subprocess.run(['losetup', '--find', '--show', str(path)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f'no loop devices: {done.stderr.strip()}')
        made.append(done.stdout.strip())
        return made[-1], path
    yield make
    for device in made:
        subprocess.run(['losetup', '--detach', device], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which('losetup'), reason='root, for a loop device')
def test_a_block_device_grows(hypervisor, linux, loop_device):
    """As an LVM or iSCSI volume would: the device is larger first, then the guest is told."""
    device, file = loop_device(64 << 20)
    sees = seen_by(hypervisor, linux)
    disk = {'volume_id': str(uuid.uuid4()), 'path': device, 'type': 'block', 'format': 'raw', 'target': 'vdb',
            'boot_index': None, 'read_only': False}
    hypervisor.attach_disk(linux, disk)
    eventually(lambda: sees(disk['volume_id']) == 64 << 20)
    with pytest.raises(base.DeviceTooSmall, match=f'{device} has 67108864 bytes, 134217728 are wanted'):
        hypervisor.resize_disk(linux, disk['volume_id'], 128 << 20)

    os.truncate(file, 128 << 20)
    subprocess.run(['losetup', '--set-capacity', device], check=True)
    for _ in range(2):
        hypervisor.resize_disk(linux, disk['volume_id'], 128 << 20)
    assert hypervisor.disk_size(linux, disk['volume_id']) == 128 << 20
    eventually(lambda: sees(disk['volume_id']) == 128 << 20)
    hypervisor.detach_disk(linux, disk['volume_id'])
