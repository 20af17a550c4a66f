"""See the package."""
import argparse
import signal
import sys

from onebox import guest
from tests.lab import everything, wire
from tests.lab.machine import FOLDER, Machine, Unavailable

SHELL = ['bash', '--rcfile', str(FOLDER / 'shell.sh'), '-i']
UNAVAILABLE = 125       # exit status


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.lab', description='Runs a command in the lab\'s machine; '
                                     'without one, the lab\'s tests.')
    parser.add_argument('--memory', default='2G', metavar='SIZE', help='of the machine (2G)')
    parser.add_argument('--seconds', type=float, metavar='N', help='end it after so long (never)')
    parser.add_argument('--hosts', type=int, choices=(1, 2), default=1,
                        help='2: a second machine at the other end of a wire, as a further hypervisor host (1)')
    parser.add_argument('--shell', action='store_true', help='a prompt, or COMMAND on this terminal')
    parser.add_argument('command', nargs='*', metavar='COMMAND', help='and its arguments, behind --')
    options = parser.parse_args()
    if options.shell and not sys.stdin.isatty():
        parser.error('--shell needs a terminal')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _make_guest()
        if not options.command and not options.shell:
            return everything.run(options.memory, options.seconds)
        how = {'memory': options.memory, 'seconds': options.seconds, 'terminal': options.shell}
        make = wire.Pair if options.hosts == 2 else Machine
        return make(options.command or SHELL, **how).run()
    except Unavailable as error:
        print(f'lab: {error}', file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return 130


def _make_guest():
    """The image of the guest that tests boot is in the cache of the user: in the machine no network can fetch it."""
    try:
        guest.image(progress=lambda text: print(f'lab: {text} (once)', flush=True))
    except (guest.Unavailable, OSError) as error:
        raise Unavailable(f'The lab needs the image of a guest: {error}') from None


if __name__ == '__main__':
    sys.exit(main())
