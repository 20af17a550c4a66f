"""The grammar of every name that goes into a path, a command or a kernel interface.

Each function returns the name, in the form used here, or raises BadConnection with a sentence. Nothing that has
passed one contains a slash, white space, a control character or a leading dash.
"""

import ipaddress
import re

from brick.errors import BadConnection

_DEVICE = re.compile(r'[a-z][a-z0-9]{0,30}(-[0-9]{1,6})?')
_WWID = re.compile(r'[0-9A-Za-z][0-9A-Za-z._:+@#=-]{0,127}')
_WWN = re.compile(r'[0-9a-f]{16}')
# RFC 3720 3.2.6.3 and RFC 3980; some targets use capitals and '_' in what follows the naming authority.
_IQN = re.compile(r'iqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[A-Za-z0-9][A-Za-z0-9._:-]*'
                  r'|eui\.[0-9A-Fa-f]{16}|naa\.([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})')
_HOST = re.compile(r'[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*')
_HCTL = re.compile(r'[0-9]{1,6}(:[0-9]{1,20}){3}')
_BELOW_DEV = re.compile(r'/dev/(mapper/|disk/by-(id|path)/)?([0-9A-Za-z][0-9A-Za-z._:+@#=-]{0,254})')
_OPTIONS = re.compile(r'[a-z][0-9A-Za-z_.:=,-]*')
_FOLDER = re.compile(r'(/[0-9A-Za-z._@+-]+)+/?')
_DIGITS = re.compile(r'[0-9]{1,20}')
_PRINTABLE = re.compile(r'[!-~]([ -~]{0,253}[!-~])?')


def device(name):
    """A block device as the kernel calls it: 'sda', 'dm-3', 'nvme0n1'."""
    return _checked(_DEVICE, name, 'the name of a block device')


def wwid(name):
    """What udev and multipathd call a disk: '36001405…', or the text of a T10 identifier."""
    return _checked(_WWID, name, 'the WWID of a disk')


def dm_map(name):
    """The name of a device mapper's map: a WWID, 'mpatha', 'crypt-…'."""
    return _checked(_WWID, name, 'the name of a map')


def map_or_path(name):
    """What `multipath -f` takes: a map's name or its device."""
    return device_path(name) if isinstance(name, str) and name.startswith('/') else dm_map(name)


def device_path(name):
    """A block device below /dev: '/dev/sda', '/dev/mapper/…', '/dev/disk/by-id/…', '/dev/disk/by-path/…'."""
    return _checked(_BELOW_DEV, name, 'the path of a block device')


def hctl(name):
    """host:channel:target:lun of a SCSI device."""
    return _checked(_HCTL, name, 'a SCSI address')


def wwn(name):
    """A Fibre Channel port or node as 16 lower-case hexadecimal digits; '0x' and colons may be there."""
    plain = name.lower().removeprefix('0x').replace(':', '') if isinstance(name, str) else name
    return _checked(_WWN, plain, 'a Fibre Channel name', name)


def iqn(name):
    """The name of an iSCSI target or initiator (RFC 3720 3.2.6.3: at most 223 bytes)."""
    if isinstance(name, str) and len(name) > 223:
        raise BadConnection(f'{name[:40]!r}… is longer than an iSCSI name may be.')
    return _checked(_IQN, name, 'an iSCSI name')


def portal(name):
    """'address:port' of an iSCSI portal; an IPv6 address is in brackets."""
    host, port = split_portal(name)
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


def split_portal(name):
    """(address without brackets, port) of a portal."""
    host, _, port = name.rpartition(':') if isinstance(name, str) else ('', '', '')
    bare = host[1:-1] if host.startswith('[') and host.endswith(']') else host
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536 and _is_host(bare, bare != host)):
        raise BadConnection(f'{name!r} is not the address:port of an iSCSI portal.')
    return bare, int(port)


def lun(number):
    """A LUN as an integer; digits will do."""
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 65536:
        raise BadConnection(f'{number!r} is not a LUN.')
    return number


def nfs_share(name):
    """'server:/folder'; an IPv6 address is in brackets."""
    host, _, path = name.partition(':/') if isinstance(name, str) else ('', '', '')
    bare = host[1:-1] if host.startswith('[') and host.endswith(']') else host
    if not _is_host(bare, bare != host):
        raise BadConnection(f'{name!r} is not the server:/folder of an NFS share.')
    folder(f'/{path}')
    return name


def folder(name):
    """An absolute path that leads nowhere but down."""
    if '..' in str(name).split('/'):
        raise BadConnection(f'{name!r} leads out of its folder.')
    return _checked(_FOLDER, name, 'the path of a folder')


def file_name(name):
    """A file right in its folder."""
    if not isinstance(name, str) or name in ('', '.', '..') or '/' in name or not name.isprintable():
        raise BadConnection(f'{name!r} is not the name of a file.')
    return name


def mount_options(words):
    """Options of mount.nfs: 'vers=4.2,soft'."""
    return _checked(_OPTIONS, words, 'a list of mount options')


def number(word):
    """Decimal digits, as in sysfs."""
    return _checked(_DIGITS, str(word), 'a number')


def chap(value, what):
    """A CHAP name or secret: printable ASCII, at most 255. The sentence never shows it."""
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise BadConnection(f'The {what} must be 1 to 255 printable characters.')
    return value


def _checked(grammar, name, kind, shown=None):
    if not isinstance(name, str) or not grammar.fullmatch(name):
        raise BadConnection(f'{(name if shown is None else shown)!r} is not {kind}.')
    return name


def _is_host(host, bracketed):
    try:
        return (ipaddress.ip_address(host).version == 6) == bracketed and '%' not in host
    except ValueError:
        return not bracketed and bool(_HOST.fullmatch(host))
