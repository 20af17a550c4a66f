"""Ceph's images. QEMU speaks to the cluster itself, so this host has no device and nothing to rescan.

Connection data, as Cinder's RBD driver has it: {'name': 'pool/image', 'hosts': [str], 'ports': [str],
'auth_enabled': bool, 'auth_username': str, 'secret_uuid': str, …}.
"""

from brick import errors
from brick.connectors.base import Connector


class RbdConnector(Connector):
    """See the module."""

    protocol = 'rbd'

    def connect(self, data):
        """What a domain's <disk type='network'> needs; the secret itself is libvirt's."""
        device = {'path': self._name(data), 'type': 'network', 'protocol': 'rbd', 'hosts': _hosts(data)}
        if data.get('auth_enabled'):
            if not (data.get('auth_username') and data.get('secret_uuid')):
                raise errors.BadConnection("The connection of an RBD volume lacks 'auth_username' or 'secret_uuid'.")
            device |= {'username': data['auth_username'], 'secret_uuid': data['secret_uuid']}
        return device

    def disconnect(self, data, device=None):
        """Nothing was connected."""

    def grow(self, data, size):
        """The hypervisor is told the size and reads it back; there is no other device."""
        self._name(data)
        return size

    def size(self, data):
        self._name(data)
        return 0

    def paths(self, data):
        self._name(data)
        return []

    def _name(self, data):
        name = data.get('name')
        if not isinstance(name, str) or name.count('/') not in (1, 2) or '' in name.split('/'):
            raise errors.BadConnection("The connection of an RBD volume has no 'name' of the form pool/image.")
        return name


def _hosts(data):
    hosts, ports = data.get('hosts') or [], data.get('ports') or []
    if len(ports) not in (0, len(hosts)):
        raise errors.BadConnection(f'The connection has {len(hosts)} hosts and {len(ports)} ports.')
    if not ports:
        return [{'name': host} for host in hosts]
    return [{'name': host, 'port': str(port)} for host, port in zip(hosts, ports, strict=True)]
