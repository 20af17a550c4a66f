"""Choose a host for a server, and hold its room there.

Filters and weighers are pure; what they are asked about is read by `candidates()`.  That two servers which choose at
once do not get the same room is the claim's doing (db/claims.py), not the choice's.
"""
import collections
import dataclasses
import functools

from computesvc.db import claims, hypervisors, services
from computesvc.scheduling.filters import FILTERS
from computesvc.scheduling.weighers import WEIGHERS
from svckit import scheduling
from svckit.operations import Refused
from svckit.scheduling import CLAIMED_MEANWHILE

MOST_ALTERNATES = 2


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A host: what it is, and what of it is not yet given out."""
    host: str
    node: str
    zone: str
    disabled: bool
    up: bool
    servers: int
    vcpus: float            # free, with [scheduler]'s ratios; below 0 where more is given out than they allow
    memory_mb: float
    disk_gb: float
    capabilities: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a server needs of its host."""
    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0
    zone: str | None = None
    host: str | None = None
    node: str | None = None
    exclude: frozenset = frozenset()                                # hosts
    protocols: tuple = ()                                           # of its volumes
    extra_specs: dict = dataclasses.field(default_factory=dict)     # of its flavor


def place(session, conf, demand: dict, *, key: str, server_id: str, zone=None, host=None, node=None,
          exclude=()) -> tuple[Candidate, list[tuple[str, str]]]:
    """Claim room under `key` on the best host; (it, the next best as [(host, node)]).

    `demand`: vcpus, memory_mb, disk_gb (see claims.needs), and perhaps protocols and
    extra_specs.  Raises Refused with every filter that refused, and how many hosts.
    """
    wish = Wish(zone=zone, host=host, node=node, exclude=frozenset(exclude), **demand)
    known = candidates(session, conf)
    fitting, refused = sift(known, wish)
    for tried, chosen in enumerate(fitting):
        if claims.take(session, key, chosen.host, server_id, demand, conf):
            rest = fitting[tried + 1:][:MOST_ALTERNATES]
            return chosen, [(other.host, other.node) for other in rest]
        refused[CLAIMED_MEANWHILE] += 1
    raise Refused(why_none(len(known), refused))


def place_next(session, conf, demand: dict, alternates: list, *, key: str,
               server_id: str) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """Move the claim to the first of `alternates` that can still be had; ((host, node), those after it).

    Raises Refused when there is none.
    """
    usable = {c.host: c for c in candidates(session, conf)}
    wish = Wish(**demand)
    refused = collections.Counter()
    for tried, (host, node) in enumerate(alternates):
        why = first_refusal(usable[host], wish) if host in usable else 'alive'
        if why is None and claims.take(session, key, host, server_id, demand, conf):
            return (host, node), [tuple(other) for other in alternates[tried + 1:]]
        refused[why or CLAIMED_MEANWHILE] += 1
    raise Refused(why_none(len(alternates), refused))


def candidates(session, conf) -> list[Candidate]:
    """Every host that ever reported."""
    agents = {service.host: (service, age) for service, age in services.find(session, binary=services.AGENT)}
    servers = claims.counts(session)
    return [_candidate(row, *agents[row.host], servers.get(row.host, 0), conf)
            for row in hypervisors.find(session) if row.host in agents]


def _candidate(row, service, age, servers, conf) -> Candidate:
    free = {name: getattr(row, claims.OWNED[name]) * conf.scheduler[claims.RATIOS[name]] - getattr(row, f'{name}_used')
            for name in claims.RESOURCES}
    return Candidate(host=row.host, node=row.hostname, zone=service.zone, disabled=service.disabled, servers=servers,
                     up=services.up(service, age, conf.service.down_time), capabilities=row.capabilities, **free)


sift = functools.partial(scheduling.sift, FILTERS, WEIGHERS)
first_refusal = functools.partial(scheduling.first_refusal, FILTERS)
why_none = functools.partial(scheduling.why_none, 'host')
