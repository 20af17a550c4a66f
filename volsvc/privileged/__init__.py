"""What only root may do for volumes, as named functions: the modules beside this one are the whole list.

They run in a daemon of oslo.privsep (section privsep_volsvc), which is uid 0 with CAP_SYS_ADMIN, for the device mapper;
all else that they touch belongs to root.  Each checks its arguments inside the daemon, so that a worker which was taken
over can do no more than is written here.  The daemon imports these modules: they must stay light.  Its calls wait on
locks of green threads, so they are never to be sent through `process.native`.
"""
import os
import re
import shlex
import shutil
import signal
import sys

from oslo_config import cfg
from oslo_privsep import capabilities, comm, daemon, priv_context

THREADS = 32                    # calls at once; each is short, but may wait for its turn at a volume group
_UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
_VOLUME = re.compile(f'(volume|_snapshot)-{_UUID}(\\.part|\\.copy)?')
_NAME = re.compile(r'(?!\.{1,2}$)[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,126}')      # lvm(8), "Valid names"
_prefix: list[str] = []


class NotPrivileged(Exception):
    """The daemon does not start; the sentence is for the operator."""


class BadArgument(Exception):
    """Nobody may ask for this."""


class CommandFailed(Exception):
    """CommandFailed(program, exit status, what it said on standard error)."""

    def __str__(self):
        return '{} ended with {}: {}'.format(*self.args)


class Secret(str):
    """A text that shows itself only to who asks for it: the daemon logs what its calls return."""
    __slots__ = ()

    def __repr__(self):
        return "'***'"


class _Replies(comm.Deserializer):
    """A daemon that was killed with a question unread resets the connection: that is an end like any other.

    oslo.privsep 3.12 lets its reader die of it, and whoever asked waits for ever.
    """

    def __next__(self):
        try:
            return super().__next__()
        except ConnectionError:
            raise StopIteration from None


comm.Deserializer = _Replies


class Context(priv_context.PrivContext):
    """Starts its daemon with the first call."""

    def helper_command(self, sockpath):
        return [*(_prefix or helper()), '--privsep_context', self.pypath, '--privsep_sock_path', sockpath]

    def set_client_mode(self, enabled):
        """False is what the daemon says of itself.  A terminal's Ctrl-C is for whoever it works for."""
        super().set_client_mode(enabled)
        if not enabled and os.path.basename(sys.argv[0]) == 'privsep-helper':
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def start(self, *args, **kwargs):
        try:
            super().start(*args, **kwargs)
        except (daemon.FailedToDropPrivileges, OSError) as error:
            raise NotPrivileged(f'The privileged daemon did not start ({error}): {shlex.join(_prefix or helper())} '
                                'must run as root without asking for a password.') from error


context = Context('volsvc.privileged', cfg_section='privsep_volsvc', pypath='volsvc.privileged.context',
                  capabilities=[capabilities.CAP_SYS_ADMIN], logger_name='volsvc.privileged')
cfg.CONF.set_default('thread_pool_size', THREADS, 'privsep_volsvc')


def setup(command: str | None = None) -> None:
    """`command` starts the daemon from here on; None is helper()'s choice."""
    _prefix[:] = shlex.split(command) if command else []


def helper() -> list[str]:
    """The command that starts the daemon: from the environment that runs us, without sudo where we are root."""
    beside = os.path.join(os.path.dirname(sys.executable), 'privsep-helper')
    found = beside if os.path.exists(beside) else shutil.which('privsep-helper') or 'privsep-helper'
    # Its libraries warn of each other at every start.
    return [sys.executable, '-W', 'ignore', found] if os.geteuid() == 0 else ['sudo', '-n', found]


def volume_name(name: str) -> str:
    """A logical volume of ours."""
    return _checked(_VOLUME, name, 'a volume of this service')


def lvm_name(name: str) -> str:
    """A volume group or a thin pool."""
    return _checked(_NAME, name, 'a name of LVM')


def number(value: int, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 63:
        raise BadArgument(f'{value!r} is no number of bytes.')
    return value


def device(group: str, name: str) -> str:
    """The path of an active logical volume of ours."""
    return f'/dev/{lvm_name(group)}/{volume_name(name)}'


def _checked(grammar, text, what):
    if not isinstance(text, str) or not grammar.fullmatch(text):
        raise BadArgument(f'{text!r} is not {what}.')
    return text
