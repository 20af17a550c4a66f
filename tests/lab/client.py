"""The real `openstack` command, started once: in user-mode Linux its imports take 9 s each time.

Without arguments it reads commands from its standard input. Nothing tells the end of a command's answer, so each is
followed by a word that is no command, and the client's complaint about that is the end.
"""
import contextlib
import itertools
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

OPENSTACK = pathlib.Path(sys.executable).with_name('openstack')
NO_COMMAND = 'z' * 40     # like few commands: the client guesses what was meant
PATIENCE = 120      # seconds
VERSIONS = {'OS_VOLUME_API_VERSION': '3.71', 'OS_COMPUTE_API_VERSION': '2.89'}     # options would be commands


class CommandFailed(AssertionError):
    """The client complained."""


class Openstack:
    """Call it with the words of a command: what it printed, from JSON (None if nothing). `close()` at the end."""

    def __init__(self, environment: dict, folder: pathlib.Path):
        self._complaints = folder / 'openstack-complaints'
        with open(self._complaints, 'wb') as complaints:
            self._process = subprocess.Popen(
                [str(OPENSTACK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                text=True, env={**os.environ, **environment, **VERSIONS, 'PYTHONUNBUFFERED': '1'})
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __call__(self, *words):
        said = self.act(*words, '-f', 'json')
        return json.loads(said) if said else None

    def act(self, *words) -> str:
        """Of commands that know no output formats; the text."""
        assert not any(' ' in word for word in words), 'nothing here needs to know how the client reads quotes'
        seen = self._complaints.stat().st_size
        self._process.stdin.write(f'{" ".join(words)}\n{NO_COMMAND}\n')
        self._process.stdin.flush()
        lines = itertools.dropwhile(_guess, iter(self._line, None))
        said = '\n'.join(lines).strip()
        complaints = self._complaints.read_bytes()[seen:].decode().strip()
        if complaints or 'is not an openstack command' in said:
            raise CommandFailed(f'openstack {" ".join(words)}: {complaints or said}')
        return said

    def close(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def _line(self):
        """The next line of an answer; None at its end."""
        line = self._lines.get(timeout=PATIENCE)
        if line is None:
            raise CommandFailed(f'openstack ended: {self._complaints.read_text()}')
        return None if line.startswith(f"openstack: '{NO_COMMAND}'") else line

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.rstrip('\n').removeprefix('(openstack) '))
        self._lines.put(None)



def _guess(line: str) -> bool:
    """True for what still comes of the complaint before."""
    return line.startswith(('Did you mean', '  '))
