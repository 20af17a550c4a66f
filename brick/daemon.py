"""A daemon of oslo.privsep, which runs named functions as root: how it is started, and what it survives."""

import os
import shlex
import shutil
import signal
import sys

from oslo_privsep import comm, daemon, priv_context

from brick import errors, turns


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
    """Starts its daemon on the first call, NotPrivileged if it cannot.

    `helper()`: the command that does so, '' or None for privsep-helper of the environment that runs us, by sudo unless
    we are root. `ahead`: the daemon does not take turns, see brick/turns.py.
    """

    def __init__(self, *args, helper, ahead=False, **kwargs):
        super().__init__(*args, **kwargs)
        self._helper, self._ahead = helper, ahead

    def command(self) -> list[str]:
        if helper := self._helper():
            return shlex.split(helper)
        beside = os.path.join(os.path.dirname(sys.executable), 'privsep-helper')
        found = beside if os.path.exists(beside) else shutil.which('privsep-helper') or 'privsep-helper'
        # Without the warnings that importing eventlet gives; a sudoers file names the helper alone.
        return [sys.executable, '-Wignore', found] if os.geteuid() == 0 else ['sudo', '-n', found]

    def helper_command(self, sockpath):
        return [*self.command(), '--privsep_context', self.pypath, '--privsep_sock_path', sockpath]

    def set_client_mode(self, enabled):
        """False is what the daemon says of itself. A terminal's Ctrl-C is for whoever it works for."""
        super().set_client_mode(enabled)
        if not enabled and os.path.basename(sys.argv[0]) == 'privsep-helper':
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self._ahead:
                turns.go_ahead()

    def start(self, *args, **kwargs):
        try:
            super().start(*args, **kwargs)
        except (daemon.FailedToDropPrivileges, OSError) as error:
            raise errors.NotPrivileged(
                f'The privileged daemon did not start ({error}): {shlex.join(self.command())} must run as '
                'root without asking for a password.') from error
