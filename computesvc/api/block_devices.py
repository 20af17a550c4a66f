"""The disks that a new server is asked to have, from either form of block device mapping, and where each goes.

Source for the rules: Nova's validation of block_device_mapping_v2.  A volume may be there already, or be made from
an image, a snapshot or nothing; a local disk is the root disk from the image, or blank within what the flavor gives.
"""
import dataclasses
import json
import re

from computesvc import errors
from computesvc.api import versions, volume_images
from computesvc.api.schemas.types import true
from computesvc.db import attachments
from computesvc.db.models import Attachment
from computesvc.volumes import GIB
from svckit.db import new_id

MIB = 1024 ** 2
ROOT = '/dev/vda'
FORMATS = (None, '', 'ext4', 'swap')        # of blank local disks


@dataclasses.dataclass
class Disk:
    """One entry, understood."""
    source: str                 # volume, image, snapshot or blank
    id: str | None
    local: bool
    boot_index: int | None
    size: int | None            # GiB; MiB of swap
    delete: bool
    device: str | None
    tag: str | None = None
    volume_type: str | None = None
    format: str | None = None   # of a blank local disk


def wanted(wish: dict) -> list[Disk]:
    """Raises BadRequest for what makes no sense by itself."""
    old, new = wish.get('block_device_mapping') or (), wish.get('block_device_mapping_v2') or ()
    if old and new:
        raise errors.BadRequest('Using different block_device_mapping syntaxes is not allowed in the same request.')
    disks = [_legacy(entry) for entry in old if entry.get('no_device') is None]
    disks += [_disk(entry) for entry in new if not entry.get('no_device')]
    ids = [disk.id for disk in disks if disk.source == 'volume']
    if len(set(ids)) != len(ids):
        raise _invalid('a volume is named twice.')
    return disks


def of_image(image: dict | None) -> list[Disk]:
    """The disks that an image names instead of having data: one of a server whose root is a volume."""
    if not image or not true(image.get(volume_images.VERSION, '')):
        return []
    try:
        entries = json.loads(image.get(volume_images.MAPPING) or '[]')
        return [_disk(entry) for entry in entries if isinstance(entry, dict) and not entry.get('no_device')]
    except (ValueError, TypeError, AttributeError) as e:
        raise _invalid(f"image {image['id']} names disks that make no sense.") from e


def with_image(disks: list[Disk], defined: list[Disk]) -> list[Disk]:
    """What is asked for beside an image that names disks itself: a root is taken from there."""
    if not any(disk.boot_index == 0 for disk in defined):
        return defined + disks
    return defined + [disk for disk in disks if disk.boot_index != 0 or disk.source != 'image']


def boot_image(image_id: str | None, disks: list[Disk]) -> str | None:
    """The image of a local root disk, None when a volume is the root; raises BadRequest without exactly one root.

    `image_id` is the image that the request names beside its disks.
    """
    indexes = sorted(disk.boot_index for disk in disks if disk.boot_index is not None)
    root = next((disk for disk in disks if disk.boot_index == 0), None)
    if root is None and image_id:
        indexes.insert(0, 0)
    if indexes and indexes != list(range(len(indexes))):
        raise _invalid('Boot sequence for the instance and image/block device mapping combination is not valid.')
    if root is not None and not root.local:
        return None
    chosen = image_id or (root.id if root else None)
    if not chosen:
        raise errors.BadRequest('Invalid imageRef provided: a server needs an image or a volume with boot_index 0.')
    if root is not None and root.id != chosen:
        raise _invalid('the root disk has another image than imageRef.')
    if not re.fullmatch(r'[0-9a-fA-F-]{32,36}', chosen):
        raise errors.BadRequest('Invalid imageRef provided.')
    if any(not disk.local and disk.device == ROOT for disk in disks):
        raise errors.BadRequest('The volume cannot be assigned the same device name as the root device vda')
    return chosen


def local_disks(disks: list[Disk], flavor) -> list[dict]:
    """The blank local disks: {'name', 'size' in bytes, 'format'}, as asked for within what `flavor` gives,
    or all of that if none are."""
    blanks = [disk for disk in disks if disk.local and disk.source == 'blank']
    swaps = [disk for disk in blanks if disk.format == 'swap']
    others = [disk.size or flavor.ephemeral_gb for disk in blanks if disk.format != 'swap']
    if sum(others) > flavor.ephemeral_gb:
        raise _invalid('Ephemeral disks requested are larger than the instance type allows. If no size is given in '
                       'one block device mapping, flavor ephemeral size will be used.')
    if len(swaps) > 1:
        raise _invalid('More than one swap drive requested.')
    if any((disk.size or 0) > flavor.swap_mb for disk in swaps):
        raise _invalid('Swap drive requested is larger than instance type allows.')
    sizes = others or ([flavor.ephemeral_gb] if flavor.ephemeral_gb else [])
    swap = (swaps[0].size or flavor.swap_mb) if swaps else flavor.swap_mb
    found = [{'name': f'ephemeral{place}', 'size': size * GIB, 'format': 'ext4'}
             for place, size in enumerate(sizes) if size]
    return found + ([{'name': 'swap', 'size': swap * MIB, 'format': 'swap'}] if swap else [])


def place(server_id: str, volumes: list[tuple[Disk, dict | None]], blanks: list[dict]):
    """([(attachment, its disk)], local disks with their devices): the root first, then blanks, then volumes.

    `volumes` have what the volume service says of each, None for one that is still to be made.
    """
    taken = {ROOT}
    placed = []
    for blank in blanks:
        placed.append({**blank, 'device': attachments.free_device(taken)})
        taken.add(placed[-1]['device'])
    rows = []
    for disk, volume in sorted(volumes, key=lambda pair: (pair[0].boot_index is None, pair[0].boot_index)):
        if disk.boot_index == 0:
            device = ROOT
        else:
            device = disk.device if disk.device not in {None, *taken} else attachments.free_device(taken)
        taken.add(device)
        rows.append((Attachment(
            id=new_id(), server_id=server_id, volume_id=volume and volume['id'], device=device, tag=disk.tag,
            boot_index=disk.boot_index, delete_on_termination=disk.delete, state='attaching',
            size=volume and int(volume['size']) * GIB), disk))
    return rows, placed


def checked(context, disk: Disk, version) -> dict | None:
    """The volume that a disk names, if it can be had; None for one still to be made.  Raises BadRequest."""
    if disk.source != 'volume':
        return None
    try:
        volume = context.service.volumes.show(context, disk.id)
    except errors.NotFound:
        raise _invalid(f'failed to get volume {disk.id}.') from None
    if volume.get('multiattach') and version < versions.MULTIATTACH:
        raise errors.BadRequest('Multiattach volumes are only supported starting with compute API version 2.60.')
    if volume['status'] != 'available' and not (volume['status'] == 'in-use' and volume.get('multiattach')):
        raise errors.BadRequest(f"Invalid volume: volume '{disk.id}' status must be 'available'. Currently in "
                                f"'{volume['status']}'")
    if disk.boot_index == 0 and not true(volume.get('bootable')):
        raise errors.BadRequest(f'Block Device {disk.id} is not bootable.')
    return volume


def made(context, disk: Disk) -> dict:
    """A volume made for a new server, in the user's name; the server waits for it.

    One from a snapshot is as large as the snapshot's volume was unless a size was asked for.
    """
    try:
        return context.service.volumes.create(
            context, disk.size, image_id=disk.id if disk.source == 'image' else None,
            snapshot_id=disk.id if disk.source == 'snapshot' else None, volume_type=disk.volume_type)
    except errors.NotFound:
        raise _invalid(f'failed to get snapshot {disk.id}.') from None


# ------------------------------------------------------------------ one entry

def _legacy(entry) -> Disk:
    """An entry of block_device_mapping: a volume, a snapshot, or a blank by its virtual name."""
    virtual = entry.get('virtual_name') or ''
    name = entry.get('device_name') or ''
    delete = entry.get('delete_on_termination', False)
    if virtual == 'swap' or re.fullmatch(r'ephemeral\d+', virtual):
        return _disk({'source_type': 'blank', 'destination_type': 'local', 'volume_size': entry.get('volume_size'),
                      'guest_format': 'swap' if virtual == 'swap' else None, 'delete_on_termination': True})
    kind = 'snapshot' if entry.get('snapshot_id') else 'volume'
    return _disk({'source_type': kind, 'destination_type': 'volume', 'uuid': entry.get(f'{kind}_id'),
                  'volume_size': entry.get('volume_size'), 'delete_on_termination': delete,
                  'device_name': name or None, 'boot_index': 0 if _device(name) == ROOT else None})


def _disk(entry) -> Disk:
    """An entry of block_device_mapping_v2."""
    kind = next((k for k in ('volume', 'image', 'snapshot') if entry.get(f'{k}_id')), entry.get('source_type'))
    if kind is None:
        raise _invalid('source_type is missing.')
    id = entry.get('uuid') or entry.get(f'{kind}_id')
    local = entry.get('destination_type', 'local' if kind in ('image', 'blank') else 'volume') == 'local'
    index = entry.get('boot_index')
    size, form = entry.get('volume_size'), entry.get('guest_format')
    disk = Disk(kind, id, local, None if index is None or int(index) < 0 else int(index), int(size) if size else None,
                true(entry.get('delete_on_termination', False)), _device(entry.get('device_name')), entry.get('tag'),
                entry.get('volume_type'), form or None)
    for wrong, why in _rules(disk, form):
        if wrong:
            raise _invalid(why)
    return disk


def _rules(disk: Disk, form):
    blank = disk.source == 'blank'
    yield not blank and not disk.id, 'Missing device UUID.'
    yield blank and disk.id, 'Invalid device UUID.'
    yield disk.local and disk.source in ('volume', 'snapshot'), 'a volume or snapshot has destination_type volume.'
    yield disk.local and disk.source == 'image' and disk.boot_index != 0, 'Mapping image to local is not supported.'
    yield disk.local and blank and disk.boot_index is not None, 'a blank local disk cannot be booted from.'
    yield disk.local and disk.volume_type, \
        'Specifying a volume_type with destination_type=local is not supported.'
    yield disk.source == 'volume' and disk.volume_type, \
        'Specifying volume type to existing volume is not supported.'
    yield not disk.local and disk.source in ('image', 'blank') and not disk.size, \
        f'a volume from {disk.source} needs a non-zero volume_size.'
    yield form not in FORMATS or (form and not (blank and disk.local)), \
        f'guest_format {form} is not supported here: a blank local disk is ext4 or swap.'


def _device(name) -> str | None:
    """The device that is named, None if it is none that a guest here can have: names are a wish."""
    name = name and '/dev/' + name.removeprefix('/dev/')
    return name if name and re.fullmatch(r'/dev/vd[a-z]{1,2}', name) else None


def _invalid(why: str) -> errors.BadRequest:
    return errors.BadRequest(f'Block Device Mapping is Invalid: {why}')
