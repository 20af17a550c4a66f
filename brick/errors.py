"""What can go wrong with a device; str() is a sentence for an operator.

Errors cross from the privileged daemon as their class and arguments, so each takes its sentence alone.
"""


class BrickError(Exception):
    """A device could not be connected, disconnected or grown."""


class UnknownProtocol(BrickError):
    """No connector speaks the protocol of the volume's connection."""


class BadConnection(BrickError):
    """The connection lacks something that the protocol needs, or a name in it is none of its kind."""


class ConnectFailed(BrickError):
    """The volume is no device of this host, and the sentence says what each portal or port answered."""


class DisconnectFailed(BrickError):
    """Something of the volume is still on this host."""


class DeviceNotFound(BrickError):
    """The file or device that the connection names is not on this host."""


class DeviceTooSmall(BrickError):
    """The device is there but does not have the wanted size (yet); names the size of each path."""


class PathsDown(BrickError):
    """The device is there but no path to it answers now: waiting helps."""


class MultipathError(BrickError):
    """multipathd is stopped or refused; names the size of each path."""


class NotPrivileged(BrickError):
    """The daemon that does what only root may do could not be started."""
