"""Local disks and their way to another host, with the real qemu-nbd and qemu-img and two hosts' folders."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest

from computesvc.host import copies, nbd, processes
from computesvc.host.base import HostError
from computesvc.host.local_disks import LocalDisks
from computesvc.host.tools import Tools
from svckit.operations import Refused

MIB = 1 << 20
PROGRAMS = ('qemu-nbd', 'qemu-img', 'mkfs.ext4', 'mkswap')
pytestmark = pytest.mark.skipif(
    not all(shutil.which(program, path=processes.environment()['PATH']) for program in PROGRAMS),
    reason='qemu-utils, e2fsprogs or util-linux is not installed')


class Images:
    """One image, of some bytes."""

    def __init__(self, data):
        self.data = data

    def download(self, image_id, path):
        with open(path, 'wb') as file:
            file.write(self.data)
        return len(self.data)


class Host:
    """A host's local disks, below a folder of its own."""

    def __init__(self, folder, carrier):
        self.folder, self.carrier = folder, carrier
        self.disks = LocalDisks(str(folder), Images(b'image' * 1000), carrier)

    def files(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob('*') if path.is_file())


def ports():
    """Sixty that are not handed out by this machine to whoever asks for any."""
    with open('/proc/sys/net/ipv4/ip_local_port_range') as file:
        lowest = int(file.read().split()[0])
    first = max(1025, lowest - 200 - os.getpid() % 80 * 60)
    return range(first, first + 60)


@pytest.fixture(params=['nbd', 'copies'])
def carrier(request):
    return nbd.Nbd('127.0.0.1', ports()) if request.param == 'nbd' else copies.Copies()


@pytest.fixture
def over_nbd():
    return nbd.Nbd('127.0.0.1', ports())


@pytest.fixture
def hosts(request, tmp_path):
    """Two of them, joined by the test's carrier."""
    way = request.getfixturevalue('carrier' if 'carrier' in request.fixturenames else 'over_nbd')
    pair = [Host(tmp_path / 'a, b' / name, way) for name in ('here', 'there')]
    for host in pair:
        host.folder.mkdir(parents=True)
    yield pair
    for program in ('qemu-nbd', 'qemu-img'):
        processes.end(program, f'--pid-file={tmp_path}')
        processes.end(program, str(tmp_path))


class Move:
    """One server's disks on their way from `here` to `there`."""

    def __init__(self, hosts, size=8 * MIB, ballast=0):
        self.here, self.there = hosts
        self.id, self.server = str(uuid.uuid4()), str(uuid.uuid4())
        root = self.here.disks.make_root(self.server, 'image', size)
        if ballast:
            with open(root['path'], 'r+b') as file:
                file.seek(MIB)
                for _ in range(ballast // MIB):
                    file.write(os.urandom(MIB))
        self.disks = [{'name': 'root', 'device': '/dev/vda', 'format': None, **root}]
        self.told = []

    def add(self, *blanks):
        self.disks += self.here.disks.make_blanks(self.server, blanks)

    def export(self):
        return self.here.disks.export(self.server, self.disks, self.id)

    def pull(self, found, wanted=None, tell=None):
        def told(percent):
            self.told.append(percent)
            return not tell or tell(percent)
        wanted = wanted or [{k: v for k, v in disk.items() if k != 'path'} for disk in self.disks]
        return self.there.disks.pull(self.server, self.id, found, wanted, told)


def same(old, new, size=None):
    """`new` begins with what `old` has, and has nothing behind it."""
    with open(old, 'rb') as one, open(new, 'rb') as other:
        data = one.read()
        return other.read() == data + b'\0' * ((size or len(data)) - len(data))


def swap_disk(size):
    return {'name': 'swap', 'device': '/dev/vdc', 'size': size, 'format': 'swap'}


def ephemeral(size):
    return {'name': 'ephemeral0', 'device': '/dev/vdb', 'size': size, 'format': 'ext4'}


# ------------------------------------------------------------------ made

def test_blank_disks_have_what_is_made_for(hosts, over_nbd):
    here = hosts[0]
    made = here.disks.make_blanks('s1', [ephemeral(16 * MIB), swap_disk(4 * MIB)])
    with open(made[0]['path'], 'rb') as file:
        start = file.read(2048)
    assert start[1080:1082] == b'\x53\xef' and start[1144:1154] == b'ephemeral0'       # ext4: its magic, its label
    with open(made[1]['path'], 'rb') as file:
        assert file.read(4096)[-10:] == b'SWAPSPACE2'
    assert [os.path.getsize(disk['path']) for disk in made] == [16 * MIB, 4 * MIB]
    before = [os.stat(disk['path']).st_ino for disk in made]
    assert here.disks.make_blanks('s1', [ephemeral(16 * MIB), swap_disk(4 * MIB)]) == made
    assert [os.stat(disk['path']).st_ino for disk in made] == before
    assert here.files() == ['servers/s1/ephemeral0.raw', 'servers/s1/swap.raw']
    here.disks.remove('s1')
    assert here.files() == [] and not (here.folder / 'servers' / 's1').exists()


def test_a_root_too_small_for_its_image_is_refused(hosts, over_nbd):
    with pytest.raises(Refused, match='too small'):
        hosts[0].disks.make_root('s1', 'image', 10)
    assert hosts[0].files() == []


# ------------------------------------------------------------------ moved

def test_disks_move_and_grow(hosts, carrier):
    move = Move(hosts, ballast=4 * MIB)
    move.add(ephemeral(16 * MIB), swap_disk(4 * MIB))
    root, other, swap = move.disks
    wanted = [{'name': 'root', 'device': '/dev/vda', 'size': 32 * MIB, 'format': None}, ephemeral(MIB), swap_disk(MIB)]
    found = move.pull(move.export(), wanted)
    move.here.disks.end_export(move.id)
    there = move.there.folder / 'servers' / move.server / move.id
    assert found['root_disk'] == {'path': str(there / 'root.raw'), 'size': 32 * MIB}
    assert same(root['path'], there / 'root.raw', 32 * MIB)
    assert [(disk['name'], disk['device'], disk['size']) for disk in found['local_disks']] == [
        ('ephemeral0', '/dev/vdb', 16 * MIB), ('swap', '/dev/vdc', MIB)]       # never smaller, but swap is made anew
    assert same(other['path'], found['local_disks'][0]['path'])
    assert move.there.files() == [f'servers/{move.server}/{move.id}/{name}.raw'
                                  for name in ('ephemeral0', 'root', 'swap')]
    assert move.told == sorted(move.told) and move.told[-1] <= 100
    assert os.stat(there / 'root.raw').st_blocks * 512 < 8 * MIB, 'holes stay holes'
    assert all('export' not in name for name in move.here.files())


def test_each_action_repeated_changes_nothing(hosts, carrier):
    move = Move(hosts)
    found = move.export()
    assert move.export() == found
    first = move.pull(found)
    inode = os.stat(first['root_disk']['path']).st_ino
    assert move.pull(found) == first and os.stat(first['root_disk']['path']).st_ino == inode
    for _ in range(2):
        move.here.disks.end_export(move.id)
        move.there.disks.remove_pulled(move.server, move.id)
    assert move.there.files() == [] and not (move.there.folder / 'servers' / move.server).exists()
    assert same(move.disks[0]['path'], move.disks[0]['path']) and len(move.here.files()) == 1


def test_on_the_same_host_old_and_new_disks_stand_side_by_side(hosts, carrier):
    move = Move([hosts[0], hosts[0]])
    new = move.pull(move.export())['root_disk']['path']
    move.here.disks.end_export(move.id)
    assert len(move.here.files()) == 2
    move.here.disks.remove(move.server, but=[new])
    assert move.here.files() == [os.path.relpath(new, move.here.folder)]
    move.here.disks.remove(move.server)
    assert move.here.files() == []


def test_a_wrong_key_reads_nothing(hosts, carrier):
    move = Move(hosts)
    found = move.export()
    with pytest.raises(HostError, match='could not be copied'):
        move.pull(found | {'secret_key': '00' * 32})
    assert not any(name.endswith('root.raw') for name in move.there.files())
    assert move.pull(found)['root_disk']


def test_what_is_no_longer_exported_cannot_be_pulled(hosts, carrier):
    move = Move(hosts)
    found = move.export()
    move.here.disks.end_export(move.id)
    with pytest.raises(HostError, match='could not be copied'):
        move.pull(found)
    assert not any(name.endswith('root.raw') for name in move.there.files())


def test_a_host_without_room_refuses_before_anything_comes(hosts, carrier):
    move = Move(hosts)
    found = move.export()
    found['exports'][0]['allocated'] = 1 << 60
    with pytest.raises(Refused, match='no room'):
        move.pull(found)
    move.there.disks.remove_pulled(move.server, move.id)
    assert move.there.files() == []


def test_a_pull_ends_when_nobody_waits_for_it(hosts, over_nbd):
    move = Move(hosts, ballast=4 * MIB)
    found = move.export()
    with pytest.raises(Refused, match='Nobody waits'):
        move.pull(found, tell=lambda percent: False)
    assert processes.find('qemu-img', str(move.there.folder)) == {}
    move.there.disks.remove_pulled(move.server, move.id)
    assert move.there.files() == []


def test_a_guest_runs_on_what_was_pulled_and_again_on_what_stayed(hosts, over_nbd, libvirt_hypervisor):
    """Nothing holds the files any more when the guest is to have them."""
    move = Move([hosts[0], hosts[0]], size=8 * MIB)
    move.add(swap_disk(MIB))
    server = {'id': move.server, 'name': 'moved', 'vcpus': 1, 'memory_mb': 64}
    old = {'root_disk': move.disks[0], 'local_disks': move.disks[1:]}

    def runs(disks, *sizes):
        libvirt_hypervisor.define(server, Tools.plugs(move.server, disks), [])
        libvirt_hypervisor.power_on(move.server)
        assert [libvirt_hypervisor.disk_size(move.server, of) for of in (move.server, 'swap')] == [*sizes]
        libvirt_hypervisor.power_off(move.server, 0)
    try:
        runs(old, 8 * MIB, MIB)
        root = {'name': 'root', 'device': '/dev/vda', 'size': 16 * MIB, 'format': None}
        new = move.pull(move.export(), [root, swap_disk(2 * MIB)])
        move.here.disks.end_export(move.id)
        runs(new, 16 * MIB, 2 * MIB)
        move.here.disks.remove_pulled(move.server, move.id)
        runs(old, 8 * MIB, MIB)
    finally:
        libvirt_hypervisor.undefine(move.server)


# ------------------------------------------------------------------ over the network

def test_the_key_is_in_no_argument_and_in_no_open_file(hosts, over_nbd):
    move = Move(hosts)
    found = move.export()
    pid, words = next(iter(exporters(move).items()))
    assert found['secret_key'] not in ' '.join(words) and len(found['secret_key']) == 64
    folder = move.here.folder / 'exports' / move.id
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / 'keys.psk').stat().st_mode & 0o777 == 0o600
    assert found['secret_key'] not in (folder / 'manifest.json').read_text()
    with open(f'/proc/{pid}/environ', 'rb') as file:
        assert found['secret_key'].encode() not in file.read()


def test_without_tls_there_is_not_even_a_list(hosts, over_nbd):
    move = Move(hosts)
    offer = move.export()['exports'][0]['offer']
    asked = subprocess.run(['qemu-nbd', '--list', '--bind', offer['host'], '--port', str(offer['port'])],
                           capture_output=True, text=True, timeout=30)
    assert asked.returncode and 'root' not in asked.stdout


def test_the_host_answers_at_its_own_address_only(hosts, over_nbd):
    move = Move(hosts)
    offer = move.export()['exports'][0]['offer']
    with socket.create_connection((offer['host'], offer['port']), timeout=5):
        pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection(('127.0.0.2', offer['port']), timeout=5):
        pass


def test_a_port_that_is_taken_is_passed_over(hosts, over_nbd):
    first = ports()[0]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(('127.0.0.1', first))
        other.listen()
        move = Move(hosts)
        assert move.export()['exports'][0]['offer']['port'] > first


def test_a_host_without_qemu_nbd_says_so_in_its_log(hosts, over_nbd, monkeypatch, caplog):
    move = Move(hosts)
    monkeypatch.setenv('PATH', '/nowhere')
    with pytest.raises(HostError, match='could not be offered'):
        move.export()
    assert 'qemu-nbd is not there' in caplog.text


def test_an_export_that_died_is_there_again_after_a_restart(hosts, over_nbd):
    move = Move(hosts)
    found = move.export()
    kill(exporters(move))
    with pytest.raises(HostError):
        move.pull(found)
    again = Host(move.here.folder, over_nbd)
    again.disks.resume_exports()
    again.disks.resume_exports()
    assert len(exporters(move)) == 1
    assert move.pull(found)['root_disk']
    again.disks.remove(move.server)
    assert exporters(move) == {} and again.files() == []


def test_the_source_that_goes_in_the_middle_ends_the_pull(hosts, over_nbd):
    move = Move(hosts, size=32 * MIB, ballast=16 * MIB)
    found = move.export()
    with Wire(found, 8 * MIB, lambda wire: (kill(exporters(move)), wire.cut())) as way:
        with pytest.raises(HostError, match='could not be copied'):
            move.pull(way)
    assert not any(name.endswith('root.raw') for name in move.there.files())
    move.there.disks.remove_pulled(move.server, move.id)
    assert move.there.files() == [] and same(move.disks[0]['path'], move.disks[0]['path'])
    found = move.export()
    assert same(move.disks[0]['path'], move.pull(found)['root_disk']['path'])


def test_a_source_that_falls_silent_ends_the_pull(hosts, over_nbd):
    here, there = hosts
    move = Move([here, Host(there.folder, nbd.Nbd('127.0.0.1', ports(), silence=0.5))], size=32 * MIB, ballast=16 * MIB)
    found = move.export()
    with Wire(found, 8 * MIB, lambda wire: None) as way, pytest.raises(HostError, match='could not be copied'):
        move.pull(way)
    assert processes.find('qemu-img', str(there.folder)) == {}
    move.there = there
    assert move.pull(found)['root_disk']


def test_a_host_that_becomes_full_refuses_and_is_clean(hosts, over_nbd, small_disk):
    """`allocated` promised that there was room; somebody else took it."""
    move = Move([hosts[0], Host(small_disk, over_nbd)], ballast=4 * MIB)
    found = move.export()
    found['exports'][0]['allocated'] = 0
    with pytest.raises(Refused, match='no room'):
        move.pull(found)
    move.there.disks.remove_pulled(move.server, move.id)
    assert move.there.files() == []


def test_a_pull_whose_agent_died_begins_again(hosts, over_nbd):
    """The old qemu-img goes on by itself: it is ended before the new one writes."""
    move = Move(hosts, size=32 * MIB, ballast=16 * MIB)
    found = move.export()
    with Wire(found, 8 * MIB, lambda wire: None) as way:
        with dying_agent(move, way) as agent:
            assert way.passed.wait(30)
            agent.kill()
            agent.wait()
        assert len(processes.find('qemu-img', str(move.there.folder))) == 1
        assert same(move.disks[0]['path'], move.pull(found)['root_disk']['path'])
    assert processes.find('qemu-img', str(move.there.folder)) == {}
    assert move.there.files() == [f'servers/{move.server}/{move.id}/root.raw']


def test_a_pull_that_is_undone_meanwhile_leaves_nothing(hosts, over_nbd):
    move = Move(hosts, size=32 * MIB, ballast=16 * MIB)
    ended = []

    def pull(way):
        try:
            move.pull(way)
        except HostError as e:
            ended.append(e)
    with Wire(move.export(), 8 * MIB, lambda wire: None) as way:
        thread = threading.Thread(target=pull, args=(way,))
        thread.start()
        assert way.passed.wait(30)
        move.there.disks.remove_pulled(move.server, move.id)
        thread.join(30)
    assert ended and move.there.files() == []


# ------------------------------------------------------------------ what the tests do to hosts

@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for two MiB."""
    folder = tmp_path / 'small'
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(folder)],
                      capture_output=True, timeout=30).returncode:
        pytest.skip('this user may not mount')
    yield folder
    subprocess.run(['umount', '-l', str(folder)], check=True, timeout=30)


def exporters(move):
    return processes.find('qemu-nbd', f'--pid-file={move.here.folder}/')


def kill(found):
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(processes.find('qemu-nbd', word) for words in found.values() for word in words if 'pid-file' in word):
        time.sleep(0.01)


class Wire(dict):
    """What export() returned, but by a wire on which something happens after so many bytes of the disk."""

    def __init__(self, found, allowance, happens):
        super().__init__(found)
        self._real = (found['exports'][0]['offer']['host'], found['exports'][0]['offer']['port'])
        self._door = socket.create_server(('127.0.0.1', 0))
        offer = {'host': '127.0.0.1', 'port': self._door.getsockname()[1]}
        self['exports'] = [found['exports'][0] | {'offer': offer}]
        self._allowance, self._happens = allowance, happens
        self._ends = []
        self.passed = threading.Event()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.cut()
        self._door.close()

    def cut(self):
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            near, _ = self._door.accept()
            far = socket.create_connection(self._real)
            self._ends += [near, far]
            threading.Thread(target=self._pass, args=(near, far, 1 << 60), daemon=True).start()
            self._pass(far, near, self._allowance)
            self.passed.set()
            self._happens(self)

    def _pass(self, one, other, allowance):
        with contextlib.suppress(OSError):
            while allowance > 0 and (data := one.recv(min(allowance, 1 << 16))):
                other.sendall(data)
                allowance -= len(data)


@contextlib.contextmanager
def dying_agent(move, found):
    """A process of its own that pulls."""
    code = """
import json, sys
from computesvc.host import nbd
from computesvc.host.local_disks import LocalDisks
from computesvc.host.tools import Tools
folder, server, move, found, wanted = sys.argv[1:]
LocalDisks(folder, None, nbd.Nbd('127.0.0.1', range(0))).pull(
    server, move, json.loads(found), json.loads(wanted), lambda percent: True)
"""
    wanted = [{k: v for k, v in disk.items() if k != 'path'} for disk in move.disks]
    with subprocess.Popen([sys.executable, '-c', code, str(move.there.folder), move.server, move.id,
                           json.dumps(found), json.dumps(wanted)]) as agent:
        yield agent
