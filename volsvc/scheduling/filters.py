"""What a backend must be for a volume: each filter says why it is not, or None.

Pure functions of a Candidate and a Wish (backends.py).  A refusal is known to users by its filter's name alone; the
sentence is for the log.
"""
from svckit.scheduling import enabled, other_host, satisfies, zone

GIB = 1024 ** 3


def same_backend(candidate, wish) -> str | None:
    """A copy is made where its source is."""
    return None if wish.host in (None, candidate.host) else 'the source of the volume is elsewhere'


def zone_of_type(candidate, wish) -> str | None:
    """A type may be for some zones only."""
    zones = zones_of(wish.extra_specs)
    return None if not zones or candidate.zone in zones else f'it is in zone {candidate.zone}, its type is not'


def zones_of(extra_specs: dict) -> list[str]:
    """The availability zones that a type is for; none: all."""
    return [zone.strip() for zone in extra_specs.get('RESKEY:availability_zones', '').split(',') if zone.strip()]


def capabilities(candidate, wish) -> str | None:
    """The type's extra specs, by what the backend says of itself; of scoped ones only `capabilities:` asks for any."""
    for key, wanted in wish.extra_specs.items():
        scope, colon, name = key.rpartition(':')
        if not (colon and scope != 'capabilities') and not satisfies(candidate.facts.get(name), str(wanted)):
            return f'its {name} is not {wanted}'
    return None


def capacity(candidate, wish) -> str | None:
    if wish.size > candidate.room:
        return f'it has {max(candidate.room, 0) / GIB:g} GiB to give, {wish.size / GIB:g} are wanted'
    return None


FILTERS = [enabled, other_host, same_backend, zone, zone_of_type, capabilities, capacity]
