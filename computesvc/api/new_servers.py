"""From what a user asks for to the rows of new servers: every check that can be made before anything is."""
import contextlib
import dataclasses
import re
import secrets

from computesvc import errors
from computesvc.api.schemas.types import true
from computesvc.db import attachments, flavors, keypairs
from computesvc.db.models import Attachment, Server
from computesvc.policies import servers as policies
from computesvc.volumes import GIB
from svckit.db import new_id

MOST = 50       # servers in one request


@dataclasses.dataclass
class Plan:
    """What is to be inserted, and where it has to run."""
    servers: list[tuple[Server, list[Attachment]]]
    to_make: list[tuple[Attachment, 'Disk']]
    host: str | None = None
    node: str | None = None


@dataclasses.dataclass
class Disk:
    """One entry of block_device_mapping_v2, understood."""
    source: str
    id: str | None
    local: bool
    boot_index: int | None
    size_gb: int | None
    delete: bool
    device: str | None
    tag: str | None
    volume_type: str | None


def plan(context, wish: dict, version) -> Plan:
    """Raises BadRequest, Forbidden or NotFound with a sentence; nothing has changed anywhere."""
    count = _count(wish)
    flavor = _flavor(context, wish['flavorRef'])
    zone, host, node = _place(context, wish)
    networks = _networks(context, wish.get('networks', 'none'))
    disks = [*map(_legacy, wish.get('block_device_mapping', ())), *map(_disk, wish.get('block_device_mapping_v2', ()))]
    image_id = _boot(wish.get('imageRef') or None, disks)
    image = context.service.images.show(context, image_id) if image_id else None
    _check_image(image, flavor)
    volumes = [disk for disk in disks if not disk.local]
    if volumes:
        context.authorize(policies.ATTACH_VOLUME)
        if count > 1 and any(disk.source == 'volume' for disk in volumes):
            raise errors.BadRequest('A volume cannot be attached to several new servers.')
    ids = [disk.id for disk in volumes if disk.source == 'volume']
    if len(set(ids)) != len(ids):
        raise errors.BadRequest('Block Device Mapping is Invalid: a volume is named twice.')
    found = [_checked(context, disk) for disk in volumes]
    common = {
        'project_id': context.project_id, 'user_id': context.user_id, 'flavor': facts(flavor), 'flavor_id': flavor.id,
        'vcpus': flavor.vcpus, 'memory_mb': flavor.memory_mb, 'root_gb': flavor.disk_gb if image else 0,
        'image_id': image_id, 'networks': networks, 'availability_zone': zone, 'task_state': 'scheduling',
        'reservation_id': f'r-{secrets.token_hex(4)}', 'meta': wish.get('metadata') or {},
        'tags': sorted(set(wish.get('tags') or ())), 'key_name': wish.get('key_name'),
        'user_data': wish.get('user_data'), 'config_drive': true(wish.get('config_drive', False)),
        'access_ip_v4': wish.get('accessIPv4') or None, 'access_ip_v6': wish.get('accessIPv6') or None,
        'description': wish.get('description')}
    pairs = list(zip(volumes, found, strict=True))
    to_make = []
    return Plan([_server(wish, common, number, count, pairs, image, to_make) for number in range(count)],
                to_make, host, node)


@contextlib.contextmanager
def volumes_made(context, plan):
    """The volumes that are to be made for the servers are made, in the user's name; gone again if the body fails."""
    made = []
    try:
        for attachment, disk in plan.to_make:
            volume = _made(context, disk)
            made.append(volume['id'])
            attachment.volume_id, attachment.size = volume['id'], int(volume['size']) * GIB
        yield
    except Exception:
        for volume_id in made:
            context.service.volumes.discard(context, volume_id)
        raise


def _server(wish, common, number, count, volumes, image, to_make):
    name = clean('name', wish['name']) + (f'-{number + 1}' if count > 1 else '')
    server = Server(id=new_id(), name=name, launch_index=number, vm_state='building', power_state=0, locked=False,
                    hostname=wish.get('hostname') or hostname(name), root_device='/dev/vda', **common)
    taken = {'/dev/vda'} if image else set()
    rows = []
    for disk, volume in sorted(volumes, key=lambda pair: (pair[0].boot_index is None, pair[0].boot_index)):
        device = disk.device if disk.device and disk.device not in taken else attachments.free_device(taken)
        taken.add(device)
        rows.append(Attachment(
            id=new_id(), server_id=server.id, volume_id=volume and volume['id'], device=device, tag=disk.tag,
            boot_index=disk.boot_index, delete_on_termination=disk.delete, state='attaching',
            size=volume and int(volume['size']) * GIB))
        if volume is None:
            to_make.append((rows[-1], disk))
    return server, rows


# ------------------------------------------------------------------ the parts of a wish

def _count(wish) -> int:
    least = int(wish.get('min_count') or 1)
    most = int(wish.get('max_count') or least)
    if least > most:
        raise errors.BadRequest('min_count must be <= max_count')
    if most > MOST:
        raise errors.BadRequest(f'At most {MOST} servers can be created by one request.')
    return most


def _flavor(context, ref):
    try:
        return flavors.get(context, str(ref).rstrip('/').rsplit('/', 1)[-1])
    except errors.NotFound as e:
        raise errors.BadRequest(str(e)) from None


def _place(context, wish):
    """(zone, host, node); administrators may write zone:host:node."""
    zone, _, rest = (wish.get('availability_zone') or '').partition(':')
    host, _, node = rest.partition(':')
    if rest:
        context.authorize(policies.FORCED_HOST)
    if wish.get('host') or wish.get('hypervisor_hostname'):
        context.authorize(policies.ON_HOST)
        host, node = wish.get('host') or host, wish.get('hypervisor_hostname') or node
    return zone or None, host or None, node or None


def _networks(context, wanted) -> str:
    if wanted in ('none', 'auto'):
        chosen = wanted
    elif wanted:
        raise errors.BadRequest('There is no network service here: networks can be "none" or "auto".')
    else:
        chosen = 'auto'
    if chosen == 'auto':
        context.authorize(policies.ATTACH_NETWORK)
    return chosen


def _legacy(entry) -> Disk:
    kind = 'volume' if entry.get('volume_id') else 'snapshot' if entry.get('snapshot_id') else 'blank'
    name = entry.get('device_name') or ''
    return _disk({'source_type': kind, 'destination_type': 'volume',
                  'uuid': entry.get('volume_id') or entry.get('snapshot_id'), 'volume_size': entry.get('volume_size'),
                  'delete_on_termination': entry.get('delete_on_termination', False), 'device_name': name or None,
                  'boot_index': 0 if name.rstrip('0123456789') in ('vda', '/dev/vda') else None})


def _disk(entry) -> Disk:
    kind = next((k for k in ('volume', 'image', 'snapshot') if entry.get(f'{k}_id')), entry.get('source_type'))
    if kind is None:
        raise errors.BadRequest('Block Device Mapping is Invalid: source_type is missing.')
    id = entry.get('uuid') or entry.get(f'{kind}_id')
    local = entry.get('destination_type', 'local' if kind in ('image', 'blank') else 'volume') == 'local'
    index = entry.get('boot_index')
    index = None if index is None or int(index) < 0 else int(index)
    if kind != 'blank' and not id:
        raise errors.BadRequest('Block Device Mapping is Invalid: Missing device UUID.')
    if local and kind in ('volume', 'snapshot'):
        raise errors.BadRequest('Block Device Mapping is Invalid: a volume or snapshot has destination_type volume.')
    if local and (kind == 'blank' or index != 0):
        raise errors.BadRequest('Block Device Mapping is Invalid: the only local disk here is the root disk.')
    size = entry.get('volume_size')
    if not local and kind in ('image', 'blank') and not size:
        raise errors.BadRequest(f'Block Device Mapping is Invalid: {kind} needs a volume_size.')
    if entry.get('guest_format') not in (None, ''):
        raise errors.BadRequest('Block Device Mapping is Invalid: guest_format is not supported here.')
    return Disk(kind, id, local, index, int(size) if size else None, true(entry.get('delete_on_termination', False)),
                _device(entry.get('device_name')), entry.get('tag'), entry.get('volume_type'))


def _device(name) -> str | None:
    name = name and '/dev/' + name.removeprefix('/dev/')
    return name if name and re.fullmatch(r'/dev/vd[a-z]{1,2}', name) else None


def _boot(image_id, disks) -> str | None:
    """The image of a local root disk, None when a volume is the root; raises BadRequest without exactly one root."""
    roots = [disk for disk in disks if disk.boot_index == 0]
    if len(roots) > 1:
        raise errors.BadRequest('Block Device Mapping is Invalid: Boot sequence for the instance and image/block '
                                'device mapping combination is not valid.')
    if roots and roots[0].local:
        if image_id and image_id != roots[0].id:
            raise errors.BadRequest('Block Device Mapping is Invalid: the root disk has another image than imageRef.')
        return roots[0].id
    if roots:
        return None
    if not image_id:
        raise errors.BadRequest('Invalid imageRef provided: a server needs an image or a volume with boot_index 0.')
    if not re.fullmatch(r'[0-9a-fA-F-]{32,36}', image_id):
        raise errors.BadRequest('Invalid imageRef provided.')
    return image_id


def _check_image(image, flavor):
    if image is None:
        return
    if image.get('status') != 'active':
        raise errors.BadRequest(f"Image {image['id']} is not active.")
    if image.get('disk_format') not in ('raw', None):
        raise errors.BadRequest(f"Image {image['id']} has disk_format {image['disk_format']}; only raw can be booted "
                                'here.')
    if (image.get('min_ram') or 0) > flavor.memory_mb:
        raise errors.BadRequest("Flavor's memory is too small for requested image.")
    if flavor.disk_gb and max((image.get('min_disk') or 0) * GIB, image.get('size') or 0) > flavor.disk_gb * GIB:
        raise errors.BadRequest("Flavor's disk is too small for requested image.")


def _checked(context, disk):
    """The volume that a disk names, if it can be had; None for one still to be made."""
    if disk.source != 'volume':
        return None
    try:
        volume = context.service.volumes.show(context, disk.id)
    except errors.NotFound:
        raise errors.BadRequest(f'Block Device Mapping is Invalid: failed to get volume {disk.id}.') from None
    if volume['status'] != 'available' and not (volume['status'] == 'in-use' and volume.get('multiattach')):
        raise errors.BadRequest(f"Invalid volume: volume '{disk.id}' status must be 'available'. Currently in "
                                f"'{volume['status']}'")
    if disk.boot_index == 0 and not true(volume.get('bootable')):
        raise errors.BadRequest(f'Block Device {disk.id} is not bootable.')
    return volume


def _made(context, disk) -> dict:
    """A volume made for this server, in the user's name; the server waits for it."""
    return context.service.volumes.create(
        context, disk.size_gb, image_id=disk.id if disk.source == 'image' else None,
        snapshot_id=disk.id if disk.source == 'snapshot' else None, volume_type=disk.volume_type)


def check_key(context, name: str) -> None:
    try:
        with context.db.reader() as session:
            keypairs.get(session, context.user_id, name)
    except errors.NotFound:
        raise errors.BadRequest('Invalid key_name provided.') from None


def facts(flavor) -> dict:
    """The flavor as the server remembers it."""
    return {'id': flavor.id, 'name': flavor.name, 'vcpus': flavor.vcpus, 'ram': flavor.memory_mb,
            'disk': flavor.disk_gb, 'ephemeral': flavor.ephemeral_gb, 'swap': flavor.swap_mb,
            'extra_specs': flavor.extra_specs}


def hostname(name: str) -> str:
    """A server's name as a host name."""
    cleaned = re.sub(r'[^a-z0-9-]+', '', re.sub(r'[ _.]+', '-', name.lower())).strip('-')[:63]
    return cleaned or 'server'


def clean(name, value):
    return value.strip() if name == 'name' and value else value or None
