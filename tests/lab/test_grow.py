"""brick's grow() on real disks: LIO behind several portals, multipathd, LUKS; and everything that goes wrong there."""
import os
import pathlib
import socket
import struct
import subprocess
import threading
import time

import pytest

import brick
from brick import errors, multipath, privileged
from brick.sysfs import Sysfs
from tests.lab import disks
from tests.lab.disks import GIB, PORTALS


@pytest.fixture(scope='module', autouse=True)
def set_up(tmp_path_factory):
    brick.setup(lock_path=str(tmp_path_factory.mktemp('locks')))
    brick.warm_up()


@pytest.fixture
def volumes(request):
    """Makes volumes that are logged in to, and removes them."""
    made = []

    def make(portals=4, stale=0, mapped=True):
        name = f'v{os.urandom(3).hex()}'
        volume = disks.Volume(name, PORTALS[:portals], stale=PORTALS[portals - stale:portals])
        made.append(volume)
        volume.login()
        if mapped:
            volume.map = volume.await_map()
            disks.fill(volume.map)
            volume.before = disks.checksum(volume.map)
        return volume

    yield make
    for volume in made:
        if getattr(volume, 'before', None):
            assert disks.checksum(volume.await_map(len(volume.disks()))) == volume.before
        volume.remove()


@pytest.fixture
def iscsi():
    return brick.connector_for('iscsi', multipath=True)


@pytest.fixture
def in_use():
    """Holds a device open, as a guest does."""
    held = []
    yield lambda device: held.append(os.open(f'/dev/{device}', os.O_RDONLY))
    for descriptor in held:
        os.close(descriptor)


def sizes(volume):
    return {disks.size(disk) for disk in volume.disks()}


@pytest.mark.parametrize('portals', [1, 4, 8])
def test_every_path_and_the_map(volumes, iscsi, portals):
    volume = volumes(portals)
    volume.extend(2 * GIB)
    assert (sizes(volume), disks.size(volume.map)) == ({GIB}, GIB)
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert (sizes(volume), disks.size(volume.map)) == ({2 * GIB}, 2 * GIB)
    assert iscsi.size(volume.data) == 2 * GIB
    paths = iscsi.paths(volume.data)
    assert {path.portal for path in paths} == {f'{portal}:3260' for portal in volume.portals}
    assert {(path.size, path.state) for path in paths} == {(2 * GIB, 'running')}


def test_a_repeat_disturbs_nothing(volumes, iscsi, monkeypatch):
    volume = volumes()
    volume.extend(2 * GIB)
    iscsi.grow(volume.data, 2 * GIB)
    asked = []
    monkeypatch.setattr(iscsi, 'ask', lambda *words: asked.append(words), raising=False)
    monkeypatch.setattr(iscsi, 'multipathd', lambda *words: asked.append(words), raising=False)
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert not asked


def test_without_a_wanted_size_all_must_agree(volumes):
    volume = volumes()
    volume.extend(2 * GIB)
    assert brick.extend_volume(volume.data, protocol='iscsi') == 2 * GIB
    assert disks.size(volume.map) == 2 * GIB


def test_single_path_without_a_map(volumes, iscsi):
    disks.run('multipathd', 'shutdown')
    try:
        volume = volumes(1, mapped=False)
        disks.until(volume.disks)
        volume.extend(2 * GIB)
        assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
        assert iscsi.device(volume.data).map is None
        volume.remove()
    finally:
        disks.run('multipathd')
        disks.until(lambda: 'idle' in disks.run('multipathd', 'show', 'daemon', check=False))


def test_two_at_once(volumes, iscsi):
    volume = volumes()
    volume.extend(2 * GIB)
    found = []
    threads = [threading.Thread(target=lambda: found.append(iscsi.grow(volume.data, 2 * GIB))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2 * GIB] * 3
    assert len(iscsi.device(volume.data).members) == 4


def test_no_program_is_run(volumes, iscsi):
    volume = volumes()
    volume.extend(2 * GIB)
    disks.run('udevadm', 'settle')
    before = last_process()
    iscsi.grow(volume.data, 2 * GIB)
    disks.run('udevadm', 'settle')
    ours = {int(pid) for pid in os.listdir('/proc') if pid.isdigit() and int(pid) > before}
    assert not [pid for pid in ours if parent(pid) in (os.getpid(), privileged_daemon())]


# ------------------------------------------------------------------------------------------------------ paths down

def test_one_path_down(volumes, iscsi, in_use):
    volume = volumes()
    in_use(volume.map)
    disks.down(PORTALS[2])
    disk = next(path.name for path in iscsi.paths(volume.data) if path.portal.startswith(PORTALS[2]))
    volume.extend(2 * GIB)
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert disks.size(volume.map) == 2 * GIB
    lagging = [path for path in iscsi.paths(volume.data) if path.size < 2 * GIB]
    assert [(path.name, path.portal) for path in lagging] == [(disk, f'{PORTALS[2]}:3260')]
    assert lagging[0].state != 'running'
    # It comes back: the next growth, which has nothing else to do, makes it whole.
    disks.up(PORTALS[2])
    disks.until(lambda: disks.state(disk) == 'running')
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert len(iscsi.device(volume.data).members) == 4
    assert {path.size for path in iscsi.paths(volume.data)} == {2 * GIB}


def test_a_path_that_dies_unnoticed_does_not_hold_up_the_others(volumes, iscsi):
    volume = volumes()
    volume.extend(2 * GIB)
    disks.down(PORTALS[3])
    assert 'running' in {disks.state(disk) for disk in volume.disks()}
    began = time.monotonic()
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert time.monotonic() - began < 20
    disks.up(PORTALS[3])
    disks.until(lambda: {disks.state(disk) for disk in volume.disks()} == {'running'})
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert len(iscsi.device(volume.data).members) == 4


def test_all_paths_down(volumes, iscsi, in_use):
    volume = volumes()
    in_use(volume.map)
    volume.extend(2 * GIB)
    for portal in volume.portals:
        disks.down(portal)
    disks.until(lambda: 'running' not in {disks.state(disk) for disk in volume.disks()})
    with pytest.raises(errors.PathsDown, match=f'{GIB} (blocked|transport-offline)'):
        iscsi.grow(volume.data, 2 * GIB)
    assert disks.size(volume.map) == GIB
    for portal in volume.portals:
        disks.up(portal)
    disks.until(lambda: {disks.state(disk) for disk in volume.disks()} == {'running'})
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert len(iscsi.device(volume.data).members) == 4


def test_session_dropped_while_growing(volumes, iscsi, in_use):
    """It comes back as another disk, which multipathd alone would leave out: its size is not the map's."""
    volume = volumes()
    in_use(volume.map)
    before = volume.disks()
    volume.extend(2 * GIB)
    stop = threading.Event()

    def relogin():
        volume.logout([PORTALS[1]])
        volume.login([PORTALS[1]])
        stop.set()

    thread = threading.Thread(target=relogin)
    thread.start()
    while not stop.is_set():
        assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    thread.join()
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert len(volume.disks()) == len(before)
    assert sizes(volume) == {2 * GIB}
    disks.until(lambda: iscsi.grow(volume.data, 2 * GIB) and len(iscsi.device(volume.data).members) == 4)


# ------------------------------------------------------------------------------------------------- sizes that differ

def test_stale_path(volumes, iscsi, in_use):
    volume = volumes(stale=1)
    in_use(volume.map)
    volume.extend(2 * GIB)
    with pytest.raises(errors.DeviceTooSmall) as caught:
        iscsi.grow(volume.data, 2 * GIB)
    for path in iscsi.paths(volume.data):
        assert f'{path.name} {path.size} running' in str(caught.value)
    assert sorted(path.size for path in iscsi.paths(volume.data)) == [GIB] + [2 * GIB] * 3
    assert disks.size(volume.map) == GIB
    volume.grow_stale()
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB


def test_the_storage_did_not_grow(volumes, iscsi):
    volume = volumes(2)
    with pytest.raises(errors.DeviceTooSmall, match=f'{2 * GIB} bytes are wanted; paths: sd[a-z]+ {GIB} running'):
        iscsi.grow(volume.data, 2 * GIB)


def test_no_disk(iscsi):
    data = {'target_portal': '10.11.1.1:3260', 'target_iqn': 'iqn.2010-10.org.openstack:none', 'target_lun': 0}
    with pytest.raises(errors.DeviceNotFound):
        iscsi.grow(data, GIB)
    assert iscsi.paths(data) == []


# ------------------------------------------------------------------------------------------------------- multipathd

def test_multipathd_stopped(volumes, iscsi, in_use):
    volume = volumes()
    in_use(volume.map)
    volume.extend(2 * GIB)
    disks.run('multipathd', 'shutdown')
    try:
        with pytest.raises(errors.MultipathError, match=f'has {GIB} bytes.*does not answer.*{2 * GIB} running'):
            iscsi.grow(volume.data, 2 * GIB)
    finally:
        disks.run('multipathd')
        disks.until(lambda: 'idle' in disks.run('multipathd', 'show', 'daemon', check=False))
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB


class Multipathd:
    """In front of the real one: says `answers` first, then hands on."""

    def __init__(self, *answers):
        self.address, self.asked, self._answers = f'\0lab/{os.urandom(4).hex()}', [], list(answers)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.address)
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def put_before(self, connector):
        def ask(names, size, over, timeout):
            sysfs = Sysfs()
            answers, reply = privileged.rescan(names, timeout), self.ask(['resize', 'map', sysfs.map_name(over)])
            return answers, reply, {name: sysfs.size(name) for name in [*names, over]}

        connector.ask, connector.multipathd = ask, self.ask

    def ask(self, words):
        return multipath.ask(words, address=self.address)

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            with connection:
                length, = struct.unpack('@N', connection.recv(8))
                words = connection.recv(length).rstrip(b'\0').decode().split()
                self.asked.append(words)
                answer = self._answers.pop(0) if self._answers else multipath.ask(words)
                text = answer.encode() + b'\n\0'
                connection.sendall(struct.pack('@N', len(text)) + text)


@pytest.mark.parametrize('answers, asked', [
    (['fail'], ['resize', 'resize']),
    (['timeout', 'fail'], ['resize', 'resize', 'reconfigure']),         # which resizes by itself
])
def test_multipathd_says_no_at_first(volumes, iscsi, in_use, answers, asked):
    volume = volumes(2)
    in_use(volume.map)
    volume.extend(2 * GIB)
    fake = Multipathd(*answers)
    fake.put_before(iscsi)
    assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB
    assert [words[0] for words in fake.asked][:len(asked)] == asked
    assert len(iscsi.device(volume.data).members) == 2


def test_multipathd_says_no_for_good(volumes, iscsi, in_use):
    volume = volumes(2)
    in_use(volume.map)
    volume.extend(2 * GIB)
    fake = Multipathd(*['fail'] * 9)
    fake.put_before(iscsi)
    with pytest.raises(errors.MultipathError, match=f'multipathd: fail; paths: sd[a-z]+ {2 * GIB} running, '):
        iscsi.grow(volume.data, 2 * GIB)
    assert len(fake.asked) <= 4


# ------------------------------------------------------------------------------------------------------------- LUKS

@pytest.mark.parametrize('kind, needs_key', [('luks1', False), ('luks2', True)])
def test_luks(volumes, iscsi, kind, needs_key):
    volume = volumes(2)
    device, name = f'/dev/{volume.map}', f'crypt-{volume.name}'
    key = b'correct horse'
    for words in (['luksFormat', '--type', kind, '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', device],
                  ['open', device, name]):
        subprocess.run(['cryptsetup', '--batch-mode', '--key-file', '-', *words], input=key, check=True)
    volume.before = None
    try:
        mapper = os.path.basename(os.path.realpath(f'/dev/mapper/{name}'))
        header = GIB - disks.size(mapper)
        disks.fill(mapper)
        before = disks.checksum(mapper)
        volume.extend(2 * GIB)
        if needs_key:
            with pytest.raises(errors.BrickError, match='cryptsetup'):
                iscsi.grow(volume.data, 2 * GIB)
        assert iscsi.grow(volume.data, 2 * GIB, key=key if needs_key else None) == 2 * GIB - header
        assert (disks.size(mapper), iscsi.size(volume.data)) == (2 * GIB - header, 2 * GIB - header)
        assert iscsi.grow(volume.data, 2 * GIB) == 2 * GIB - header      # nothing to do, so no key
        assert disks.checksum(mapper) == before
    finally:
        disks.run('cryptsetup', 'close', name, check=False)


# ---------------------------------------------------------------------------------------------------------- processes

def last_process():
    return int(pathlib.Path('/proc/loadavg').read_text().split()[-1])


def parent(pid):
    try:
        return int(pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1])
    except OSError:
        return 0


def privileged_daemon():
    return next(int(pid) for pid in os.listdir('/proc') if pid.isdigit() and 'privsep-helper'
                in pathlib.Path(f'/proc/{pid}/cmdline').read_text())
