"""Which disks a server has that are files of its host: with its flavor, and with another one.

A disk is {'name': 'root'|'ephemeral0'…|'swap', 'device': '/dev/vdb', 'size': bytes, 'format': 'ext4'|'swap'|None} and
'path', once it is made.  A server's row keeps the root apart from the others.
"""
from computesvc.db import attachments

GIB, MIB = 1 << 30, 1 << 20


def ephemeral(number: int, device: str, size: int, format: str | None = 'ext4') -> dict:
    return {'name': f'ephemeral{number}', 'device': device, 'size': size, 'format': format}


def swap(device: str, size: int) -> dict:
    return {'name': 'swap', 'device': device, 'size': size, 'format': 'swap'}


def all_of(root_disk: dict | None, local_disks: list | None, root_device: str = '/dev/vda') -> list[dict]:
    """All of a server's, the root first."""
    root = [{'name': 'root', 'device': root_device, 'format': None, **root_disk}] if root_disk else []
    return root + list(local_disks or ())


def with_flavor(disks: list[dict], flavor: dict, taken) -> list[dict]:
    """What a server's disks are to be with a flavor as servers remember it: 'disk', 'ephemeral' GiB, 'swap' MiB.

    The root and the last ephemeral disk grow to what the flavor has, and none gets smaller.  Swap becomes what the
    flavor has, or goes.  A first ephemeral disk or swap gets a device that is not in `taken`.
    """
    taken = {*taken, *(disk['device'] for disk in disks)}
    kept = [_plain(disk, flavor, disks) for disk in disks if disk['name'] != 'swap' or flavor.get('swap')]
    if flavor.get('ephemeral') and not _ephemerals(disks):
        kept.append(ephemeral(0, _free(taken), int(flavor['ephemeral']) * GIB))
    if flavor.get('swap') and not any(disk['name'] == 'swap' for disk in disks):
        kept.append(swap(_free(taken), int(flavor['swap']) * MIB))
    return kept


def _plain(disk, flavor, disks):
    disk = {key: value for key, value in disk.items() if key != 'path'}
    if disk['name'] == 'root':
        return disk | {'size': max(disk['size'], int(flavor.get('disk') or 0) * GIB)}
    if disk['name'] == 'swap':
        return disk | {'size': int(flavor['swap']) * MIB}
    *others, last = _ephemerals(disks)
    more = int(flavor.get('ephemeral') or 0) * GIB - sum(other['size'] for other in others)
    return disk | {'size': max(disk['size'], more if disk['name'] == last['name'] else 0)}


def _ephemerals(disks):
    return [disk for disk in disks if disk['name'].startswith('ephemeral')]


def _free(taken):
    device = attachments.free_device(taken)
    taken.add(device)
    return device
