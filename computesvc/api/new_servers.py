"""From what a user asks for to the rows of new servers: every check that can be made before anything is."""
import base64
import binascii
import contextlib
import dataclasses
import re
import secrets

from computesvc import errors
from computesvc.api import block_devices
from computesvc.api.schemas.types import true
from computesvc.db import flavors, hypervisors, keypairs, services
from computesvc.db.models import Attachment, Server
from computesvc.policies import servers as policies
from computesvc.volumes import GIB
from svckit import quota
from svckit.db import new_id

MOST = 50       # servers in one request


@dataclasses.dataclass
class Plan:
    """What is to be inserted, and where it has to run."""
    servers: list[tuple[Server, list[Attachment]]]
    to_make: list[tuple[Attachment, block_devices.Disk]]
    host: str | None = None
    node: str | None = None


def plan(context, wish: dict, version) -> Plan:
    """Raises BadRequest, Forbidden or NotFound with a sentence; nothing has changed anywhere."""
    count = _count(wish)
    flavor = _flavor(context, wish['flavorRef'])
    zone, host, node = _place(context, wish)
    networks = _networks(context, wish.get('networks', 'none'))
    _check_metadata(context, wish.get('metadata') or {})
    if wish.get('trusted_image_certificates'):
        raise errors.BadRequest('Signatures of images are not checked here: trusted_image_certificates must be null.')
    disks = block_devices.wanted(wish)
    image_id = block_devices.boot_image(wish.get('imageRef') or None, disks)
    image = context.service.images.show(context, image_id) if image_id else None
    if defined := block_devices.of_image(image):
        _check_active(image)
        disks = block_devices.with_image(disks, defined)
        if any(disk.boot_index == 0 and not disk.local for disk in defined):
            image_id = image = block_devices.boot_image(None, disks)        # None: a volume is the root
    _check_image(context, image, flavor)
    blanks = block_devices.local_disks(disks, flavor)
    volumes = [disk for disk in disks if not disk.local]
    if volumes:
        context.authorize(policies.ATTACH_VOLUME)
        if count > 1 and any(disk.source == 'volume' for disk in volumes):
            raise errors.BadRequest('A volume cannot be attached to several new servers.')
    found = [(disk, block_devices.checked(context, disk, version)) for disk in volumes]
    common = {
        'project_id': context.project_id, 'user_id': context.user_id, 'flavor': facts(flavor), 'flavor_id': flavor.id,
        'vcpus': flavor.vcpus, 'memory_mb': flavor.memory_mb, 'root_gb': flavor.disk_gb if image else 0,
        'ephemeral_gb': flavor.ephemeral_gb, 'swap_mb': flavor.swap_mb,
        'image_id': image_id, 'networks': networks, 'availability_zone': zone, 'task_state': 'scheduling',
        'reservation_id': f'r-{secrets.token_hex(4)}', 'meta': wish.get('metadata') or {},
        'tags': sorted(set(wish.get('tags') or ())), 'key_name': wish.get('key_name'),
        'user_data': _user_data(wish.get('user_data')), 'config_drive': true(wish.get('config_drive', False)),
        'access_ip_v4': wish.get('accessIPv4') or None, 'access_ip_v6': wish.get('accessIPv6') or None,
        'description': wish.get('description')}
    to_make = []
    return Plan([_server(wish, common, number, count, found, blanks, to_make) for number in range(count)],
                to_make, host, node)


@contextlib.contextmanager
def volumes_made(context, plan):
    """The volumes that are to be made for the servers are made, in the user's name; gone again if the body fails."""
    made = []
    try:
        for attachment, disk in plan.to_make:
            volume = block_devices.made(context, disk)
            made.append(volume['id'])
            attachment.volume_id, attachment.size = volume['id'], int(volume['size']) * GIB
        yield
    except Exception:
        for volume_id in made:
            context.service.volumes.discard(context, volume_id)
        raise


def _server(wish, common, number, count, volumes, blanks, to_make):
    suffix = f'-{number + 1}' if count > 1 else ''
    name = clean('name', wish['name']) + suffix
    server = Server(id=new_id(), name=name, launch_index=number, vm_state='building', power_state=0, locked=False,
                    hostname=wish['hostname'] + suffix if wish.get('hostname') else hostname(name),
                    root_device=block_devices.ROOT, **common)
    rows, server.local_disks = block_devices.place(server.id, volumes, blanks)
    to_make += [(attachment, disk) for attachment, disk in rows if attachment.volume_id is None]
    return server, [attachment for attachment, _ in rows]


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
    """(zone, host, node); administrators may write zone:host:node, and the zone is then the host's own.

    Raises BadRequest for a zone or host that nobody ever reported.
    """
    asked = wish.get('availability_zone') or ''
    zone, _, rest = asked.partition(':')
    host, _, node = rest.partition(':')
    if ':' in node:
        raise errors.BadRequest(f'Invalid availability_zone {asked}.')
    if rest:
        context.authorize(policies.FORCED_HOST)
    if wish.get('host') or wish.get('hypervisor_hostname'):
        context.authorize(policies.ON_HOST)
        if rest:
            raise errors.BadRequest('One mechanism with host and/or hypervisor_hostname and another mechanism with '
                                    'zone:host:node are mutually exclusive.')
        host, node = wish.get('host'), wish.get('hypervisor_hostname')
    _check_place(context, None if rest else zone, host, node)
    return (None if rest else zone) or None, host or None, node or None


def _check_place(context, zone, host, node):
    if not (zone or host or node):
        return
    with context.db.reader() as session:
        zones = {service.host: service.zone for service, _ in services.find(session, binary=services.AGENT)}
        nodes = {row.hostname for row in hypervisors.find(session)} if node else ()
    if zone and zone not in zones.values():
        raise errors.BadRequest('The requested availability zone is not available')
    if host and host not in zones:
        raise errors.BadRequest(f'Compute host {host} could not be found.')
    if node and node not in nodes:
        raise errors.BadRequest(f'Compute host {node} could not be found.')


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


def _check_metadata(context, metadata):
    if not metadata:
        return
    with context.db.reader() as session:
        most = quota.limits(session, context.project_id, context.service.quota_defaults)['metadata_items']
    if 0 <= most < len(metadata):
        raise errors.Forbidden('Maximum number of metadata items exceeds quota')


def _user_data(text) -> str | None:
    """Raises BadRequest unless it is base64, as it is handed to the guest."""
    try:
        base64.b64decode(''.join((text or '').split()), validate=True)      # some encoders break lines
    except (binascii.Error, ValueError):
        raise errors.BadRequest('user_data must be base64.') from None
    return text


def _check_active(image):
    if image.get('status') != 'active':
        raise errors.BadRequest(f"Image {image['id']} is not active.")


def _check_image(context, image, flavor):
    if image is None:
        return
    _check_active(image)
    if image.get('disk_format') not in ('raw', None):
        raise errors.BadRequest(f"Image {image['id']} has disk_format {image['disk_format']}; only raw can be booted "
                                'here.')
    if (image.get('min_ram') or 0) > flavor.memory_mb:
        raise errors.BadRequest("Flavor's memory is too small for requested image.")
    if not flavor.disk_gb:
        context.authorize(policies.ZERO_DISK)
    elif max((image.get('min_disk') or 0) * GIB, image.get('size') or 0) > flavor.disk_gb * GIB:
        raise errors.BadRequest("Flavor's disk is too small for requested image.")


def check_hints(hints: dict) -> None:
    """A group of servers would be a promise; other hints are passed over as by a scheduler without their filter."""
    if hints.get('group'):
        raise errors.BadRequest(f"Instance group {str(hints['group'])[:80]} could not be found.")


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
