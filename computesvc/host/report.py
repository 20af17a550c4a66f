"""What an agent tells the conductor of its host, and what it compares there."""
import logging

from computesvc.host import base

LOG = logging.getLogger(__name__)


def heartbeat(tools) -> dict:
    """Arguments of the desk's report()."""
    return {'host': tools.host, 'capabilities': {'hostname': tools.host, **tools.hypervisor.capabilities()},
            'states': tools.hypervisor.servers()}


def behind(tools, devices: list[dict]) -> list[str]:
    """Ids of those attachments whose device or whose guest's disk is smaller than the volume."""
    return [device['id'] for device in devices if device['bytes'] and _is_behind(tools, device)]


def _is_behind(tools, device) -> bool:
    try:
        # 0: a protocol without devices, of which only the guest's disk can be asked
        if 0 < tools.size(device['connection']) < device['bytes']:
            return True
        if tools.hypervisor.power_state(device['server_id']) not in (base.RUNNING, base.PAUSED):
            return False
        return tools.hypervisor.disk_size(device['server_id'], device['volume_id']) < device['bytes']
    except base.DiskNotFound:
        return False
    except Exception as e:
        LOG.warning('The size of volume %s of server %s cannot be read: %s', device['volume_id'],
                    device['server_id'], e)
        return False
