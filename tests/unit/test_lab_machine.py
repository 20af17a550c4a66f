"""The lab's machine from outside, with a program of a few lines in place of the kernel."""
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.lab import everything, machine

KERNEL = '''#!/bin/sh
for word; do case $word in lab=*) folder=${word#lab=} ;; esac; done
'''
WELL = 'echo "I run" >>$folder/said; . $folder/command >>$folder/said; echo 7 >$folder/status'
SHORT = 60      # seconds that a test waits for what takes a moment


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Makes the kernel do this; everything else that the machine needs is there."""
    for program in machine.PROGRAMS:
        path = tmp_path / 'bin' / program
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\n')
        path.chmod(0o755)
    monkeypatch.setattr(machine, 'PATH', f'{tmp_path / "bin"}:/usr/bin:/bin')
    monkeypatch.setenv('PATH', machine.PATH)
    monkeypatch.setattr(machine, 'MODULES', tmp_path)
    monkeypatch.setattr(machine.tempfile, 'tempdir', str(tmp_path))
    return lambda script: (tmp_path / 'bin' / machine.KERNEL).write_text(KERNEL + script)


def folders(tmp_path) -> list:
    return list(tmp_path.glob('lab-*'))


def test_output_and_status_come_out_and_nothing_is_left(kernel, tmp_path, capfdbinary):
    kernel(WELL)
    assert machine.Machine(['echo', 'a  b', '$HOME'], memory='1M').run() == 7
    assert capfdbinary.readouterr().out == b'I run\na  b $HOME\n'
    assert not folders(tmp_path)


def test_the_command_knows_little_of_our_environment(kernel, monkeypatch):
    kernel(WELL)
    monkeypatch.setenv('LAB_WISH', "it's ours")
    monkeypatch.setenv('OS_PASSWORD', 'secret')
    said = []
    machine.Machine(['env'], memory='1M', show=said.append, environment={'EXTRA': '1'}).run()
    environment = b''.join(said).decode().splitlines()
    assert {"LAB_WISH=it's ours", 'EXTRA=1', 'LAB_NODE=1'} <= set(environment)
    assert not [line for line in environment if line.startswith('OS_PASSWORD')]


def test_what_takes_too_long_is_ended(kernel, tmp_path, capfdbinary):
    kernel(f'echo $$ >{tmp_path}/pid; sleep 600')
    assert machine.Machine(['true'], memory='1M', seconds=0.5).run() == machine.ENDED
    assert b'not done within 0 s' in capfdbinary.readouterr().out
    assert gone(tmp_path) and not folders(tmp_path)


def test_a_machine_that_cannot_run_says_why(kernel, tmp_path):
    kernel('echo "ptrace failed: Operation not permitted" >&2; exit 1')
    with pytest.raises(machine.Unavailable, match='ptrace failed: Operation not permitted'):
        machine.Machine(['true'], memory='1M').run()
    assert not folders(tmp_path)


def test_packages_that_are_missing_are_named(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, 'PATH', str(tmp_path / 'bin'))
    for program in ('multipathd', machine.KERNEL):
        (tmp_path / 'bin' / program).unlink()
    with pytest.raises(machine.Unavailable, match='needs these packages: multipath-tools user-mode-linux$'):
        machine.Machine(['true']).run()


def test_no_room_for_its_memory(kernel):
    with pytest.raises(machine.Unavailable, match='needs 9999999G of memory'):
        machine.Machine(['true'], memory='9999999G').run()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_started_it_dies(kernel, tmp_path, number):
    kernel(f'echo $$ >{tmp_path}/pid; sleep 600')
    program = f'''
        import pathlib, signal, tempfile
        from tests.lab import machine
        signal.signal(signal.SIGINT, signal.default_int_handler)    # what runs in the background may have it ignored
        machine.PATH, machine.MODULES = {machine.PATH!r}, pathlib.Path('/')
        tempfile.tempdir = {str(tmp_path)!r}
        machine.Machine(['true'], memory='1M').run()
        '''
    starter = subprocess.Popen([sys.executable, '-c', textwrap.dedent(program)], cwd=machine.ROOT,
                               stderr=subprocess.DEVNULL)
    wait((tmp_path / 'pid').exists)
    wait(lambda: folders(tmp_path))
    time.sleep(0.2)         # the keeper is there a moment after the kernel
    starter.send_signal(number)
    assert starter.wait(SHORT)
    wait(lambda: gone(tmp_path) and not folders(tmp_path))


def test_lines_are_told_when_they_are_whole():
    told = []
    output = everything.Output(told.append)
    for piece in (b'tests/a.py::one ', b'PASSED\ntests/a.py::two', b' FAILED\n\nend'):
        output(piece)
    assert told == ['tests/a.py::one PASSED', 'tests/a.py::two FAILED', '']
    assert output.lines()[-1] == 'end'


def test_files_side_by_side(kernel, tmp_path, capsys):
    kernel('echo "tests/x.py::one PASSED" >>$folder/said; echo 0 >$folder/status')
    files = [[machine.FOLDER / f'test_{name}.py'] for name in 'ab']
    assert everything.Everything(files, '1M', None).run(at_once=2) == 0
    said = capsys.readouterr().out
    assert said.count('tests/x.py::one PASSED') == 2 and said.endswith('lab: 2 passed\n')


def test_a_file_that_fails_is_shown_whole(kernel, capsys):
    kernel('printf "how it went\\nFAILED tests/x.py::one - why\\n" >>$folder/said; echo 1 >$folder/status')
    assert everything.Everything([[machine.FOLDER / 'test_a.py']], '1M', None).run(at_once=1) == 1
    said = capsys.readouterr().out.splitlines()
    assert 'how it went' in said and said[-2:] == ['FAILED tests/x.py::one - why', 'lab: no tests']


def test_what_never_runs_is_skipped_but_not_what_ran_once(kernel, tmp_path, capsys):
    files = [[machine.FOLDER / f'test_{name}.py'] for name in 'ab']
    kernel('echo "no ptrace"; exit 1')
    with pytest.raises(machine.Unavailable, match='no ptrace'):
        everything.Everything(files, '1M', None).run(at_once=1)
    kernel(f'mkdir {tmp_path}/second || exit 1; echo "tests/x.py::one PASSED" >>$folder/said; echo 0 >$folder/status')
    assert everything.Everything(files, '1M', None).run(at_once=1) == 1
    assert 'FAILED tests/lab/test_b.py: ended with linux.uml cannot run here' in capsys.readouterr().out


def gone(tmp_path) -> bool:
    """True if the kernel has ended."""
    pid = int((tmp_path / 'pid').read_text())
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except OSError:
        return True


def wait(condition):
    until = time.monotonic() + SHORT
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
