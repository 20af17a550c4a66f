"""What only root may do for volumes, as named functions: the modules beside this one are the whole list.

They run in a daemon of oslo.privsep (section privsep_volsvc), which is uid 0 with CAP_SYS_ADMIN, for the device mapper;
all else that they touch belongs to root.  Each checks its arguments inside the daemon, so that a worker which was taken
over can do no more than is written here.  The daemon imports these modules: they must stay light.  Its calls wait on
locks of green threads, so they are never to be sent through `process.native`.
"""
import re

from oslo_config import cfg
from oslo_privsep import capabilities

from brick.daemon import Context
from brick.errors import NotPrivileged

__all__ = ['BadArgument', 'CommandFailed', 'NotPrivileged', 'Secret', 'context', 'device', 'lvm_name', 'number',
           'setup', 'volume_name']
THREADS = 32                    # calls at once; each is short, but may wait for its turn at a volume group
_UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
_VOLUME = re.compile(f'(volume|_snapshot)-{_UUID}(\\.part|\\.copy)?')
_NAME = re.compile(r'(?!\.{1,2}$)[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,126}')      # lvm(8), "Valid names"
_helper: str | None = None


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


context = Context('volsvc.privileged', cfg_section='privsep_volsvc', pypath='volsvc.privileged.context',
                  capabilities=[capabilities.CAP_SYS_ADMIN], logger_name='volsvc.privileged',
                  helper=lambda: _helper)
cfg.CONF.set_default('thread_pool_size', THREADS, 'privsep_volsvc')


def setup(command: str | None = None) -> None:
    """`command` starts the daemon from here on; None is brick.daemon's choice."""
    global _helper
    _helper = command


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
