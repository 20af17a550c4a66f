"""What can go wrong with a device; str() is a sentence for an operator."""


class BrickError(Exception):
    """A device could not be connected, disconnected or grown."""


class UnknownProtocol(BrickError):
    """No connector speaks the protocol of the volume's connection."""


class BadConnection(BrickError):
    """The connection information lacks something that the protocol needs."""


class DeviceNotFound(BrickError):
    """The file or device that the connection names is not on this host."""


class DeviceTooSmall(BrickError):
    """The device is there but does not have the wanted size (yet)."""
