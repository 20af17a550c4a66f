"""One module per way that a volume reaches a host."""

from brick import errors
from brick.connectors.base import Path
from brick.connectors.local import LocalConnector
from brick.connectors.memory import MemoryConnector
from brick.connectors.nfs import NfsConnector
from brick.connectors.rbd import RbdConnector

__all__ = ['CONNECTORS', 'Path', 'connector_for']

CONNECTORS = {
    'local': LocalConnector,
    'memory': MemoryConnector,
    'nfs': NfsConnector,
    'rbd': RbdConnector,
}


def connector_for(protocol, root=None, **options):
    """Return the connector for a `driver_volume_type`.

    `root`: folder that stands for `/` when looking at /sys and /dev (tests); None is the machine's own.
    `options`: multipath, scan_attempts, mount_point_base (see Connector); a protocol may have no use for
    one.
    Raises UnknownProtocol, naming the known ones.
    """
    try:
        kind = CONNECTORS[protocol]
    except KeyError:
        known = ', '.join(sorted(CONNECTORS))
        raise errors.UnknownProtocol(
            f'This host cannot connect {protocol!r} volumes; it can connect: {known}.') from None
    return kind(root, **options)
