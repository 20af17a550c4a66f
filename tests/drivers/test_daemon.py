"""volsvc's privileged daemon itself, as root: a death, a Ctrl-C."""
import logging
import os
import re
import shutil
import signal
import threading

import pytest

from volsvc import privileged
from volsvc.privileged import lvm

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which('lvm'), reason='needs root and lvm2')


@pytest.fixture
def daemons(caplog):
    """The process id of each that was started, as it says itself."""
    caplog.set_level('INFO')
    found = []

    class Listener(logging.Handler):
        def emit(self, record):
            if said := re.search(r'running as pid (\d+)', record.getMessage()):
                found.append(int(said[1]))
    listener = Listener()
    logging.getLogger('volsvc.privileged').addHandler(listener)
    yield found
    logging.getLogger('volsvc.privileged').removeHandler(listener)
    privileged.context.stop()


def ask() -> str:
    """What the daemon answers about a volume group that is not there; AssertionError if it never does."""
    found = []

    def call():
        try:
            lvm.space('no-such-group', None)
        except Exception as error:
            found.append(str(error))
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(30)
    assert found, 'nobody answers'
    return found[0]


def test_killed_while_it_is_asked(daemons):
    """oslo.privsep's reader dies of the reset connection, and whoever asked would wait for ever."""
    assert 'not found' in ask()
    os.kill(daemons[0], signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (daemons[0], signal.SIGKILL)).start()
    assert 'eof' in ask()
    assert 'not found' in ask() and len(daemons) == 2


def test_ctrl_c_is_not_for_the_daemon(daemons):
    assert 'not found' in ask()
    os.kill(daemons[0], signal.SIGINT)
    assert 'not found' in ask() and len(daemons) == 1
