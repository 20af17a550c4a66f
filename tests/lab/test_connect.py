"""Connecting and disconnecting real disks: portals, CHAP, multipath, and what is left behind."""
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

import brick
from brick import errors
from tests.lab.targets import Target, down, eventually, leftovers, run

LOCKS = '/tmp/connect-locks'            # noqa: S108
ANOTHER = '''
import json, sys
import brick
brick.setup(lock_path=sys.argv[1])
brick.connector_for('iscsi', multipath=True).connect(json.load(sys.stdin))
'''


@pytest.fixture(scope='module', autouse=True)
def _brick():
    brick.setup(lock_path=LOCKS)
    brick.warm_up()


@pytest.fixture
def clean():
    """What the host has of disks before; whatever a test connects, it has that again afterwards."""
    before = leftovers()
    yield before
    eventually(lambda: leftovers() == before)


@pytest.fixture
def target(clean):
    found = Target('volume-1')
    yield found
    if leftovers() != clean:            # of a test that failed
        with contextlib.suppress(errors.BrickError):
            brick.connector_for('iscsi', multipath=True).disconnect(found.data())
    found.delete()


@pytest.fixture
def connector():
    return brick.connector_for('iscsi', multipath=True)


@contextlib.contextmanager
def another_process(data):
    """A process that connects, its arguments show no secret."""
    with subprocess.Popen([sys.executable, '-c', ANOTHER, LOCKS], stdin=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps(data))
        process.stdin.close()
        yield process


@contextlib.contextmanager
def silent(portal):
    """What is sent to the portal is lost, so nobody refuses anything; logging in takes all its attempts."""
    rule = 'INPUT', '-d', portal.partition(':')[0], '-j', 'DROP'
    run('iptables-legacy', '-I', *rule)
    try:
        yield
    finally:
        run('iptables-legacy', '-D', *rule)


def test_four_portals_and_back(target, connector, clean):
    data = target.data()
    device = connector.connect(data)
    assert device['type'] == 'block' and device['path'].startswith('/dev/mapper/36001405')
    found = connector.paths(data)
    assert sorted(path.portal for path in found) == target.portals
    assert {path.size for path in found} == {64 << 20} and {path.state for path in found} == {'running'}
    pattern = os.urandom(1 << 20)
    with open(device['path'], 'r+b') as disk:
        disk.write(pattern)
    began = time.monotonic()
    assert connector.connect(data) == device
    assert time.monotonic() - began < 1, 'a repeat is a look'
    connector.disconnect(data, device)
    eventually(lambda: leftovers() == clean)
    connector.disconnect(data, device)
    eventually(lambda: leftovers() == clean)
    connector.connect(data)
    with open(device['path'], 'rb') as disk:
        assert disk.read(1 << 20) == pattern
    connector.disconnect(data)


def test_one_path_without_multipath(target, clean):
    connector, data = brick.connector_for('iscsi'), target.data()
    device = connector.connect(data)
    # The lab's multipathd takes each disk, even a single one, but nobody waits for it.
    assert device['path'].startswith(('/dev/mapper/36001405', '/dev/disk/by-id/scsi-36001405'))
    assert [path.portal for path in connector.paths(data)] == target.portals[:1]
    connector.connect(data)
    assert len(leftovers()['sessions']) == 1
    connector.disconnect(data, device)
    eventually(lambda: leftovers() == clean)


def test_wrong_secret(target, connector, clean):
    with pytest.raises(errors.ConnectFailed, match='10.11.1.1:3260 refuses the CHAP name or secret; 10.11.2.1') as said:
        connector.connect(target.data(secret='of-another-volume'))
    assert 'of-another-volume' not in str(said.value)
    eventually(lambda: leftovers() == clean)


def test_target_that_is_not_there(target, connector, clean):
    data = target.data() | {'target_iqns': ['iqn.2010-10.org.openstack:volume-none'] * 4}
    # Each with its own reason: which of them a login that failed gives depends on when it is given up.
    why = '(does not|cannot) '
    with pytest.raises(errors.ConnectFailed, match=f'10.11.1.1:3260 {why}.*; 10.11.2.1:3260 {why}'):
        connector.connect(data)
    eventually(lambda: leftovers() == clean)


def test_two_luns_of_one_target(clean, connector):
    shared = Target('shared', luns=2)
    try:
        first, second = shared.data(0), shared.data(1)
        one, two = connector.connect(first), connector.connect(second)
        assert one != two
        sessions = leftovers()['sessions']
        assert len(sessions) == 4
        connector.disconnect(first, one)
        assert leftovers()['sessions'] == sessions
        assert len(connector.paths(second)) == 4 and not connector.paths(first)
        with open(two['path'], 'rb') as disk:
            assert disk.read(4096)
        connector.disconnect(second, two)
        eventually(lambda: leftovers() == clean)
    finally:
        shared.delete()


def test_two_at_once(target, connector):
    """In one process and in two."""
    data, answers = target.data(), []
    threads = [threading.Thread(target=lambda: answers.append(connector.connect(data))) for _ in range(2)]
    with another_process(data) as other:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert other.wait(timeout=120) == 0
    assert len(answers) == 2 and answers[0] == answers[1]
    assert len(leftovers()['sessions']) == 4
    connector.disconnect(data)


def test_one_portal_down(target, connector):
    data = target.data()
    with down(target.portals[2]):
        device = connector.connect(data)
        assert device['path'].startswith('/dev/mapper/')
        assert sorted(path.portal for path in connector.paths(data)) == [*target.portals[:2], target.portals[3]]
    assert connector.connect(data) == device
    assert len(connector.paths(data)) == 4
    connector.disconnect(data, device)


def test_connect_again_while_in_use(target, connector):
    """As an agent does that was restarted; a portal is down, and the guest's device stays as it is."""
    data = target.data()
    device = connector.connect(data)
    with open(device['path'], 'rb') as disk, down(target.portals[1]):
        eventually(lambda: {path.state for path in connector.paths(data)} != {'running'})
        assert connector.connect(data) == device
        assert os.pread(disk.fileno(), 4096, 0)
    connector.disconnect(data, device)


def test_portal_that_is_silent_holds_up_its_own_volume_only(target, connector):
    other, data = Target('elsewhere', portals=1), target.data(portals=target.portals[3:])
    try:
        with silent(target.portals[3]):
            slow = threading.Thread(target=connector.connect, args=(data,))
            slow.start()
            eventually(lambda: leftovers()['records'])
            device = connector.connect(other.data())
            assert slow.is_alive()
        slow.join()                 # by its next attempt
        connector.disconnect(other.data(), device)
        connector.disconnect(data)
    finally:
        other.delete()


def test_disconnect_with_all_portals_down(target, connector, clean):
    data = target.data()
    device = connector.connect(data)
    with down(*target.portals):
        began = time.monotonic()
        connector.disconnect(data, device)
        assert time.monotonic() - began < 120
        eventually(lambda: leftovers() == clean)


def test_disconnect_with_all_portals_down_and_data_waiting(target, connector, clean, caplog):
    """Somebody is stuck writing to a map that waits for its paths for ever."""
    data = target.data()
    device = connector.connect(data)
    write = (f'disk = open({device["path"]!r}, "r+b"); print(flush=True); input(); disk.write(bytes(4 << 20)); '
             'print(flush=True); disk.close()')
    # Open before the portals end: a map that nobody has open goes with its last path.
    with subprocess.Popen([sys.executable, '-c', write], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline()
        eventually(lambda: re.search(r'queue_if_no_path( .*\b\d+:\d+\b){4}', run('dmsetup', 'table', device['path'])))
        with down(*target.portals):
            # multipathd sets this anew with what it hears of paths; until then the kernel fails what has none.
            run('dmsetup', 'message', device['path'], '0', 'queue_if_no_path')
            writer.stdin.write(b'\n')
            writer.stdin.flush()
            assert writer.stdout.readline()
            table, began = run('dmsetup', 'table', device['path']), time.monotonic()
            connector.disconnect(data, device)
            assert time.monotonic() - began < 120
            writer.wait(timeout=60)             # close() does not say that nothing was written
            eventually(lambda: leftovers() == clean)
    assert 'is removed without writing what may be waiting' in caplog.text, table


def test_disconnect_of_what_is_in_use(target, connector):
    data = target.data()
    device = connector.connect(data)
    with open(device['path'], 'rb'):
        with pytest.raises(errors.DisconnectFailed, match='could not be disconnected'):
            connector.disconnect(data, device)
        assert len(connector.paths(data)) == 4
    connector.disconnect(data, device)


@pytest.mark.parametrize('seconds', [0.3, 2.0])
def test_killed_in_the_middle(target, connector, clean, seconds):
    """What the dead one began, the next one finishes."""
    data = target.data()
    with another_process(data) as other:
        eventually(lambda: leftovers()['records'], 60)
        time.sleep(seconds)
        other.kill()
    device = connector.connect(data)
    assert len(connector.paths(data)) == 4
    connector.disconnect(data, device)
    eventually(lambda: leftovers() == clean)
