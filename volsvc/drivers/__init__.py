"""Storage drivers, each a module; only workers import them."""
import importlib

from volsvc.drivers.base import Driver, DriverError

KNOWN = {'file': 'volsvc.drivers.file:FileDriver', 'lvm': 'volsvc.drivers.lvm:LvmDriver',
         'memory': 'volsvc.drivers.memory:MemoryDriver'}


def load(name: str, options) -> Driver:
    """The driver of the backend `name`, not started. DriverError if there is no such driver."""
    wanted = options.volume_driver or name
    module, _, attribute = KNOWN.get(wanted, wanted).partition(':')
    try:
        return getattr(importlib.import_module(module), attribute)(name, options)
    except (ImportError, AttributeError, ValueError) as error:
        raise DriverError(f'Backend {name} has no usable volume_driver {wanted!r} (known are {", ".join(KNOWN)}, '
                          f'or module:Class): {error}') from error
