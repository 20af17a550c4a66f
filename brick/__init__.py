"""What a host does with a volume: connect it, disconnect it, and see it grow.

    brick.setup(lock_path='/var/lib/…/locks')   # once, before anything else
    connector = brick.connector_for('local')
    device = connector.connect(data)            # {'path': '/…', 'type': 'file'}
    connector.grow(data, 2 * 1024 ** 3)         # bytes that the device now has

A protocol is one module in brick/connectors and one line in `CONNECTORS` there. Nothing here knows servers,
databases or messages. What only root may do is in brick/privileged.py.
"""

from brick import settings
from brick.connectors import CONNECTORS, Path, connector_for
from brick.errors import BrickError, DeviceNotFound, DeviceTooSmall, UnknownProtocol
from brick.extend import extend_volume

__all__ = ['CONNECTORS', 'BrickError', 'DeviceNotFound', 'DeviceTooSmall', 'Path', 'UnknownProtocol', 'connector_for',
           'extend_volume', 'setup', 'warm_up']


def setup(lock_path, helper=None):
    """Say once, before the first connect, how this process works; costs nothing until something is connected.

    `lock_path`: folder of the locks that keep two processes of this host from connecting to one target at once; the
    same for all of them. `helper`: command that starts the privileged daemon, for a process that is not root; None is
    sudo -n with the privsep-helper of this environment. Call it after the process chose its kind of threads.
    """
    settings.lock_path, settings.helper = lock_path, helper


def warm_up():
    """os-brick is loaded and the privileged daemon runs, which takes a second or two that the first connect is spared.

    NotPrivileged if the daemon cannot start.
    """
    from brick import initiators, privileged  # noqa: F401
    privileged.warm_up()
