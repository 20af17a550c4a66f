"""os-brick's way to grow a device, for programs written against it."""

from brick import errors
from brick.connectors import connector_for


def extend_volume(connection_properties, protocol='local', root=None):
    """Return the bytes that the volume's device has now, or None if it has no device here.

    The signature of os-brick's InitiatorConnector.extend_volume (one argument: the connection's data); as there, no
    size is wanted, so a stale one is not noticed. Prefer `connector_for(…).grow(data, size)`.
    """
    connector = connector_for(protocol, root)
    try:
        return connector.grow(connection_properties, 0)
    except errors.DeviceNotFound:
        return None
