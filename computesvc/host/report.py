"""What an agent tells the conductor of its host, and what it compares there."""
import brick
from computesvc.host import base
from computesvc.host.devices import lag

ROUNDING = 16 << 20     # bytes by which a backend may make a device larger than it was asked for


def heartbeat(tools, notices: list[str] | None) -> dict:
    """Arguments of the desk's report()."""
    capabilities = tools.hypervisor.capabilities()
    protocols = [protocol for protocol in capabilities['protocols'] if protocol in brick.CONNECTORS]
    capabilities |= {'protocols': protocols, 'boot_id': tools.hypervisor.boot_id()}
    return {'host': tools.host, 'capabilities': {'hostname': tools.host, **capabilities},
            'states': tools.hypervisor.servers(), 'notices': notices,
            'resume': tools.conf.agent.resume_guests_state_on_host_boot}


def compare(tools, devices: list[dict]) -> tuple[list[str], list[str]]:
    """Look at each device and each guest's disk, and change nothing.

    Returns the ids of those attachments that have to grow, and sentences for an operator on what is not as recorded.
    """
    grow, notices = [], []
    for device in devices:
        if not device['bytes']:
            continue
        try:
            behind, found = _compare(tools, device)
        except Exception as e:
            behind, found = False, [f'cannot be compared: {e}']
        grow += [device['id']] if behind else []
        notices += [f'Volume {device["volume_id"]} of server {device["server_id"]}: {text}' for text in found]
    return grow, notices


class Patience:
    """What still lags after it was made to grow is tried again in the next sweep, then after two, then four of them."""

    PASSED = (0, 1, 3)          # sweeps that are let pass after the first try, the second, and each later one

    def __init__(self):
        self._tried = {}        # attachment's id -> (tries, sweeps to let pass)

    def due(self, seen, behind) -> list[str]:
        """Those `behind` that are to be tried now; of all that were `seen`, the others are well again."""
        for id in set(seen) - set(behind):
            self._tried.pop(id, None)
        return [id for id in behind if self._is_due(id)]

    def _is_due(self, id):
        tries, passing = self._tried.get(id, (0, 0))
        self._tried[id] = (tries, passing - 1) if passing else (
            tries + 1, self.PASSED[min(tries, len(self.PASSED) - 1)])
        return not passing


def _compare(tools, device):
    wanted, connection = device['bytes'], device['connection']
    size = tools.devices.size(connection)       # 0: a protocol without devices, of which only the guest can be asked
    lagging = tools.devices.lagging(connection, size)
    behind = 0 < size < wanted or any(path.state == 'running' for path in lagging) or _guest_is_behind(tools, device)
    notices = [lag(path, portal=True) for path in lagging]
    if size > wanted + ROUNDING:
        notices.append(f'its device has {size} bytes, more than the {wanted} on record. It is left as it is.')
    return behind, notices


def _guest_is_behind(tools, device) -> bool:
    if tools.hypervisor.power_state(device['server_id']) not in (base.RUNNING, base.PAUSED):
        return False
    try:
        return tools.hypervisor.disk_size(device['server_id'], device['volume_id']) < device['bytes']
    except base.DiskNotFound:
        return False
