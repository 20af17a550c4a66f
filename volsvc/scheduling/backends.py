"""Which backend takes a volume, and whether one has room.

Pure functions: a backend is what its row in the services table says.
"""
GIB = 1024 ** 3
# Extra specs that say something about volumes, not about backends.
ABOUT_VOLUMES = ('multiattach',)


def choose(backends, size: int, extra_specs: dict, zone: str | None, host: str | None = None):
    """(the backend for a new volume of `size` bytes, None), or (None, why there is none).

    A backend that is down is taken only when none is up: what is asked for is
    kept until its worker is back.
    """
    if not backends:
        return None, 'no storage backend has reported yet.'
    wanted = [b for b in backends if not b.disabled and (host is None or b.host == host)]
    if not wanted:
        return None, 'no storage backend is enabled.'
    fitting = [b for b in wanted if zone is None or b.zone == zone]
    if not fitting:
        return None, f'there is none in the availability zone {zone}.'
    fitting = [b for b in fitting if matches(b.capabilities, extra_specs)]
    if not fitting:
        return None, 'none has what the volume type asks for.'
    fitting = [b for b in fitting if has_room(b.capabilities, size)]
    if not fitting:
        return None, f'none has room for {size // GIB} GiB.'
    return max(fitting, key=lambda b: (b.up, free(b.capabilities), b.host)), None


def matches(capabilities: dict, extra_specs: dict) -> bool:
    """Whether a backend is what a type's extra specs ask for; of scoped keys only `capabilities:` asks anything."""
    for key, wanted in extra_specs.items():
        scope, colon, rest = key.rpartition(':')
        if colon and scope != 'capabilities' or key in ABOUT_VOLUMES:
            continue
        if not _satisfies(capabilities.get(rest), wanted):
            return False
    return True


def _satisfies(value, wanted: str) -> bool:
    if wanted.startswith('<is>'):
        return value is (wanted[4:].strip().lower() == 'true')
    if wanted.startswith('<in>'):
        return value is not None and wanted[4:].strip() in str(value)
    return value is not None and str(value).lower() == wanted.lower()


def free(capabilities: dict) -> int:
    """Bytes that may still be promised."""
    ratio = capabilities['max_over_subscription_ratio'] if capabilities['thin'] else 1
    return int(min(capabilities['free_bytes'] * ratio,
                   capabilities['total_bytes'] * ratio - capabilities['provisioned_bytes']))


def has_room(capabilities: dict, more: int) -> bool:
    return more <= free(capabilities)


def size_limits(extra_specs: dict) -> tuple[int | None, int | None]:
    """(smallest, largest) GiB that a type allows its volumes."""
    def number(key):
        text = str(extra_specs.get(f'provisioning:{key}', ''))
        return int(text) if text.isdigit() else None
    return number('min_vol_size'), number('max_vol_size')
