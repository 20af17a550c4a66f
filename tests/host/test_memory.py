"""What only the memory hypervisor does: faults to order, a file, a guest that is not there."""

import threading
import uuid

import pytest

from computesvc.host import base
from computesvc.host.faults import Faults
from computesvc.host.memory import Memory

SERVER = {'id': str(uuid.uuid4()), 'name': 'one', 'vcpus': 1, 'memory_mb': 64}


def a_disk(size=1024, target='vda'):
    volume_id = str(uuid.uuid4())
    return {'volume_id': volume_id, 'path': f'memory:{volume_id}', 'type': 'memory', 'format': 'raw',
            'target': target, 'boot_index': None, 'read_only': False, 'size': size}


def test_fails_as_often_as_told():
    faults = Faults()
    memory = Memory(faults=faults)
    faults.fail('define', times=2)
    for _ in range(2):
        with pytest.raises(base.HostError, match='define was told to fail'):
            memory.define(SERVER, [], [])
        assert memory.servers() == {}
    memory.define(SERVER, [], [])
    assert memory.servers() == {SERVER['id']: 'shutdown'}


def test_fails_after_the_effect():
    memory = Memory()
    memory.faults.fail('define', error=base.HostTimeout('late'), after=True)
    with pytest.raises(base.HostTimeout):
        memory.define(SERVER, [], [])
    assert memory.power_state(SERVER['id']) == 'shutdown'


def test_hangs_until_released_and_nothing_else_does():
    memory = Memory()
    memory.define(SERVER, [], [])
    memory.faults.hang('power_on')
    caller = threading.Thread(target=memory.power_on, args=(SERVER['id'],), daemon=True)
    caller.start()
    assert memory.power_state(SERVER['id']) == 'shutdown'
    memory.faults.release('power_on')
    caller.join(5)
    assert memory.power_state(SERVER['id']) == 'running'


def test_delay():
    slept = []
    memory = Memory(faults=Faults(sleep=slept.append))
    memory.faults.delay('servers', 2.5)
    memory.servers()
    memory.faults.clear()
    memory.servers()
    assert slept == [2.5]


def test_survives_a_restart(tmp_path):
    path = tmp_path / 'servers.json'
    disk = a_disk()
    memory = Memory(path=path)
    memory.define(SERVER, [disk], [])
    memory.power_on(SERVER['id'])
    memory.resize_disk(SERVER['id'], disk['volume_id'], 2048)
    again = Memory(path=path)
    assert again.servers() == {SERVER['id']: 'running'}
    assert again.disk_size(SERVER['id'], disk['volume_id']) == 2048


def test_guest_tells_the_console():
    memory = Memory()
    disk = a_disk()
    memory.define(SERVER, [disk], [])
    memory.power_on(SERVER['id'])
    memory.resize_disk(SERVER['id'], disk['volume_id'], 4096)
    assert memory.console_output(SERVER['id'], lines=1) == f'disks: vda 4096 {disk["volume_id"][:20]}\n'
    assert memory.console_output(SERVER['id'], lines=0) == ''


def test_crash():
    memory = Memory()
    memory.define(SERVER, [], [])
    memory.power_on(SERVER['id'])
    memory.crash(SERVER['id'])
    assert memory.power_state(SERVER['id']) == 'crashed'
    memory.power_on(SERVER['id'])
    assert memory.power_state(SERVER['id']) == 'running'


def test_killed_in_the_middle_of_a_line(tmp_path):
    path = tmp_path / 'servers.json'
    Memory(path=path).define(SERVER, [], [])
    memory = Memory(path=path)
    memory.power_on(SERVER['id'])
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:20])
    assert Memory(path=path).servers() == {SERVER['id']: 'running'}


def test_the_file_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr('computesvc.host.journal.LARGEST', 5000)
    path = tmp_path / 'servers.json'
    memory = Memory(path=path)
    disk = a_disk()
    memory.define(SERVER, [disk], [])
    for size in range(2000, 2200):
        memory.resize_disk(SERVER['id'], disk['volume_id'], size)
    assert path.stat().st_size < 6000
    memory.undefine(SERVER['id'])
    assert Memory(path=path).servers() == {}
