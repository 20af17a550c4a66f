"""Fibre Channel: the fabric decides which ports see each other, so there is nothing to log in to, only to look for.

Connection data, as Cinder has it: target_wwn (one or a list) and target_lun, or target_wwns and target_luns;
initiator_target_map {port of this host: [port of the target]} where the zones are known.
"""

from brick import errors, names
from brick.connectors.initiator import InitiatorConnector, addressed, assembled
from brick.sysfs import RUNNING


class FibreChannelConnector(InitiatorConnector):
    """See the module."""

    protocol = 'fibre_channel'

    def disks(self, data, sysfs):
        mode = data.get('addressing_mode')
        return sysfs.fc_disks([(wwn, addressed(lun, mode)) for wwn, lun in targets(data)])

    def properties(self, data):
        found = targets(data)
        properties = {key: value for key, value in data.items() if key not in ('encrypted', 'target_wwn', 'target_lun')}
        properties |= {'target_wwns': [wwn for wwn, _ in found], 'target_luns': [lun for _, lun in found]}
        if zones := data.get('initiator_target_map'):
            properties['initiator_target_map'] = {names.wwn(ours): [names.wwn(wwn) for wwn in theirs]
                                                  for ours, theirs in zones.items()}
        return properties

    def label(self, data):
        wwn, lun = targets(data)[0]
        return f'LUN {lun} of {wwn}'

    def os_brick(self, data):
        from brick import initiators
        return initiators.FibreChannel(self.multipath, self.scan_attempts, self.label(data), self.root)

    def wants_map(self, data):
        return self.multipath

    def complete(self, data, device):
        """The fabric may offer more ways than are here, which the kernel finds by itself."""
        return assembled(device) if self.wants_map(data) else any(path.state == RUNNING for path in device.paths)


def targets(data):
    """[(WWPN as 16 hexadecimal digits, LUN)] of the connection, each checked. BadConnection."""
    wwns = data.get('target_wwns') or data.get('target_wwn')
    wwns = [wwns] if isinstance(wwns, str) else wwns
    luns = data.get('target_luns') or [data.get('target_lun')]
    if not wwns:
        raise errors.BadConnection("The connection of a Fibre Channel volume has no 'target_wwn'.")
    luns = luns * len(wwns) if len(luns) == 1 else luns
    if len(luns) != len(wwns):
        raise errors.BadConnection(f'The connection names {len(wwns)} ports and {len(luns)} LUNs.')
    return [(names.wwn(wwn), names.lun(lun)) for wwn, lun in zip(wwns, luns, strict=True)]
