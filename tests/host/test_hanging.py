"""A libvirtd or a QEMU that is frozen in mid-air costs the caller its deadline, and nobody else anything."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from computesvc.host import base

MiB = 1 << 20


@contextlib.contextmanager
def frozen(pid):
    """The process stands still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def hypervisor(daemon, tmp_path):
    """One with little patience."""
    from computesvc.host.libvirt import Libvirt
    one = Libvirt(daemon.uri, tmp_path / 'host', virt_type='qemu', call_timeout=1)
    yield one
    one.close()


@pytest.fixture
def servers(hypervisor, make_disk):
    """Two running servers, as (id, disk)."""
    made = []
    for _ in range(2):
        disk, server_id = make_disk('vda', MiB, boot_index=0), str(uuid.uuid4())
        hypervisor.define({'id': server_id, 'name': 'x', 'vcpus': 1, 'memory_mb': 64}, [disk], [])
        hypervisor.power_on(server_id)
        made.append((server_id, disk))
    yield made
    for server_id, _ in made:
        hypervisor.undefine(server_id)


def soon(call, seconds=20):
    """What the call returns, once the host has come to itself."""
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except base.HostError:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


def test_frozen_libvirtd(hypervisor, servers, daemon):
    (server_id, disk), _ = servers
    with frozen(daemon.pid):
        begin = time.monotonic()
        with pytest.raises(base.HostTimeout):
            hypervisor.disk_size(server_id, disk['volume_id'])
        with pytest.raises(base.HostUnavailable, match='hanging for'):
            hypervisor.power_on(server_id)
        assert time.monotonic() - begin < 5
    assert soon(lambda: hypervisor.disk_size(server_id, disk['volume_id'])) == MiB


def test_frozen_guest(hypervisor, servers, daemon):
    (ill, ill_disk), (well, well_disk) = servers
    os.truncate(well_disk['path'], 2 * MiB)
    os.truncate(ill_disk['path'], 2 * MiB)
    with frozen(pid_of(ill)):
        with pytest.raises(base.HostTimeout):
            hypervisor.resize_disk(ill, ill_disk['volume_id'], 2 * MiB)
        hypervisor.resize_disk(well, well_disk['volume_id'], 2 * MiB)
        assert hypervisor.disk_size(well, well_disk['volume_id']) == 2 * MiB
        assert hypervisor.servers()[ill] == 'running'
    soon(lambda: hypervisor.resize_disk(ill, ill_disk['volume_id'], 2 * MiB))
    assert hypervisor.disk_size(ill, ill_disk['volume_id']) == 2 * MiB


def pid_of(server_id):
    """The QEMU of a server."""
    found = subprocess.run(['pgrep', '-f', f'qemu-system.*{server_id}'], capture_output=True, text=True).stdout.split()
    return int(found[0])


FROZEN = '''
import os, signal, sys, threading, time
from svckit import process
process.start(sys.argv[1])
from computesvc.host import base
from computesvc.host.libvirt import Libvirt

uri, folder, pid = sys.argv[2], sys.argv[3], int(sys.argv[4])
hypervisor = Libvirt(uri, folder, virt_type='qemu', call_timeout=1)
hypervisor.servers()
ticks = []

def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.01)

threading.Thread(target=tick, daemon=True).start()
os.kill(pid, signal.SIGSTOP)
try:
    hypervisor.servers()
except base.HostTimeout:
    gap = max(later - earlier for earlier, later in zip(ticks, ticks[1:]))
    print('longest pause', gap)
    assert len(ticks) > 20 and gap < 0.5, (len(ticks), gap)
finally:
    if len(sys.argv) == 5:
        os.kill(pid, signal.SIGCONT)
'''


@pytest.mark.parametrize('concurrency', ['eventlet', 'threads'])
def test_everything_else_goes_on(daemon, tmp_path, concurrency):
    """The process goes on with its other work, and can end while the call still hangs."""
    command = [sys.executable, '-c', FROZEN, concurrency, daemon.uri, str(tmp_path), str(daemon.pid), 'leave frozen']
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert done.returncode == 0, done.stderr
    assert 'longest pause' in done.stdout
