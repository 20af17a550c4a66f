"""One module per way that a volume reaches a host."""

import importlib

from brick import errors
from brick.connectors.base import Path

__all__ = ['CONNECTORS', 'Path', 'connector_for']

# Module and class, imported when first asked for: a host without SCSI never loads what that needs.
CONNECTORS = {
    'fibre_channel': ('fibre_channel', 'FibreChannelConnector'),
    'iscsi': ('iscsi', 'IscsiConnector'),
    'local': ('local', 'LocalConnector'),
    'memory': ('memory', 'MemoryConnector'),
    'nfs': ('nfs', 'NfsConnector'),
    'rbd': ('rbd', 'RbdConnector'),
}


def connector_for(protocol, root=None, **options):
    """Return the connector for a `driver_volume_type`.

    `root`: folder that stands for `/` when looking at /sys and /dev (tests); None is the machine's own.
    `options`: multipath, scan_attempts, mount_point_base (see Connector); a protocol may have no use for one.
    Raises UnknownProtocol, naming the known ones.
    """
    try:
        module, kind = CONNECTORS[protocol]
    except KeyError:
        known = ', '.join(sorted(CONNECTORS))
        raise errors.UnknownProtocol(
            f'This host cannot connect {protocol!r} volumes; it can connect: {known}.') from None
    return getattr(importlib.import_module(f'brick.connectors.{module}'), kind)(root, **options)
