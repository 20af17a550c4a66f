"""The daemon that does what only root may: started for real, as the process that runs the tests may do it."""

import ast
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

import brick
from brick import errors, privileged, settings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='only root starts the daemon without a password')
BRICK = pathlib.Path(brick.__file__).parent


@pytest.fixture
def daemon():
    privileged.warm_up()
    yield privileged.context
    privileged.context.stop()


def test_checks_on_the_other_side(daemon):
    """An error crosses as its own class with its sentence."""
    with pytest.raises(errors.BadConnection, match="'../x' is not the name of a block device"):
        privileged.rescan(['../x'])
    assert privileged.rescan(['sdzzz', 'sdzzy']) == {'sdzzz': 'No such file or directory',
                                                     'sdzzy': 'No such file or directory'}
    with pytest.raises(errors.BadConnection, match="'del config x' is no command"):
        privileged.multipathd(['del', 'config', 'x'])
    with pytest.raises(errors.BadConnection, match='is no program that brick runs'):
        privileged.run(['sh', '-c', 'true'], 5)
    with pytest.raises(errors.BadConnection, match="' 1' is not a number"):
        privileged.scan('0', '-', '-', ' 1')
    with pytest.raises(errors.BadConnection, match='is no file that brick writes'):
        raise_from_execute('tee', '-a', '/etc/passwd', process_input='x')


def raise_from_execute(*words, **kwargs):
    from oslo_concurrency import processutils

    from brick.execute import execute
    with pytest.raises(processutils.ProcessExecutionError) as said:
        execute(*words, **kwargs)
    raise errors.BadConnection(said.value.stderr)


def test_programs(daemon, monkeypatch):
    assert privileged.run(['lsblk', '-o', 'NAME,RO', '-l', '-n'], 5)[0] in (0, 32)
    assert privileged.run(['blockdev', '--flushbufs', '/dev/none'], 5)[0] == 1
    daemon.set_client_mode(False)
    monkeypatch.setitem(privileged._ENVIRONMENT, 'PATH', '/nowhere')
    assert privileged.run(['iscsiadm', '-m', 'node'], 5) == (127, '', 'iscsiadm is not installed.')
    daemon.set_client_mode(True)


def test_program_that_does_not_end(daemon, monkeypatch, tmp_path):
    program = tmp_path / 'iscsiadm'
    program.write_text('#!/bin/sh\nexec /bin/sleep 60\n')
    program.chmod(0o755)
    daemon.set_client_mode(False)
    monkeypatch.setitem(privileged._ENVIRONMENT, 'PATH', str(tmp_path))
    assert privileged.run(['iscsiadm', '-m', 'node'], 0.2) == (124, '', 'iscsiadm did not end within 0 s.')
    daemon.set_client_mode(True)


def test_goes_before_others_and_its_programs_do_not(daemon, monkeypatch, tmp_path):
    assert {os.sched_getscheduler(int(task)) for task in os.listdir(f'/proc/{pid(daemon)}/task')} == {os.SCHED_RR}
    (tmp_path / 'iscsiadm').write_text('#!/bin/sh\nexec /usr/bin/chrt --pid $$\n')
    (tmp_path / 'iscsiadm').chmod(0o755)
    monkeypatch.setitem(privileged._ENVIRONMENT, 'PATH', str(tmp_path))
    daemon.set_client_mode(False)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        assert 'policy: SCHED_OTHER' in privileged.run(['iscsiadm', '-m', 'node'], 5)[1]
        assert os.sched_getscheduler(0) == os.SCHED_RR
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        daemon.set_client_mode(True)


def test_who_waits_for_a_growth_goes_before_others_meanwhile(daemon):
    ahead = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    with subprocess.Popen(['sleep', '60']) as stranger:
        try:
            privileged._grow([], 0, None, 1.0, [threading.get_native_id(), stranger.pid])
            assert [os.sched_getscheduler(thread) for thread in (0, stranger.pid)] == [ahead, os.SCHED_OTHER]
            said = subprocess.run(['chrt', '--pid', '0'], capture_output=True, text=True, check=True).stdout
            assert 'policy: SCHED_OTHER' in said
            assert privileged.grow([], 0)[0] == {}
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            assert privileged.grow([], 0)[0] == {}
            tasks = [os.sched_getscheduler(int(task)) for task in os.listdir('/proc/self/task')]
            assert {policy & ~os.SCHED_RESET_ON_FORK for policy in tasks} == {os.SCHED_OTHER}
            assert os.sched_getscheduler(0) == os.SCHED_RESET_ON_FORK, 'it has not been ahead'
        finally:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            stranger.kill()


def test_only_what_is_exported(daemon):
    with pytest.raises(NameError, match='not exported'):
        daemon.channel.remote_call('os.system', ('true',), {}, 5)


def test_two_capabilities(daemon):
    """Of root's it has CAP_SYS_ADMIN (bit 21) and CAP_SYS_NICE (bit 23), and no other."""
    status = dict(line.split(':\t') for line in pathlib.Path(f'/proc/{pid(daemon)}/status').read_text().splitlines())
    assert int(status['CapEff'], 16) == int(status['CapPrm'], 16) == 1 << 21 | 1 << 23


def test_daemon_that_was_killed(daemon):
    before = pid(daemon)
    os.kill(before, 9)
    while daemon.channel.running:
        time.sleep(0.01)
    assert privileged.rescan([]) == {}
    assert pid(daemon) != before


def test_ends_with_whoever_started_it():
    code = 'from brick import privileged; privileged.warm_up(); print(privileged._process())'
    number = int(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout)
    until = time.monotonic() + 5
    while os.path.exists(f'/proc/{number}') and time.monotonic() < until:
        time.sleep(0.02)
    assert not os.path.exists(f'/proc/{number}')


def test_cannot_be_started(monkeypatch):
    privileged.context.stop()
    monkeypatch.setattr(settings, 'helper', 'sh -c "exit 7" helper')
    with pytest.raises(errors.NotPrivileged, match='did not start .*exited non-zero .7.*: sh -c .exit 7. helper must'):
        brick.warm_up()
    monkeypatch.setattr(settings, 'helper', '/nowhere/helper')
    with pytest.raises(errors.NotPrivileged, match='No such file'):
        privileged.rescan([])


def test_helper(monkeypatch):
    beside = os.path.join(os.path.dirname(sys.executable), 'privsep-helper')
    assert privileged.context.command() == [sys.executable, '-Wignore', beside]
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    assert privileged.context.command() == ['sudo', '-n', beside]
    monkeypatch.setattr(settings, 'helper', 'sudo rootwrap "/etc/a b.conf" privsep-helper')
    assert privileged.context.command() == ['sudo', 'rootwrap', '/etc/a b.conf', 'privsep-helper']


CONCURRENT = '''
import sys
from svckit import process
process.start(sys.argv[1])
import threading, time
from brick import privileged
ticks, answers = [], []
def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
privileged.warm_up()
threads = [threading.Thread(target=lambda: answers.append(privileged.rescan(['sdzzz']))) for _ in range(30)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(answers) == 30 and all(answers), answers
print(max(late - early for early, late in zip(ticks, ticks[1:])))
'''


@pytest.mark.parametrize('kind', ['eventlet', 'threads'])
def test_nobody_stands_still(kind):
    """Green or native, other threads of the process run on while the daemon starts and while it is asked."""
    done = subprocess.run([sys.executable, '-c', CONCURRENT, kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


@pytest.mark.parametrize('module', sorted(BRICK.rglob('*.py')), ids=lambda path: str(path.relative_to(BRICK)))
def test_only_privileged_acts(module):
    """No other module runs a program, or opens a file to write it; node_records and luks are used by it alone."""
    if module.name in ('privileged.py', 'node_records.py', 'luks.py'):
        return
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {getattr(node, 'module', None), *(alias.name for alias in node.names)}
            assert not named & {'subprocess', 'pty', 'multiprocessing', 'ctypes', 'node_records', 'brick.node_records'}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not called.startswith(('os.system', 'os.popen', 'os.exec', 'os.spawn', 'os.posix_spawn', 'os.fork'))
            assert not called.endswith(('write_text', 'write_bytes'))
            if called in ('open', 'os.open'):
                assert ast.unparse(node).endswith(('(path)', '(place)', 'O_CLOEXEC)')) or 'RDONLY' in ast.unparse(node)


def pid(daemon):
    return privileged._process()
