"""Where steps run."""
from volsvc import errors


def at_backend(host: str | None) -> str:
    """The worker of a backend; `host` is 'host@backend', also with '#pool'.  BadRequest for a volume that has none."""
    if not host:
        raise errors.BadRequest('Invalid volume: no storage backend has it.')
    return f'worker:{host.partition("#")[0]}'


def at_teller(host: str) -> str:
    """The same process's part that talks to the compute service and may hang with it."""
    return f'teller:{host.partition("#")[0]}'


def backend(op) -> str:
    return at_backend(op.params['host'])


def teller(op) -> str:
    return at_teller(op.params['host'])
