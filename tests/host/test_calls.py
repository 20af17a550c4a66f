"""Calls with a deadline: one that hangs is left behind, and costs its own server only."""

import threading

import pytest

from computesvc.host import base
from computesvc.host.libvirt.calls import Calls


@pytest.fixture
def gate():
    """What hanging calls wait for; opened at the end so that no thread is left over."""
    event = threading.Event()
    yield event
    event.set()


def hang(gate):
    gate.wait(30)
    return 'late'


def test_result_and_error_come_through():
    calls = Calls(timeout=5)
    assert calls.run(lambda a, b: a + b, 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 / 0)
    assert calls.hanging() == 0


def test_past_the_deadline(gate):
    calls = Calls(timeout=5)
    with pytest.raises(base.HostTimeout, match=r'not answered in time \(hang\)'):
        calls.run(hang, gate, key='one', timeout=0.02)
    with pytest.raises(base.HostUnavailable, match='An earlier call for one has been hanging for 0 s'):
        calls.run(hang, gate, key='one')
    assert calls.run(lambda: 'fine', key='two') == 'fine'
    assert calls.hanging() == 1


def test_a_call_that_comes_back_frees_its_server(gate):
    calls = Calls(timeout=5)
    back = threading.Event()

    def hang_and_tell():
        gate.wait(30)
        back.set()

    with pytest.raises(base.HostTimeout):
        calls.run(hang_and_tell, key='one', timeout=0.02)
    gate.set()
    assert back.wait(5)
    for _ in range(1000):
        if not calls.hanging():
            break
        threading.Event().wait(0.005)
    assert calls.run(lambda: 'fine', key='one') == 'fine'


def test_not_too_many_hang(gate):
    calls = Calls(timeout=0.02, most_hanging=2)
    for key in 'ab':
        with pytest.raises(base.HostTimeout):
            calls.run(hang, gate, key=key)
    with pytest.raises(base.HostUnavailable, match='2 calls hang'):
        calls.run(lambda: 'fine', key='c')
