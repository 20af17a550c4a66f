"""Runs on the second machine and does there what the first one asks: commands, signals, files. neighbour.py asks.

One connection is one request: its head, a JSON object on a line, then bytes until the asker's end of sending. The
answer has the same shape; an answer {"error": …} is an OSError or a time-out there. Words of a command are a list,
never a line for a shell. Only the machine at the other end of the wire can reach it.

    python -m tests.lab.runner ADDRESS PORT
"""
import json
import os
import pathlib
import socketserver
import subprocess
import sys

END_SECONDS = 20        # in which a process that was sent a signal to end by has ended


class Runner(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, address, port):
        super().__init__((address, port), Handler)
        self._started: dict[int, subprocess.Popen] = {}

    def answer(self, head: dict, body: bytes) -> tuple[dict, bytes]:
        """What is asked for is done."""
        words = dict(head)
        do = {'run': self._run, 'start': self._start, 'end': self._end, 'running': self._running,
              'read': self._read, 'write': self._write}[words.pop('do')]
        return do(body, **words)

    def _run(self, body, command, seconds):
        """A command has ended; `body` was its input."""
        done = subprocess.run(command, input=body, capture_output=True, timeout=seconds)
        return {'status': done.returncode, 'output': len(done.stdout)}, done.stdout + done.stderr

    def _start(self, _, command, log):
        """A command runs, and goes on after this answer; what it says goes to the end of the file `log`."""
        with open(log, 'ab') as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._started[process.pid] = process
        return {'pid': process.pid}, b''

    def _end(self, _, pid, signal):
        """A process that was started here has got the signal and has ended."""
        self._started[pid].send_signal(signal)
        return {'status': self._started[pid].wait(END_SECONDS)}, b''

    def _running(self, _, pid):
        return {'running': self._started[pid].poll() is None}, b''

    def _read(self, _, path):
        return {}, pathlib.Path(path).read_bytes()

    def _write(self, body, path, mode):
        """The file is there with just that in it, and its folder."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb', opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(body)
        return {}, b''


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        head = json.loads(self.rfile.readline())
        try:
            head, body = self.server.answer(head, self.rfile.read())
        except (OSError, subprocess.TimeoutExpired) as error:
            head, body = {'error': str(error)}, b''
        self.wfile.write(json.dumps(head).encode() + b'\n' + body)


if __name__ == '__main__':
    Runner(sys.argv[1], int(sys.argv[2])).serve_forever()
