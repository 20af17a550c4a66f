"""The private libvirtd: beside the machine's own, killed and found again, as root and as anybody."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import uuid

import pytest

from computesvc.host.libvirt import Libvirt
from onebox import libvirtd

MiB = 1 << 20
NOBODY = 65534
# Allowed to read everything: root's tests may be run by a Python in root's home.
ANYBODY = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', '--inh-caps=+dac_read_search',
           '--ambient-caps=+dac_read_search']
# What Docker leaves root by default.
DOCKER = ('+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,'
          '+mknod,+audit_write,+setfcap')
CONTAINED = ['setpriv', f'--bounding-set=-all,{DOCKER}', '--inh-caps=-all']


@pytest.fixture
def start(tmp_path, daemon):
    """Start a libvirtd for a folder, with its hypervisor. All are ended with their guests afterwards."""
    begun = []

    def make(name):
        one = libvirtd.Libvirtd(tmp_path / name)
        begun.append(one)
        one.start()
        return one, Libvirt(one.uri, tmp_path / name / 'host', virt_type='qemu', call_timeout=10)
    yield make
    for one in begun:
        one.stop(guests=True)


def a_server(hypervisor, disk, server_id=None):
    """A running server."""
    server_id = server_id or str(uuid.uuid4())
    hypervisor.define({'id': server_id, 'name': 'x', 'vcpus': 1, 'memory_mb': 64}, [disk], [])
    hypervisor.power_on(server_id)
    return server_id


def test_two_hosts_on_one_machine(start, make_disk):
    """The same server on both, as in a migration; what happens to one does not happen to the other."""
    (_, first), (_, second) = start('first'), start('second')
    server_id = a_server(first, make_disk('vda', MiB))
    assert second.power_state(server_id) == 'absent'
    a_server(second, make_disk('vda', MiB), server_id)
    first.undefine(server_id)
    assert second.servers() == {server_id: 'running'}


@pytest.mark.skipif(os.geteuid() != 0, reason='only root\'s libvirtd has fixed folders to keep out of')
def test_the_machines_own_folders_are_not_touched(start, make_disk):
    def look():
        return {path: sorted(os.listdir(path)) for path in ('/etc/libvirt', '/etc/libvirt/qemu', '/run/libvirt',
                                                            '/var/lib/libvirt') if os.path.isdir(path)}
    before = look()
    _, hypervisor = start('one')
    a_server(hypervisor, make_disk('vda', MiB))
    assert look() == before
    assert 'libvirt' not in pathlib.Path('/proc/self/mounts').read_text()


def test_guests_outlive_stop_and_kill(start, make_disk):
    daemon, hypervisor = start('one')
    disk = make_disk('vda', MiB)
    server_id = a_server(hypervisor, disk)
    guests = daemon.guests()
    assert len(guests) == 1

    daemon.stop()
    assert daemon.pid is None and daemon.guests() == guests
    daemon.start()
    assert hypervisor.power_state(server_id) == 'running'       # the same object: its connection was lost and is new

    os.kill(daemon.pid, signal.SIGKILL)
    daemon.start()
    os.truncate(disk['path'], 2 * MiB)
    hypervisor.resize_disk(server_id, disk['volume_id'], 2 * MiB)
    assert hypervisor.disk_size(server_id, disk['volume_id']) == 2 * MiB
    assert daemon.guests() == guests

    daemon.stop(guests=True)
    assert daemon.guests() == []
    daemon.stop(guests=True)


def test_the_starter_was_killed(start, tmp_path):
    """libvirtd goes on; who comes next takes it over instead of starting a second one."""
    program = ('import os, signal, sys; from onebox.libvirtd import Libvirtd; daemon = Libvirtd(sys.argv[1]); '
               'daemon.start(); print(daemon.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)')
    killed = subprocess.run([sys.executable, '-c', program, str(tmp_path / 'one')], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    daemon, _ = start('one')
    assert daemon.pid == int(killed.stdout)


def test_a_folder_deep_down(start, make_disk):
    daemon, hypervisor = start('/'.join(['a-rather-long-name'] * 8))
    server_id = a_server(hypervisor, make_disk('vda', MiB))
    assert hypervisor.power_state(server_id) == 'running'
    assert len(daemon.uri) < 108


def test_absence_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(libvirtd, '_which', lambda tool: None)
    with pytest.raises(libvirtd.Unavailable, match='install: libvirt-daemon-system qemu-system-x86'):
        libvirtd.Libvirtd(tmp_path).start()


@pytest.fixture
def opened_folder():
    """A folder that is not below pytest's own, which are closed to others."""
    with tempfile.TemporaryDirectory(prefix='anybody-') as folder:
        yield pathlib.Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason='root, to become somebody else')
@pytest.mark.parametrize('become, owner', [(ANYBODY, NOBODY), (CONTAINED, 0)], ids=['anybody', 'root in a container'])
def test_with_fewer_rights(daemon, opened_folder, become, owner):
    """Without root, and as root that may not mount, libvirt runs in session mode; the same things work."""
    folder = opened_folder
    os.chown(folder, owner, owner)
    program = pathlib.Path(__file__).with_name('with_fewer_rights.py')
    done = subprocess.run([*become, sys.executable, str(program), str(folder)],
                          capture_output=True, text=True, timeout=120,
                          env={'PATH': os.environ['PATH'], 'HOME': str(folder), 'PYTHONDONTWRITEBYTECODE': '1',
                               'PYTHONPATH': str(pathlib.Path(__file__).parents[2])})
    assert done.returncode == 0, done.stderr
    assert 'running 2097152' in done.stdout


def test_auto_takes_what_really_runs(start, tmp_path, make_disk):
    """Whatever this machine's /dev/kvm is worth, 'auto' gives a server that starts."""
    daemon, _ = start('one')
    hypervisor = Libvirt(daemon.uri, tmp_path / 'auto', virt_type='auto')
    server_id = a_server(hypervisor, make_disk('vda', MiB))
    assert hypervisor.servers() == {server_id: 'running'}   # and nothing of the trial is left
