"""The command line of onebox."""
import argparse

from onebox.hosts import MOST

PARTS = ('identity', 'image', 'volume', 'compute')


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='onebox', description='Block storage and servers, with identity and images, in one process: '
        'everything that an OpenStack client needs, with its state in one folder.')
    parser.add_argument('--state', default='.onebox', metavar='DIR', help='folder of everything that is kept (.onebox)')
    parser.add_argument('--host', default='127.0.0.1', metavar='ADDRESS', help='address to listen on (127.0.0.1)')
    for name, port in (('identity', 5000), ('volume', 8776), ('compute', 8774), ('image', 9292)):
        parser.add_argument(f'--{name}-port', type=_port, default=port, metavar='PORT',
                            help=f'port of the {name} API ({port}); 0 takes a free one')
    parser.add_argument('--hypervisor', choices=['auto', 'libvirt', 'memory'], default='auto',
                        help='where servers run: under a private libvirt, or nowhere (memory: they are only '
                             'remembered). auto: libvirt if it can start')
    parser.add_argument('--backend', choices=['file', 'lvm', 'memory'], default='file',
                        help='where volumes are kept: sparse files; logical volumes reached by iSCSI (lvm: needs '
                             'root, and a volume group named in volsvc.conf in the state folder); nowhere (memory)')
    parser.add_argument('--hosts', type=_hosts, metavar='N',
                        help=f'how many hosts servers run on, 1 to {MOST}, each with a hypervisor of its own (as many '
                             'as at the last start, or 1): with two, a server can move from one to the other')
    parser.add_argument('--concurrency', choices=['eventlet', 'threads'], default='eventlet',
                        help='green or native threads')
    parser.add_argument('--only', type=_parts, default=PARTS, metavar='PART[,PART]',
                        help='run these parts only, for services that run as processes of their own: '
                             'identity,image. clouds.yaml then holds their users too')
    return parser.parse_args(arguments)


def _port(text) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is no port number')
    return int(text)


def _hosts(text) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f'{text!r} is no number from 1 to {MOST}')
    return int(text)


def _parts(text) -> tuple:
    parts = tuple(text.split(','))
    if set(parts) not in ({'identity', 'image'}, set(PARTS)):
        raise argparse.ArgumentTypeError(f'only identity,image can run without the others, not {text!r}')
    return parts
