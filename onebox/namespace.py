"""Runs a program with private folders in place of some of the machine's.

    python -m onebox.namespace FROM=TO… -- PROGRAM…

In a mount namespace of its own each folder FROM is bind-mounted over TO, then the program takes this process's place
(same process id). What others on the machine see at TO does not change; what they mount later is seen inside, too.
Needs CAP_SYS_ADMIN. Python 3.11 has no os.unshare(), hence ctypes; constants are from linux/sched.h and linux/mount.h.
"""

import ctypes
import os
import sys

CLONE_NEWNS = 0x00020000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 1 << 19

_libc = ctypes.CDLL(None, use_errno=True)


def enter(binds):
    """This process has its own mount namespace with each (private, public) folder pair bound. OSError."""
    _check(_libc.unshare(CLONE_NEWNS), 'unshare')
    _mount(b'none', b'/', MS_REC | MS_SLAVE)
    for private, public in binds:
        _mount(os.fsencode(private), os.fsencode(public), MS_BIND)


def _mount(source, target, flags):
    _check(_libc.mount(source, target, None, ctypes.c_ulong(flags), None), f'mount {target.decode()}')


def _check(result, what):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')


def main(arguments):
    """See the module."""
    split = arguments.index('--')
    program = arguments[split + 1:]
    try:
        enter(pair.split('=', 1) for pair in arguments[:split])
    except OSError as error:
        sys.exit(f'no private mount namespace: {error.strerror}')
    os.execv(program[0], program)


if __name__ == '__main__':
    main(sys.argv[1:])
