"""The command behind `./stack.sh demo`.

Exit status 0 means that the guest itself has said what the demonstration is to show.
"""
import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from onebox.demo.grow import Grow
from onebox.demo.resize import Resize
from onebox.terminal import Screen, duration


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        prog='./stack.sh demo', description='Show, with a real guest, libvirt and the openstack command, how the disk '
        'of a running server grows.')
    parser.add_argument('--resize', action='store_true',
                        help='show a server that moves between two hosts instead, its disks with it')
    parser.add_argument('--keep', action='store_true', help='leave the state folder there, to look at')
    options = parser.parse_args(argv)
    sys.stdout.reconfigure(errors='replace')
    screen = Screen()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='onebox-demo-'))
    demo = (Resize if options.resize else Grow)(screen, folder / 'state')
    try:
        return _play(demo, screen)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):      # a second Ctrl-C would leave guests behind
            signal.signal(number, signal.SIG_IGN)
        with screen.busy('cleaning up'):
            demo.clean_up()
        if options.keep:
            screen.line(f'The state folder is kept: {folder}')
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _play(demo, screen) -> int:
    began = time.monotonic()
    try:
        demo.run()
        screen.line()
        screen.good(screen.paint(f'{demo.point} {duration(time.monotonic() - began)} in all.', 'bold'))
        return 0
    except KeyboardInterrupt:
        screen.bad(f'Stopped in the step "{demo.step}".')
        return 130
    except Exception as error:
        screen.line()
        screen.bad(f'The step "{demo.step}" failed: {error}')
        screen.output(getattr(error, 'output', ''), cut=False)
        if complaints := demo.complaints():
            screen.line('Warnings and errors in its log:')
            screen.output(complaints, cut=False)
        return 1


if __name__ == '__main__':
    sys.exit(main())
