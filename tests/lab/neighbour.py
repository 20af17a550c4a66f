"""The first machine's end of the wire: what it has the second one do, through runner.py there, and the wire itself.

    python -m tests.lab.neighbour COMMAND…      runs it there: for a person at a prompt
"""
import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import sys

from tests.system.processes import eventually

ADDRESS, PORT = '10.12.0.2', 7000
WIRE = 'vec0'
BOOT_SECONDS = 60
ANSWER_SECONDS = 60


class Failed(AssertionError):
    """What was asked of the neighbour could not be done there; the sentence says why."""


class Neighbour:
    """The second machine."""

    name = 'node2'

    def await_boot(self):
        eventually('the second machine answers', lambda: self.run('true') == b'', BOOT_SECONDS)

    def run(self, *command, stdin=b'', seconds=ANSWER_SECONDS) -> bytes:
        """The output of a command that must succeed."""
        answer, said = self._ask('run', stdin, command=[str(word) for word in command], seconds=seconds)
        output, errors = said[:answer['output']], said[answer['output']:]
        if answer['status']:
            raise Failed(f'{command} ended with {answer["status"]}: {(output + errors).decode(errors="replace")}')
        return output

    def python(self, *words, **how) -> bytes:
        """As run(), of this Python with the project to import from."""
        return self.run(sys.executable, *words, **how)

    def read(self, path) -> bytes:
        return self._ask('read', path=str(path))[1]

    def write(self, path, content: bytes, mode=0o600):
        """A file and its folder, with nothing else in it."""
        self._ask('write', content, path=str(path), mode=mode)

    def start(self, command, log) -> int:
        """A command runs there; its process id."""
        return self._ask('start', command=[str(word) for word in command], log=str(log))[0]['pid']

    def end(self, pid: int, number: int):
        """A process from start() has got the signal, and has ended."""
        self._ask('end', pid=pid, signal=int(number))

    def running(self, pid: int) -> bool:
        return self._ask('running', pid=pid)[0]['running']

    def _ask(self, do, body=b'', **words) -> tuple[dict, bytes]:
        with socket.create_connection((ADDRESS, PORT), ANSWER_SECONDS + 5) as connection:
            connection.sendall(json.dumps({'do': do, **words}).encode() + b'\n' + body)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile('rb') as answer:
                head, body = json.loads(answer.readline()), answer.read()
        if 'error' in head:
            raise Failed(f'{do} {words}: {head["error"]}')
        return head, body


class Process:
    """One of our commands on the second machine, by the verbs of tests.system.processes.Process."""

    def __init__(self, neighbour: Neighbour, name: str, *command):
        self.name, self._neighbour, self._command = f'{name}@{neighbour.name}', neighbour, [sys.executable, *command]
        self.log = pathlib.Path(f'/tmp/{name}.log')      # noqa: S108 - of a machine that nobody else is on
        self._pid = None

    def start(self):
        self._pid = self._neighbour.start(self._command, self.log)
        return self

    @property
    def running(self) -> bool:
        return self._pid is not None and self._neighbour.running(self._pid)

    def kill(self):
        """SIGKILL: it has no chance to say or save anything."""
        self._neighbour.end(self._pid, signal.SIGKILL)

    def ask_to_stop(self):
        """Nothing; stop() does all."""

    def stop(self):
        """Asked to stop, and killed if that takes too long."""
        if self.running:
            try:
                self._neighbour.end(self._pid, signal.SIGTERM)
            except Failed:
                self.kill()

    def log_text(self) -> str:
        return self._neighbour.read(self.log).decode(errors='replace')

    def last_words(self, lines=40) -> str:
        with contextlib.suppress(Failed, OSError):
            return f'--- {self.name}:\n' + '\n'.join(self.log_text().splitlines()[-lines:])
        return f'--- {self.name}: out of reach'


@contextlib.contextmanager
def cut():
    """The wire carries nothing from here to there, without a word to anybody, as long as the `with` lasts."""
    _tc('add', 'netem', 'loss', '100%')
    try:
        yield
    finally:
        _tc('del')


def _tc(verb, *discipline):
    subprocess.run(['tc', 'qdisc', verb, 'dev', WIRE, 'root', *discipline], check=True, capture_output=True, timeout=20)


if __name__ == '__main__':
    try:
        sys.stdout.buffer.write(Neighbour().run(*sys.argv[1:]))
    except Failed as failed:
        sys.exit(str(failed))
