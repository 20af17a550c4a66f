"""Talking to another service over real connections."""
import socket
import threading
import time

import pytest
from oslo_config import cfg

from svckit import peer


@pytest.fixture
def slow_server():
    """Sends an answer's body when its head has been acknowledged, as most simple servers do (Nagle's algorithm)."""
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        connection, _ = listener.accept()
        while connection.recv(65536):
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n')
            connection.sendall(b'\r\n')
            connection.sendall(b'{}')
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{listener.getsockname()[1]}'
    listener.close()


def test_nobody_waits_for_a_delayed_acknowledgement(slow_server):
    conf = cfg.ConfigOpts()
    conf.register_opts(peer.options('compute', 'nova'), 'compute')
    conf([])
    conf.set_override('auth_type', 'none', 'compute')
    conf.set_override('endpoint_override', slow_server, 'compute')
    asked, took = peer.Peer(conf, 'compute', 'volsvc'), []
    for _ in range(40):
        began = time.monotonic()
        assert asked.call('GET', '/').json() == {}
        took.append(time.monotonic() - began)
    # Linux acknowledges the first on a new connection at once, and later ones after 40 ms.
    assert min(took[-15:]) < 0.035
