"""See the package."""
import argparse
import signal
import sys

from tests.lab import wire
from tests.lab.machine import Machine, Unavailable

SHELL = ['bash', '--norc', '-i']


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.lab', description='Runs a command in the lab\'s machine.')
    parser.add_argument('--memory', default='2G', metavar='SIZE', help='of the machine (2G)')
    parser.add_argument('--seconds', type=float, metavar='N', help='end it after so long (never)')
    parser.add_argument('--hosts', type=int, choices=(1, 2), default=1,
                        help='2: a second machine at the other end of a wire, as a further hypervisor host (1)')
    parser.add_argument('--shell', action='store_true', help='a prompt, or COMMAND on this terminal')
    parser.add_argument('command', nargs='*', metavar='COMMAND', help='and its arguments, behind --')
    options = parser.parse_args()
    if not options.command and not options.shell:
        parser.error('a COMMAND behind -- or --shell')
    if options.shell and not sys.stdin.isatty():
        parser.error('--shell needs a terminal')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        how = {'memory': options.memory, 'seconds': options.seconds, 'terminal': options.shell}
        make = wire.Pair if options.hosts == 2 else Machine
        return make(options.command or SHELL, **how).run()
    except Unavailable as error:
        print(f'lab: {error}', file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
