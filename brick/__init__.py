"""What a host does with a volume: connect it, disconnect it, and see it grow.

    connector = brick.connector_for('local')
    device = connector.connect(data)            # {'path': '/…', 'type': 'file'}
    connector.grow(data, 2 * 1024 ** 3)         # bytes that the device now has

A protocol is one module in brick/connectors and one line in `CONNECTORS` there. Nothing here knows servers,
databases or messages.
"""

from brick.connectors import CONNECTORS, connector_for
from brick.errors import BrickError, DeviceNotFound, DeviceTooSmall, UnknownProtocol
from brick.extend import extend_volume

__all__ = ['CONNECTORS', 'BrickError', 'DeviceNotFound', 'DeviceTooSmall', 'UnknownProtocol', 'connector_for',
           'extend_volume']
