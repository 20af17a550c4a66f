"""What each party says of a volume's size, and how far an operation is.

The services are asked by openstacksdk as the member, so nothing here is seen that
a user of the cloud could not see; the host's file and libvirt are asked directly.
"""
import datetime
import functools
import pathlib

from onebox import hosts

GIB = 1024 ** 3
TIMEOUT = 20        # seconds for an answer
LIVE = ('running', 'undoing')
SERVICES = {'volume': 'volume service', 'compute': 'compute service'}


class Cloud:
    """A running onebox with its state in `folder`."""

    def __init__(self, folder: pathlib.Path):
        import openstack
        from openstack import config
        self._folder = folder
        region = config.OpenStackConfig(config_files=[str(folder / 'clouds.yaml')], secure_files=[],
                                        vendor_files=[], load_envvars=False).get_one('onebox')
        self._cloud = openstack.connection.Connection(config=region)

    def image_is_active(self, name) -> bool:
        return any(image['status'] == 'active' for image in self._get('image', f'/images?name={name}')['images'])

    def host_is_up(self) -> bool:
        """As far as a user can tell: the zone has a place for servers."""
        zones = self._get('compute', '/os-availability-zone')['availabilityZoneInfo']
        return any(zone['zoneState']['available'] for zone in zones)

    def server(self, name) -> str:
        """Its id."""
        return self._get('compute', f'/servers?name=^{name}$')['servers'][0]['id']

    def status(self, kind, id) -> str:
        return self._show(kind, id)['status']

    def complaint(self, kind, id) -> str:
        """Why it is in error."""
        if kind == 'server':
            return self._show(kind, id).get('fault', {}).get('message', 'no reason given')
        messages = self._get('volume', f'/messages?resource_uuid={id}').get('messages', [])
        return messages[0]['user_message'] if messages else 'no reason given'

    def volume_size(self, volume_id) -> int:
        return self._show('volume', volume_id)['size'] * GIB

    def file_size(self, volume_id) -> int:
        found, = (self._folder / 'volumes').glob(f'*{volume_id}*')
        return found.stat().st_size

    def disk_size(self, server_id, volume_id) -> int:
        """The disk that libvirt shows to the guest."""
        return self.hosts[hosts.FIRST].disk_size(server_id, volume_id)

    def power(self, server_id) -> dict[str, str]:
        """What each host's libvirt says of the server: 'running', 'shutdown', 'absent' …"""
        return {name: host.power_state(server_id) for name, host in self.hosts.items()}

    @functools.cached_property
    def hosts(self) -> dict:
        """The hypervisor of each host, asked directly."""
        from computesvc.host.libvirt import Libvirt
        from onebox.libvirtd import Libvirtd
        return {host.name: Libvirt(Libvirtd(host.folder).uri, str(host.servers))
                for host in hosts.known(self._folder)}

    def console(self, server_id) -> str:
        return self._cloud.compute.post(f'/servers/{server_id}/action',
                                        json={'os-getConsoleOutput': {}}, timeout=TIMEOUT).json()['output']

    def guest_size(self, server_id, volume_id) -> int | None:
        """What the guest printed last about the volume's disk; None if it has none."""
        from onebox import guest
        return guest.size_seen(self.console(server_id), volume_id)

    def operations(self, volume_id, server_id) -> list[tuple[str, dict]]:
        """[(service, operation)] that grew the volume, children after their parents, in the order of their start."""
        volume = self._get('volume', f'/operations?volume_id={volume_id}')['operations']
        path = f'/servers/{server_id}/operations'
        compute = [self._get('compute', f'{path}/{operation["id"]}')['operation']
                   for operation in self._get('compute', path)['operations'] if operation['name'] == 'extend-volume']
        found = [(service, operation) for service, operations in (('volume', volume), ('compute', compute))
                 for top in operations for operation in _with_children(top)
                 if operation['name'] in ('extend-volume', 'tell-server')]
        return sorted(found, key=lambda pair: seconds(pair[1]['created_at']))

    def last_operation(self, server_id, name) -> dict | None:
        """The latest of that name that the compute service did for the server."""
        path = f'/servers/{server_id}/operations'
        found = [one for one in self._get('compute', path)['operations'] if one['name'] == name]
        latest = max(found, key=lambda one: seconds(one['created_at']), default=None)
        return latest and self._get('compute', f'{path}/{latest["id"]}')['operation']

    def server_now(self, server_id) -> tuple[str, str]:
        """Its status and what is being done with it, '' if nothing."""
        server = self._show('server', server_id)
        return server['status'], server['OS-EXT-STS:task_state'] or ''

    def flavor(self, server_id) -> str:
        """The name of the server's flavor."""
        flavor = self._show('server', server_id)['flavor']
        return flavor.get('original_name') or self._get('compute', f'/flavors/{flavor["id"]}')['flavor']['name']

    def users(self, volume_id) -> list[str]:
        """The servers that the volume service has the volume attached to, one for each attachment."""
        return [one['server_id'] for one in self._show('volume', volume_id)['attachments']]

    def _show(self, kind, id) -> dict:
        service, path = ('volume', 'volumes') if kind == 'volume' else ('compute', 'servers')
        return self._get(service, f'/{path}/{id}')[kind]

    def _get(self, service, path) -> dict:
        adapter = {'volume': self._cloud.block_storage, 'compute': self._cloud.compute,
                   'image': self._cloud.image}[service]
        response = adapter.get(path, timeout=TIMEOUT)
        response.raise_for_status()
        return response.json()


def ended(operations) -> bool:
    """Both services know the end: the growth, and the telling of each server."""
    names = {(service, operation['name']) for service, operation in operations}
    complete = {('volume', 'extend-volume'), ('volume', 'tell-server'), ('compute', 'extend-volume')} <= names
    return complete and not any(operation['state'] in LIVE for _, operation in operations)


def failure(operations) -> str | None:
    """What went wrong, if anything did."""
    for service, operation in operations:
        if operation['state'] not in (*LIVE, 'done'):
            return f'{operation["name"]} of the {SERVICES[service]} is {operation["state"]}: {operation["error"]}'
    return None


def where(operations) -> str:
    """The step that is under way."""
    for service, operation in reversed(operations):
        for step in operation['steps']:
            if operation['state'] in LIVE and step['state'] != 'done':
                return f'{SERVICES[service]}: {operation["name"]}, {step["name"]}'
    return ''


def bars(operations) -> list[tuple[str, float, float]]:
    """(label, seconds since the first operation's start, seconds it took) of each step."""
    if not operations:
        return []
    zero = min(seconds(operation['created_at']) for _, operation in operations)
    rows = []
    for service, operation in operations:
        for step in operation['steps']:
            if step['finished_at'] is not None:
                end = seconds(step['finished_at']) - zero
                label = f'{SERVICES[service]:15}  {operation["name"]:13}  {step["name"]}'
                rows.append((label, max(end - step['seconds'], 0), step['seconds']))
    return rows


def seconds(moment) -> float:
    """Since the epoch, of a number or of a time as the APIs write it."""
    if isinstance(moment, (int, float)):
        return moment
    parsed = datetime.datetime.fromisoformat(moment.removesuffix('Z'))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)).timestamp()


def _with_children(operation):
    yield operation
    for child in operation.get('children', []):
        yield from _with_children(child)
