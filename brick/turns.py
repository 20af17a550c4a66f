"""Who takes turns on a processor, and who goes before them (sched(7), SCHED_RR, as multipathd does).

What a rescan finds has udev start programs for each disk, and whoever takes turns with those waits for long. Measured
on one processor: for 8 disks the privileged daemon took 135 ms ahead of them and 375 ms among them, and whoever had
asked it waited for its answer 1 against 8 ms.
"""

import contextlib
import functools
import os
import socket
import struct
import threading

_USUAL, _TURN = os.SCHED_OTHER, os.sched_param(0)
_FIRST = os.sched_param(1)              # the lowest priority of those that go ahead
_CREDENTIALS = struct.Struct('3i')      # struct ucred: pid, uid, gid; see unix(7)


def go_ahead(thread: int = 0, flags: int = 0):
    """The thread, 0 for this one, and whatever it starts without SCHED_RESET_ON_FORK in `flags`, go before others.

    Where even root may not say so, as in some containers, they take turns.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(thread, os.SCHED_RR | flags, _FIRST)


@contextlib.contextmanager
def taking_turns():
    """This thread, and with it who is started now, takes turns as others do."""
    policy, how = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, _USUAL, _TURN)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, how)


# ---------------------------------------------------------------- who waits for the daemon

@contextlib.contextmanager
def waiting(context):
    """Gives our threads that wait for the daemon's answer, for bring_ahead(); they take turns again at the end.

    Nobody needs a right to step back; the flag not to hand it on to children stays, which only root may take away.
    """
    threads = []
    if context.client_mode and context.channel:
        both = {threading.get_native_id(), context.channel.reader_thread.native_id}
        threads = [thread for thread in both if _policy(thread) == _USUAL]
    try:
        yield threads
    finally:
        for thread in threads:
            with contextlib.suppress(OSError):      # the daemon died, and the reader with it
                if _policy(thread) != _USUAL:
                    os.sched_setscheduler(thread, _USUAL | os.SCHED_RESET_ON_FORK, _TURN)


def bring_ahead(threads):
    """In the daemon: these threads go before others, if they are of the process that asks it."""
    for thread in threads:
        if os.path.exists(f'/proc/{_asker()}/task/{int(thread)}'):
            with contextlib.suppress(ProcessLookupError):
                go_ahead(int(thread), os.SCHED_RESET_ON_FORK)


def _policy(thread):
    with contextlib.suppress(ProcessLookupError):
        return os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK
    return None


@functools.cache
def _asker() -> int:
    """The process at the other end of the daemon's socket, which is the only one that it has; 0 if there is none."""
    for descriptor in os.listdir('/proc/self/fd'):
        with contextlib.suppress(OSError):              # no socket, or no longer open
            end = socket.socket(fileno=int(descriptor))
            try:
                found = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            finally:
                end.detach()
            if process := _CREDENTIALS.unpack(found)[0]:
                return process
    return 0
