"""Servers as answers show them."""
import hashlib

from computesvc.api import versions
from computesvc.api.views import links
from computesvc.db import states
from computesvc.db.servers import stamp
from computesvc.policies import servers as policies

_PROGRESS = ('ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING')
_NOT_OF_UPDATE = ('OS-EXT-AZ:', 'OS-EXT-SRV-ATTR:', 'OS-EXT-STS:', 'OS-SRV-USG:', 'os-extended-volumes:')


def basic(req, server) -> dict:
    return {'id': server.id, 'name': server.name, 'links': links.to(req, 'servers', server.id)}


def created(req, server, groups, password) -> dict:
    return {'id': server.id, 'links': links.to(req, 'servers', server.id), 'OS-DCF:diskConfig': 'MANUAL',
            'security_groups': groups or [{'name': 'default'}], 'adminPass': password}


def full(req, server, attachments, zone, host_status, single=True) -> dict:
    """`zone` of its host; `host_status` UP, DOWN, MAINTENANCE or '' without a host."""
    context, version = req.context, req.version
    status = states.status(server)
    shown = {
        'id': server.id, 'name': server.name, 'status': status,
        'tenant_id': server.project_id, 'user_id': server.user_id or '',
        'metadata': server.meta or {}, 'hostId': host_id(server.host, server.project_id),
        'image': {'id': server.image_id, 'links': links.bookmark(req, 'images', server.image_id)}
        if server.image_id else '',
        'flavor': _flavor(req, server), 'addresses': {}, 'links': links.to(req, 'servers', server.id),
        'created': stamp(server.created_at), 'updated': stamp(server.updated_at or server.created_at),
        'accessIPv4': server.access_ip_v4 or '', 'accessIPv6': server.access_ip_v6 or '',
        'OS-DCF:diskConfig': 'MANUAL', 'OS-EXT-AZ:availability_zone': zone or server.availability_zone or '',
        'config_drive': 'True' if server.config_drive else '', 'key_name': server.key_name,
        'OS-SRV-USG:launched_at': moment(server.launched_at),
        'OS-SRV-USG:terminated_at': moment(server.terminated_at),
        'OS-EXT-STS:task_state': server.task_state, 'OS-EXT-STS:vm_state': server.vm_state,
        'OS-EXT-STS:power_state': server.power_state,
        'os-extended-volumes:volumes_attached': [_volume(a, version) for a in attachments if a.state != 'failed'],
    }
    if status in _PROGRESS:
        shown['progress'] = server.progress or 0
    if server.fault:                # also of one that is as it was, but was not resized as asked
        shown['fault'] = _fault(context, server.fault)
    _attributes(context, version, server, shown)
    _later(context, version, server, shown, host_status, single)
    return shown


def _attributes(context, version, server, shown):
    if context.can(policies.ATTRIBUTES, server):
        shown['OS-EXT-SRV-ATTR:host'] = server.host
        shown['OS-EXT-SRV-ATTR:instance_name'] = f'instance-{server.id[:8]}'
        shown['OS-EXT-SRV-ATTR:hypervisor_hostname'] = server.node
        if version >= versions.EXTENDED_ATTRIBUTES:
            shown |= {
                'OS-EXT-SRV-ATTR:hostname': server.hostname, 'OS-EXT-SRV-ATTR:kernel_id': '',
                'OS-EXT-SRV-ATTR:launch_index': server.launch_index, 'OS-EXT-SRV-ATTR:ramdisk_id': '',
                'OS-EXT-SRV-ATTR:reservation_id': server.reservation_id,
                'OS-EXT-SRV-ATTR:root_device_name': server.root_device, 'OS-EXT-SRV-ATTR:user_data': server.user_data}
    elif version >= versions.HOSTNAME:
        shown['OS-EXT-SRV-ATTR:hostname'] = server.hostname


def _later(context, version, server, shown, host_status, single):
    if version >= versions.LOCKED:
        shown['locked'] = server.locked
    if version >= versions.HOST_STATUS and context.can(policies.HOST_STATUS, server):
        shown['host_status'] = host_status
    if version >= versions.DESCRIPTION:
        shown['description'] = server.description
    if version >= versions.TAGS:
        shown['tags'] = server.tags or []
    if version >= versions.TRUSTED_CERTIFICATES:
        shown['trusted_image_certificates'] = None
    if version >= versions.SERVER_GROUPS and single:
        shown['server_groups'] = []
    if version >= versions.LOCKED_REASON:
        shown['locked_reason'] = server.locked_reason
    if version >= versions.PINNED_ZONE:
        shown['pinned_availability_zone'] = server.availability_zone


def of_update(shown: dict) -> dict:
    """What an answer to a change shows before 2.75, of a full view."""
    return {name: value for name, value in shown.items()
            if not name.startswith(_NOT_OF_UPDATE) and name not in ('config_drive', 'key_name', 'host_status')}


def _fault(context, fault: dict) -> dict:
    """Details are for administrators, unless the user can put it right."""
    shown = {name: fault[name] for name in ('code', 'created', 'message')}
    if fault.get('details') and (context.is_admin or fault['code'] != 500):
        shown['details'] = fault['details']
    return shown


def host_id(host: str | None, project_id: str) -> str:
    """Tells a project's servers on one host from those on another, and no more."""
    return hashlib.sha224(f'{project_id}{host}'.encode()).hexdigest() if host else ''


def moment(value) -> str | None:
    return value.isoformat(timespec='microseconds') if value else None


def _flavor(req, server):
    flavor = server.flavor
    if req.version < versions.FLAVOR_IN_SERVER:
        return {'id': flavor['id'], 'links': links.bookmark(req, 'flavors', flavor['id'])}
    shown = {'vcpus': flavor['vcpus'], 'ram': flavor['ram'], 'disk': flavor['disk'], 'ephemeral': flavor['ephemeral'],
             'swap': flavor['swap'], 'original_name': flavor['name']}
    if req.context.can(policies.EXTRA_SPECS, server):
        shown['extra_specs'] = flavor['extra_specs']
    return shown


def _volume(attachment, version):
    shown = {'id': attachment.volume_id}
    if version >= versions.EXTENDED_ATTRIBUTES:
        shown['delete_on_termination'] = attachment.delete_on_termination
    return shown
