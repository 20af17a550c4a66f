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


def with_flavor(disks: list[dict], old: dict, new: dict, taken) -> list[dict]:
    """What a server's disks are to be with another flavor: 'disk' and 'ephemeral' in GiB, 'swap' in MiB.

    The root and the last ephemeral disk grow to what the flavor has, and none gets smaller.  Swap becomes what the
    flavor has, or goes.  A first ephemeral disk or swap gets a device that is not in `taken`.  Where the two flavors
    are the same the disks are too, also those that their user wanted smaller.
    """
    ephemeral_gb, swap_mb = (int(new.get(name) or 0) for name in ('ephemeral', 'swap'))
    taken = {*taken, *(disk['device'] for disk in disks)}
    kept = [_without_path(disk) for disk in disks]
    root, others, swaps = ([disk for disk in kept if disk['name'].startswith(name)]
                           for name in ('root', 'ephemeral', 'swap'))
    for disk in root:
        disk['size'] = max(disk['size'], int(new.get('disk') or 0) * GIB)
    if ephemeral_gb != int(old.get('ephemeral') or 0):
        others = _ephemerals(others, ephemeral_gb * GIB, taken)
    if swap_mb != int(old.get('swap') or 0):
        swaps = _swaps(swaps, swap_mb * MIB, taken)
    return root + others + swaps


def _without_path(disk):
    return {key: value for key, value in disk.items() if key != 'path'}


def _ephemerals(there, size, taken):
    if not there:
        return [ephemeral(0, _free(taken), size)] if size else []
    *others, last = there
    return [*others, last | {'size': max(last['size'], size - sum(disk['size'] for disk in others))}]


def _swaps(there, size, taken):
    return [swap(there[0]['device'] if there else _free(taken), size)] if size else []


def _free(taken):
    device = attachments.free_device(taken)
    taken.add(device)
    return device
