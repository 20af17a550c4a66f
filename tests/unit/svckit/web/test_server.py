"""Real HTTP, served on green and on native threads."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from svckit.web.server import Server

SERVED = 'tests.unit.svckit.served'
TOO_LARGE = 65536 * 2


class Program:
    """tests/unit/svckit/served.py, running."""

    def __init__(self, concurrency, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, '-m', SERVED, '--concurrency', concurrency, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        self.port, self.pid = map(int, line.split())
        self._log = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._log.start()

    def connect(self, timeout=10) -> socket.socket:
        return socket.create_connection(('127.0.0.1', self.port), timeout=timeout)

    def get(self, path, timeout=10):
        with contextlib.closing(http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)) as connection:
            connection.request('GET', path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def signal(self, number=signal.SIGTERM):
        self._process.send_signal(number)

    def end(self, timeout=10) -> int:
        return self._process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


def config(tmp_path, **api):
    file = tmp_path / 'served.conf'
    file.write_text('[api]\n' + ''.join(f'{name} = {value}\n' for name, value in api.items()))
    return '--config-file', str(file)


@pytest.fixture(scope='module', params=['eventlet', 'threads'])
def program(request):
    with Program(request.param) as running:
        running.concurrency = request.param
        yield running


def exchange(program, request: bytes):
    """(status, headers, JSON) that a client gets which writes first and then reads."""
    with program.connect() as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.headers, json.loads(response.read() or b'null')


def post(headers: str, body: bytes) -> bytes:
    return f'POST /v3/p/take HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n'.encode() + body


def test_it_runs_as_told(program):
    assert program.get('/v3/who') == (200, {'pid': program.pid, 'concurrency': program.concurrency})


def test_a_connection_is_kept(program):
    with contextlib.closing(http.client.HTTPConnection('127.0.0.1', program.port, timeout=10)) as connection:
        connection.connect()
        first = connection.sock.getsockname()
        for method, path, body, status in (('GET', '/v3/who', None, 200), ('POST', '/v3/p/take', '{}', 202),
                                           ('POST', '/v3/p/take', 'x', 400), ('GET', '/v3/nothing', None, 404),
                                           ('HEAD', '/v3/who', None, 200), ('GET', '/v3/who', None, 200)):
            connection.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
            response = connection.getresponse()
            response.read()
            assert response.status == status and connection.sock.getsockname() == first


def test_requests_in_a_row_without_waiting(program):
    with program.connect() as connection:
        connection.sendall(b'GET /v3/who HTTP/1.1\r\nHost: x\r\n\r\n' * 3)
        text = b''
        while text.count(b'HTTP/1.1 200') < 3 or not text.endswith(b'}'):
            text += connection.recv(65536)


def test_chunked_bodies(program):
    status, _, answer = exchange(program, post(
        'Transfer-Encoding: chunked', b'6\r\n{"text\r\n9\r\n": "abcd"\r\n1\r\n}\r\n0\r\n\r\n'))
    assert (status, answer) == (202, {'size': 4})


def test_chunked_bodies_that_are_too_large(program):
    chunks = b'1000\r\n' + b'x' * 4096 + b'\r\n'
    status, _, answer = exchange(program, post('Transfer-Encoding: chunked', chunks * 32 + b'0\r\n\r\n'))
    assert status == 413 and answer['overLimit']['code'] == 413


def test_chunks_that_are_none(program):
    with program.connect() as connection:
        connection.sendall(post('Transfer-Encoding: chunked', b'zz\r\n{}\r\n0\r\n\r\n'))
        assert connection.recv(65536).split()[1] == b'400'


@pytest.mark.parametrize('size', [TOO_LARGE, 2 ** 20, 3 * 2 ** 20])
def test_large_bodies(program, size):
    status, _, answer = exchange(program, post(f'Content-Length: {size}', b'x' * size))
    assert status == 413 and '65536' in answer['overLimit']['message']


def test_a_body_announced_that_nobody_would_wait_for(program):
    status, headers, _ = exchange(program, post(f'Content-Length: {10 ** 12}', b'x' * (5 * 2 ** 20)))
    assert status == 413 and headers['Connection'] == 'close'


def test_expect_continue(program):
    with program.connect() as connection:
        connection.sendall(post('Expect: 100-continue\r\nContent-Length: 2', b''))
        assert connection.recv(100).startswith(b'HTTP/1.1 100 ')
        connection.sendall(b'{}')
        assert b' 202 ' in connection.recv(65536)


def test_odd_requests_leave_the_server_well(program):
    for text in (b'\r\n\r\n', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01', b'GET /v3/who HTTP/9.9\r\n\r\n',
                 b'GET /' + b'x' * 70000 + b' HTTP/1.1\r\n\r\n', b'GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n',
                 b'GET /v3/who HTTP/1.1\r\n' + b'X: y\r\n' * 5000 + b'\r\n',
                 post('Content-Length: -5', b''), post('Content-Length: x', b'')):
        with program.connect(timeout=2) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
                assert b'500' not in answer.split(b'\r\n')[0], (text, answer)
    assert program.get('/v3/who')[0] == 200


def test_slow_clients_hold_up_nobody(program):
    begun = post('Content-Length: 100', b'{"te')
    with contextlib.ExitStack() as stack:
        for number in range(60):
            connection = stack.enter_context(program.connect())
            connection.sendall((begun, b'GET /v3/wh', b'')[number % 3])
        for _ in range(5):
            began = time.monotonic()
            assert program.get('/v3/who')[0] == 200
            assert time.monotonic() - began < 2


@pytest.mark.parametrize('path', ['/v3/wait/1000', '/v3/block/1000'])
def test_slow_requests_hold_up_nobody(program, path):
    threads = [threading.Thread(target=program.get, args=(path,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert program.get('/v3/who')[0] == 200
    assert time.monotonic() - began < 0.8
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize('concurrency', ['eventlet', 'threads'])
def test_a_client_that_says_nothing_more_is_dropped(concurrency, tmp_path):
    with Program(concurrency, *config(tmp_path, client_timeout=1, keepalive=1)) as program:
        with program.connect() as silent, program.connect() as half:
            half.sendall(post('Content-Length: 100', b'{'))
            for connection in (half, silent):
                answer = connection.recv(65536)
                assert not answer or answer.split()[1] in (b'400', b'408')
                assert not answer or connection.recv(65536) == b'' or connection.recv(65536) == b''


@pytest.mark.parametrize('concurrency', ['eventlet', 'threads'])
def test_a_stop_lets_requests_end(concurrency):
    with Program(concurrency) as program, program.connect() as idle, program.connect() as busy:
        idle.sendall(b'GET /v3/who HTTP/1.1\r\nHost: x\r\n\r\n')
        assert idle.recv(65536)
        busy.sendall(b'GET /v3/wait/700 HTTP/1.1\r\nHost: x\r\n\r\n')
        time.sleep(0.2)
        program.signal()
        assert b' 200 ' in busy.recv(65536)
        assert program.end(5) == 0


@pytest.mark.parametrize('concurrency', ['eventlet', 'threads'])
class TestProcesses:
    def test_several_serve_and_the_dead_are_replaced(self, concurrency, tmp_path):
        with Program(concurrency, *config(tmp_path, processes=2)) as program:
            pids = self._serving(program, 2)
            assert program.pid not in pids
            os.kill(min(pids), signal.SIGKILL)
            wait_until(lambda: len(self._serving(program, 2) - pids) == 1)
            program.signal()
            assert program.end() == 0
            assert all(gone(pid) for pid in pids)

    def test_they_do_not_outlive_their_parent(self, concurrency, tmp_path):
        with Program(concurrency, *config(tmp_path, processes=2)) as program:
            pids = self._serving(program, 2)
            program.signal(signal.SIGKILL)
            wait_until(lambda: all(gone(pid) for pid in pids))

    def test_a_signal_to_all_of_them_lets_requests_end(self, concurrency, tmp_path):
        with Program(concurrency, *config(tmp_path, processes=2)) as program, program.connect() as busy:
            pids = self._serving(program, 2)
            busy.sendall(b'GET /v3/wait/700 HTTP/1.1\r\nHost: x\r\n\r\n')
            time.sleep(0.2)
            for pid in (*pids, program.pid):
                os.kill(pid, signal.SIGTERM)
            assert b' 200 ' in busy.recv(65536)
            assert program.end(5) == 0

    def _serving(self, program, number):
        """The processes that answer; connections that stay open keep one busy while the other takes the next."""
        found = set()
        end = time.monotonic() + 10
        while len(found) < number and time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                found.add(program.get('/v3/who')[1]['pid'])
        return found


def gone(pid):
    """No such process, or one that is dead and whose parent has not looked yet."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except OSError:
        return True


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_noauth_listens_on_loopback_only(conf):
    for host in ('0.0.0.0', '::', '10.0.0.1', 'example.org'):  # noqa: S104
        with pytest.raises(ValueError, match='loopback'):
            Server(None, host, 0, options=conf.api)
    Server(None, '127.0.0.1', 0, options=conf.api), Server(None, '::1', 0, options=conf.api)
    conf.set_override('auth_strategy', 'keystone', 'api')
    Server(None, '0.0.0.0', 0, options=conf.api)  # noqa: S104
