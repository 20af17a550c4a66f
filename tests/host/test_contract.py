"""What every hypervisor promises (computesvc/host/base.py), told as stories and run on each of them."""

import os
import uuid

import pytest

from computesvc.host import base

MiB = 1 << 20


def test_a_server_that_is_not_there(hypervisor):
    nobody = str(uuid.uuid4())
    assert hypervisor.power_state(nobody) == 'absent'
    assert nobody not in hypervisor.servers()
    hypervisor.undefine(nobody)
    hypervisor.detach_disk(nobody, str(uuid.uuid4()))
    for call in (hypervisor.power_on, hypervisor.power_off, hypervisor.reboot, hypervisor.pause,
                 hypervisor.unpause, hypervisor.console_output):
        with pytest.raises(base.ServerNotFound, match=nobody):
            call(nobody)
    with pytest.raises(base.ServerNotFound):
        hypervisor.disk_size(nobody, str(uuid.uuid4()))


def test_capabilities(hypervisor):
    can = hypervisor.capabilities()
    assert can['extend_attached'] is True
    assert 'local' in can['protocols']
    assert can['hypervisor_version'] > 0 and can['vcpus'] >= 1 and can['memory_mb'] > 0
    assert can['hypervisor_type'] and can['host_ip']


def test_power(hypervisor, server):
    assert hypervisor.power_state(server) == 'shutdown'
    with pytest.raises(base.WrongPowerState):
        hypervisor.pause(server)
    for _ in range(2):
        hypervisor.power_on(server)
        assert hypervisor.power_state(server) == 'running'
    assert hypervisor.servers()[server] == 'running'
    for _ in range(2):
        hypervisor.pause(server)
        assert hypervisor.power_state(server) == 'paused'
    for _ in range(2):
        hypervisor.unpause(server)
        assert hypervisor.power_state(server) == 'running'
    hypervisor.reboot(server, hard=True)
    assert hypervisor.power_state(server) == 'running'
    for _ in range(2):
        hypervisor.power_off(server, timeout=0)
        assert hypervisor.power_state(server) == 'shutdown'
    hypervisor.reboot(server)
    assert hypervisor.power_state(server) == 'running'
    for _ in range(2):
        hypervisor.undefine(server)
        assert hypervisor.power_state(server) == 'absent'


def test_define_again_changes_nothing(hypervisor, server, make_disk):
    disk = make_disk('vdb', 4 * MiB)
    hypervisor.attach_disk(server, disk)
    hypervisor.power_on(server)
    hypervisor.define({'id': server, 'name': 'again', 'vcpus': 1, 'memory_mb': 128}, [disk], [])
    assert hypervisor.power_state(server) == 'running'
    assert hypervisor.disk_size(server, disk['volume_id']) == 4 * MiB


def test_disk_of_a_stopped_server(hypervisor, server, make_disk):
    disk = make_disk('vdb', 4 * MiB)
    for _ in range(2):
        hypervisor.attach_disk(server, disk)
        assert hypervisor.disk_size(server, disk['volume_id']) == 4 * MiB
    os.truncate(disk['path'], 8 * MiB)
    hypervisor.resize_disk(server, disk['volume_id'], 8 * MiB)
    assert hypervisor.disk_size(server, disk['volume_id']) == 8 * MiB
    for _ in range(2):
        hypervisor.detach_disk(server, disk['volume_id'])
        with pytest.raises(base.DiskNotFound):
            hypervisor.disk_size(server, disk['volume_id'])
    assert os.path.getsize(disk['path']) == 8 * MiB


def test_target_taken(hypervisor, server, make_disk):
    hypervisor.attach_disk(server, make_disk('vdb', MiB))
    with pytest.raises(base.TargetTaken, match='vdb'):
        hypervisor.attach_disk(server, make_disk('vdb', MiB))


def test_disk_grows_under_a_live_server(hypervisor, server, make_disk):
    first, second = make_disk('vdb', 4 * MiB), make_disk('vdc', 2 * MiB)
    hypervisor.power_on(server)
    for disk in (first, second):
        hypervisor.attach_disk(server, disk)
        hypervisor.attach_disk(server, disk)
    os.truncate(first['path'], 16 * MiB)
    assert hypervisor.disk_size(server, first['volume_id']) == 4 * MiB
    for _ in range(2):
        hypervisor.resize_disk(server, first['volume_id'], 16 * MiB)
        assert hypervisor.disk_size(server, first['volume_id']) == 16 * MiB
    assert hypervisor.disk_size(server, second['volume_id']) == 2 * MiB

    hypervisor.pause(server)
    os.truncate(first['path'], 20 * MiB)
    hypervisor.resize_disk(server, first['volume_id'], 20 * MiB)
    assert hypervisor.disk_size(server, first['volume_id']) == 20 * MiB


def test_a_disk_never_shrinks(hypervisor, server, make_disk):
    """A late order with an older size finds a file that has grown since; nothing of it is cut off."""
    disk = make_disk('vdb', 4 * MiB)
    hypervisor.attach_disk(server, disk)
    hypervisor.power_on(server)
    os.truncate(disk['path'], 16 * MiB)
    hypervisor.resize_disk(server, disk['volume_id'], 8 * MiB)
    assert os.path.getsize(disk['path']) == 16 * MiB
    assert hypervisor.disk_size(server, disk['volume_id']) == 16 * MiB
    hypervisor.resize_disk(server, disk['volume_id'], 1 * MiB)
    assert hypervisor.disk_size(server, disk['volume_id']) == 16 * MiB


def test_a_guest_is_not_shown_more_than_there_is(hypervisor, server, make_disk):
    disk = make_disk('vdb', 4 * MiB)
    hypervisor.attach_disk(server, disk)
    hypervisor.power_on(server)
    with pytest.raises(base.DeviceTooSmall, match='4194304 bytes, 8388608 are wanted'):
        hypervisor.resize_disk(server, disk['volume_id'], 8 * MiB)
    assert os.path.getsize(disk['path']) == 4 * MiB
    assert hypervisor.disk_size(server, disk['volume_id']) == 4 * MiB
    with pytest.raises(base.DiskNotFound):
        hypervisor.resize_disk(server, str(uuid.uuid4()), 1)


def test_restart_shows_what_grew_while_stopped(hypervisor, server, make_disk):
    disk = make_disk('vdb', 4 * MiB)
    hypervisor.attach_disk(server, disk)
    hypervisor.power_on(server)
    hypervisor.power_off(server, timeout=0)
    os.truncate(disk['path'], 8 * MiB)
    hypervisor.power_on(server)
    assert hypervisor.disk_size(server, disk['volume_id']) == 8 * MiB


def test_console_of_a_server_that_never_ran(hypervisor, server):
    assert hypervisor.console_output(server) == ''
    assert hypervisor.console_output(server, lines=5) == ''


def test_housekeeping(hypervisor, server):
    hypervisor.housekeeping()


def test_who_has_a_volume(hypervisor, server, make_disk):
    disk = make_disk('vdb', MiB)
    assert hypervisor.disk_users(disk['volume_id']) == []
    hypervisor.attach_disk(server, disk)
    assert hypervisor.disk_users(disk['volume_id']) == [server], 'one that is off counts too'
    hypervisor.power_on(server)
    assert hypervisor.disk_users(disk['volume_id']) == [server]
    hypervisor.power_off(server, timeout=0)
    hypervisor.detach_disk(server, disk['volume_id'])
    assert hypervisor.disk_users(disk['volume_id']) == []


def test_a_disk_in_two_guests(hypervisor, server, make_disk):
    """QEMU locks a disk that is not shareable."""
    shared = make_disk('vdb', 4 * MiB) | {'shareable': True}
    other = str(uuid.uuid4())
    hypervisor.define({'id': other, 'name': 'other', 'vcpus': 1, 'memory_mb': 128}, [shared], [])
    try:
        hypervisor.power_on(server)
        hypervisor.attach_disk(server, shared)
        hypervisor.power_on(other)
        assert sorted(hypervisor.disk_users(shared['volume_id'])) == sorted([server, other])
        os.truncate(shared['path'], 8 * MiB)
        for one in (server, other):
            hypervisor.resize_disk(one, shared['volume_id'], 8 * MiB)
            assert hypervisor.disk_size(one, shared['volume_id']) == 8 * MiB
    finally:
        hypervisor.undefine(other)
