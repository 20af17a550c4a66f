"""Programs that may outlive whoever started them: run with patience, and found again by their arguments.

No shell.  What a program says is in a file, so nobody has to read it for the program to go on.
"""
import contextlib
import os
import signal
import subprocess
import time

from computesvc.host.base import HostError
from svckit import process

PAUSES = (0.002, 0.2)       # seconds between two looks whether a program has ended: at first, and later
GONE_SECONDS = 10           # a killed process may still be in the middle of writing to a disk


def run(words: list[str], log: str, timeout: float, look=None) -> None:
    """The program ended well within `timeout` seconds; HostError with its last words if it did not.

    `look(pid)` is called now and then meanwhile; if it raises, the program is ended.
    """
    try:
        with open(log, 'wb') as said:
            program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said,  # noqa: S603
                                       env=environment())
    except FileNotFoundError as e:
        raise HostError(f'{e.filename} is not there.') from e
    try:
        _wait(program, words[0], timeout, look or (lambda pid: None))
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
    if program.returncode:
        raise HostError(last_words(log) or f'{words[0]} ended with {program.returncode}.')


def environment() -> dict:
    """Messages in English; also the programs that only root usually calls."""
    return {**os.environ, 'LC_ALL': 'C', 'PATH': os.environ.get('PATH', '/usr/bin:/bin') + ':/usr/sbin:/sbin'}


def last_words(log: str) -> str:
    """The last line in the file that is more than a count."""
    with contextlib.suppress(FileNotFoundError), open(log, encoding='utf-8', errors='replace') as said:
        lines = [line.strip() for line in said.read()[-4096:].replace('\r', '\n').split('\n')]
        return next((line for line in reversed(lines) if line and '/100%)' not in line), '')
    return ''


def busy(pid: int) -> int:
    """The clock ticks of processor time that a running process has had: what does anything has some more later."""
    with open(f'/proc/{pid}/stat') as file:     # proc(5): the name is in brackets and may hold anything
        return sum(map(int, file.read().rpartition(')')[2].split()[11:13]))


def find(program: str, start: str) -> dict[int, list[str]]:
    """Process id -> arguments, of each running `program` one of whose arguments starts with `start`."""
    return process.native(_find, program, start)


def _find(program, start):
    found = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            words = _words(entry)
            if words and os.path.basename(words[0]) == program and any(word.startswith(start) for word in words):
                found[int(entry)] = words
    return found


def end(program: str, start: str) -> None:
    """None of those that find() finds is left; HostError if one cannot be ended."""
    until = time.monotonic() + GONE_SECONDS
    while found := find(program, start):
        if time.monotonic() > until:
            raise HostError(f'{program} (process {min(found)}) does not end.')
        for pid in found:
            _kill(pid, program, start)
        time.sleep(PAUSES[0])


def _kill(pid, program, start):
    """By a handle on the process: its number may be another's by the time of the signal."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            words = _words(pid)
            if words and os.path.basename(words[0]) == program and any(word.startswith(start) for word in words):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


def _words(pid):
    """[] of a process that is gone or only waits to be reaped."""
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read().decode(errors='replace').split('\0')[:-1]
    except OSError:
        return []


def _wait(program, name, timeout, look):
    until, pause = time.monotonic() + timeout, PAUSES[0]
    while program.poll() is None:
        if time.monotonic() > until:
            raise HostError(f'{name} did not end within {timeout:g} s.')
        look(program.pid)
        time.sleep(pause)
        pause = min(pause * 1.3, PAUSES[1])
