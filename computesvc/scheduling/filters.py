"""What a host must be for a server: each filter says why it is not, or None.

Pure functions of a Candidate and a Wish (hosts.py).  A refusal is known to users by its filter's name alone; the
sentence is for the log.
"""
from svckit.scheduling import enabled, other_host, satisfies, zone


def alive(candidate, wish) -> str | None:
    return None if candidate.up else 'it does not report'


def wanted_host(candidate, wish) -> str | None:
    """An administrator may have said which."""
    if wish.host not in (None, candidate.host) or wish.node not in (None, candidate.node):
        return 'another one was named'
    return None


def protocols(candidate, wish) -> str | None:
    """Every volume's protocol is one that the host can connect."""
    missing = sorted(set(wish.protocols) - set(candidate.capabilities.get('protocols') or ()))
    return f'it cannot connect {", ".join(missing)} volumes' if missing else None


def capabilities(candidate, wish) -> str | None:
    """The flavor's extra specs `capabilities:<name>`, by what the host's agent says of it."""
    for key, wanted in wish.extra_specs.items():
        scope, _, name = key.partition(':')
        if scope == 'capabilities' and not satisfies(candidate.capabilities.get(name), str(wanted)):
            return f'its {name} is not {wanted}'
    return None


def cores(candidate, wish) -> str | None:
    return _room(candidate.vcpus, wish.vcpus, 'processors')


def memory(candidate, wish) -> str | None:
    return _room(candidate.memory_mb, wish.memory_mb, 'MiB of memory')


def disk(candidate, wish) -> str | None:
    return _room(candidate.disk_gb, wish.disk_gb, 'GiB of disk')


FILTERS = [enabled, alive, other_host, wanted_host, zone, protocols, capabilities, cores, memory, disk]


def _room(free, wanted, of_what):
    """What is not asked for is there, however little there is."""
    return f'it has {max(free, 0):g} {of_what} to give, {wanted} are wanted' if wanted > max(free, 0) else None
