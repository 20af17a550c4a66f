"""The demonstration looks at a server that moves: each change is a line, and what goes wrong with it is not lost."""
import io
import time

import pytest

from onebox.demo import __main__ as command
from onebox.demo.watch import Watch
from onebox.terminal import Screen

ACTS = [(('ACTIVE', ''), ('running', 'absent')), (('RESIZE', 'resize_prep'), ('running', 'absent')),
        (('RESIZE', 'resize_migrating'), ('shutdown', 'absent')), (('VERIFY_RESIZE', ''), ('shutdown', 'running'))]


class Play:
    """A cloud in which the next thing has happened whenever somebody has looked twice."""

    hosts = {'onebox': None, 'onebox-2': None}

    def __init__(self, acts):
        self._acts, self._looks = acts, 0

    def _act(self):
        act = self._acts[min(self._looks // 2, len(self._acts) - 1)]
        if isinstance(act, Exception):
            raise act
        return act

    def server_now(self, server):
        return self._act()[0]

    def power(self, server):
        found = dict(zip(self.hosts, self._act()[1], strict=True))
        self._looks += 1
        return found


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_change_is_a_line():
    stream = io.StringIO()
    with Watch(Screen(stream), Play(ACTS), 'server') as watch:
        assert not watch.is_at_rest('VERIFY_RESIZE') and watch.hosts == 1
        until(lambda: watch.is_at_rest('VERIFY_RESIZE'))
        assert watch.hosts == 2
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines[0] == ['status', 'task', 'state', 'onebox', 'onebox-2']
    assert lines[1] == ['ACTIVE', 'running', '-']
    assert [line[2:] for line in lines[2:]] == [
        ['RESIZE', 'resize_prep', 'running', '-'], ['RESIZE', 'resize_migrating', 'off', '-'],
        ['VERIFY_RESIZE', 'off', 'running']]
    assert lines[2][:2] == ['0.00', 's']


def test_what_cannot_be_seen_is_said():
    with Watch(Screen(io.StringIO()), Play([ACTS[0], OSError('nobody answers')]), 'server') as watch:
        with pytest.raises(OSError, match='nobody answers'):
            until(lambda: watch.is_at_rest('VERIFY_RESIZE'))


def test_options_that_there_are_not(capsys):
    with pytest.raises(SystemExit):
        command.main(['--rezise'])
    assert './stack.sh demo' in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_never_takes_a_second_line():
    screen = Screen(Terminal(), {}, columns=20)
    screen.rewrite('x' * 100, 'yellow')
    assert screen._stream.getvalue().count('x') == 19
