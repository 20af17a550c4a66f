"""All tests of the lab: each file (or group) in a machine of its own, several machines at once.

So no file's faults disturb another file, and a machine that hangs costs one file. What is printed as it comes are the
results; the whole output of a file follows if a test of it failed.
"""
import os
import pathlib
import queue
import re
import threading
import time

from tests.lab import wire
from tests.lab.machine import FOLDER, ROOT, UNITS, Machine, Unavailable

PYTEST = ['python', '-m', 'pytest', '-v', '--color=no', '--durations=5', '-p', 'no:cacheprovider']
TWO_HOSTS = ('test_two_hosts.py', 'test_move.py')       # in one pair of machines: they share what they start
# These begin first, as when the last one runs alone little should be left to wait for.
SLOWEST = ('test_two_hosts.py', 'test_lvm.py', 'test_grow.py', 'test_connect.py', 'test_faults.py', 'test_life.py')
RESULT = re.compile(r'\S+::.* (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b')
FAILURE = re.compile(r'(FAILED|ERROR) ')        # at the beginning of a line of pytest's summary
NOTHING_RAN = 5         # pytest's exit status


def run(memory: str, seconds: float | None) -> int:
    """0 if every test passed, after at most `seconds`."""
    everything = Everything(_groups(), memory, time.monotonic() + seconds if seconds else None)
    return everything.run(_at_once(memory))


def _groups() -> list[list[pathlib.Path]]:
    """What runs in one machine, or pair."""
    alone = [[file] for file in FOLDER.glob('test_*.py') if file.name not in TWO_HOSTS]
    return sorted([[FOLDER / name for name in TWO_HOSTS], *alone],
                  key=lambda files: SLOWEST.index(files[0].name) if files[0].name in SLOWEST else len(SLOWEST))


class Everything:
    """The groups of files still to be run, and what came of the others."""

    def __init__(self, groups, memory, until):
        self._memory, self._until = memory, until
        self._left = queue.SimpleQueue()
        for group in groups:
            self._left.put(group)
        self._printing = threading.Lock()
        self._counts, self._failures, self._unavailable = {}, [], None

    def run(self, at_once) -> int:
        # Daemons: if we are interrupted, nobody waits for them, and their machines end with this process.
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._unavailable:
            raise self._unavailable
        for line in self._failures:
            print(line)
        counts = ', '.join(f'{number} {word.lower()}' for word, number in sorted(self._counts.items()))
        print(f'lab: {counts or "no tests"}', flush=True)
        return 1 if self._failures else 0

    def _work(self):
        while not self._unavailable:
            try:
                self._run(self._left.get_nowait())
            except queue.Empty:
                return
            except Unavailable as error:
                self._unavailable = error

    def _run(self, files: list[pathlib.Path]):
        names, output, began = [str(file.relative_to(ROOT)) for file in files], Output(self._result), time.monotonic()
        name, make = ' '.join(names), wire.Pair if files[0].name in TWO_HOSTS else Machine
        seconds = max(self._until - began, 1) if self._until else None
        try:
            status = make([*PYTEST, *names], memory=self._memory, seconds=seconds, show=output).run()
        except (RuntimeError, Unavailable) as error:
            if isinstance(error, Unavailable) and not self._counts:
                raise                   # nothing runs here; after a first result it would be a failure
            status = str(error)
        with self._printing:
            if status not in (0, NOTHING_RAN):
                failures = [line for line in output.lines() if FAILURE.match(line)]
                self._failures += failures or [f'FAILED {name}: ended with {status}']
                print(f'------ {name} ended with {status}; all that it said:', *output.lines(), sep='\n')
            print(f'------ {name}: {time.monotonic() - began:.0f} s', flush=True)

    def _result(self, line):
        if found := RESULT.match(line):
            with self._printing:
                self._counts[found[1]] = self._counts.get(found[1], 0) + 1
                print(line, flush=True)


class Output:
    """Takes what a machine says in pieces; `tell` gets each line that is whole."""

    def __init__(self, tell):
        self._tell, self._text, self._told = tell, '', 0

    def __call__(self, piece: bytes):
        self._text += piece.decode(errors='replace')
        whole = self.lines()[:self._text.count('\n')]
        for line in whole[self._told:]:
            self._tell(line)
        self._told = len(whole)

    def lines(self) -> list[str]:
        return self._text.split('\n')


def _at_once(memory) -> int:
    """One more than processors, as each now and then waits for a time-out; each takes all of its memory at last."""
    available = os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    fit = available // (int(memory[:-1]) * UNITS[memory[-1]])
    return max(1, min(len(os.sched_getaffinity(0)) + 1, fit))
