"""What a host must be for a server: each filter says why it is not, or None.

Pure functions of a Candidate and a Wish (hosts.py).  A refusal is known to users by its filter's name alone; the
sentence is for the log.
"""
import operator


def enabled(candidate, wish) -> str | None:
    return 'it is disabled' if candidate.disabled else None


def alive(candidate, wish) -> str | None:
    return None if candidate.up else 'it does not report'


def other_host(candidate, wish) -> str | None:
    return 'it is not to be this one' if candidate.host in wish.exclude else None


def wanted_host(candidate, wish) -> str | None:
    """An administrator may have said which."""
    if wish.host not in (None, candidate.host) or wish.node not in (None, candidate.node):
        return 'another one was named'
    return None


def zone(candidate, wish) -> str | None:
    return None if wish.zone in (None, candidate.zone) else f'it is in zone {candidate.zone}'


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


# Nova's words for comparing; "=" there means "at least", as in its documentation of extra specs.
_NUMBERS = {'=': operator.ge, '==': operator.eq, '!=': operator.ne, '>=': operator.ge, '<=': operator.le}
_TEXTS = {'s==': operator.eq, 's!=': operator.ne, 's<': operator.lt, 's<=': operator.le, 's>': operator.gt,
          's>=': operator.ge}


def satisfies(value, wanted: str) -> bool:
    """Whether what a host has is what an extra spec wants: a word, or an operator and what it compares with."""
    if value is None:
        return False
    first, _, rest = wanted.strip().partition(' ')
    rest = rest.strip()
    match first:
        case '<in>':
            return rest in value if isinstance(value, list) else rest in str(value)
        case '<or>':
            return str(value) in [word.strip() for word in rest.split('<or>')]
        case '<is>':
            return bool(value) is (rest.lower() in ('true', '1', 'yes'))
    if first in _TEXTS:
        return _TEXTS[first](str(value), rest)
    if first in _NUMBERS:
        return _compares(_NUMBERS[first], value, rest)
    return str(value).lower() == wanted.strip().lower()


def _compares(compare, value, number) -> bool:
    try:
        return compare(float(value), float(number))
    except (TypeError, ValueError):
        return False
