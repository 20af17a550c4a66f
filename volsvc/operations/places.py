"""Where steps run."""


def at_backend(host: str) -> str:
    """The worker of a backend; `host` is 'host@backend', also with '#pool'."""
    return f'worker:{host.partition("#")[0]}'


def at_teller(host: str) -> str:
    """The same process's part that talks to the compute service and may hang with it."""
    return f'teller:{host.partition("#")[0]}'


def backend(op) -> str:
    return at_backend(op.params['host'])


def teller(op) -> str:
    return at_teller(op.params['host'])
