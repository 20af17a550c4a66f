"""iSCSI: sessions with a target's portals, one disk for each, and a multipath map over them.

Connection data, as Cinder has it: target_portal, target_iqn, target_lun, or lists of them as target_portals,
target_iqns, target_luns; auth_method 'CHAP', auth_username, auth_password.
"""

from brick import errors, names
from brick.connectors.initiator import InitiatorConnector, addressed, assembled
from brick.sysfs import RUNNING, Sysfs

_CHAP = 'auth_username', 'auth_password'
_NOT_FOR_OS_BRICK = ('auth_password', 'encrypted', 'discovery_auth_method', 'discovery_auth_username',
                     'discovery_auth_password', 'target_portals', 'target_iqns', 'target_luns')


class IscsiConnector(InitiatorConnector):
    """See the module."""

    protocol = 'iscsi'

    def disks(self, data, sysfs):
        mode = data.get('addressing_mode')
        return sysfs.iscsi_disks([(portal, iqn, addressed(lun, mode)) for portal, iqn, lun in targets(data)])

    def properties(self, data):
        """All targets are named, so os-brick never asks a portal which there are (it cannot do so by CHAP here)."""
        found = targets(data)
        portal, iqn, lun = found[0]
        properties = {key: value for key, value in data.items() if key not in _NOT_FOR_OS_BRICK}
        properties |= {'target_portal': portal, 'target_iqn': iqn, 'target_lun': lun,
                       'target_portals': [portal for portal, _, _ in found],
                       'target_iqns': [iqn for _, iqn, _ in found], 'target_luns': [lun for _, _, lun in found]}
        return properties | ({'auth_password': 'not for os-brick'} if _chap(data) else {})

    def label(self, data):
        _, iqn, lun = targets(data)[0]
        return f'LUN {lun} of {iqn}'

    def os_brick(self, data):
        from brick import initiators
        return initiators.Iscsi(self.wants_map(data), self.scan_attempts, self.label(data), _chap(data))

    def wants_map(self, data):
        return self.multipath and len(targets(data)) > 1

    def complete(self, data, device):
        sysfs = Sysfs(self.root)
        here = {sysfs.portal(path.name) for path in device.paths if path.state == RUNNING}
        wanted = {portal for portal, _, _ in targets(data)}
        return wanted <= here and assembled(device) if self.wants_map(data) else bool(here & wanted)


def targets(data):
    """[(portal, IQN, LUN)] of the connection, each checked. BadConnection."""
    if data.get('target_portals'):
        portals, iqns = data['target_portals'], data.get('target_iqns') or [data.get('target_iqn')]
        luns = data.get('target_luns') or [data.get('target_lun')]
    else:
        portals, iqns, luns = [data.get('target_portal')], [data.get('target_iqn')], [data.get('target_lun')]
    iqns, luns = (values * len(portals) if len(values) == 1 else values for values in (iqns, luns))
    if not len(portals) == len(iqns) == len(luns):
        raise errors.BadConnection(f'The connection names {len(portals)} portals, {len(iqns)} targets and '
                                   f'{len(luns)} LUNs.')
    return [(names.portal(portal), names.iqn(iqn), names.lun(lun))
            for portal, iqn, lun in zip(portals, iqns, luns, strict=True)]


def _chap(data):
    """(name, secret) or None."""
    if not data.get('auth_method'):
        return None
    if data['auth_method'] != 'CHAP':
        raise errors.BadConnection(f'{data["auth_method"]!r} is no way to authenticate that is known here.')
    return tuple(names.chap(data.get(key), key.replace('auth_', 'CHAP ')) for key in _CHAP)
