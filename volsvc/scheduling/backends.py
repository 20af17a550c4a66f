"""Choose a backend for a volume, and hold its room there.

Filters and weighers are pure; what they are asked about is read by `candidates()`.  That two volumes which choose at
once do not get the same room is the claim's doing (db/claims.py), not the choice's.
"""
import dataclasses
import functools

from svckit import scheduling
from svckit.operations import Refused
from svckit.scheduling import CLAIMED_MEANWHILE
from volsvc.db import claims, services
from volsvc.scheduling.filters import FILTERS
from volsvc.scheduling.weighers import WEIGHERS

GIB = 1024 ** 3

sift = functools.partial(scheduling.sift, FILTERS, WEIGHERS)
first_refusal = functools.partial(scheduling.first_refusal, FILTERS)
why_none = functools.partial(scheduling.why_none, 'backend')


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A backend: what it is, and what of it is promised."""
    host: str                        # 'host@backend'
    zone: str
    up: bool
    disabled: bool
    promised: int                    # bytes
    capabilities: dict               # as volsvc.report wrote them

    @property
    def pool(self) -> str:
        """'host@backend#pool', as volumes carry it."""
        return f'{self.host}#{self.capabilities["pool_name"]}'

    @property
    def limit(self) -> int:
        """Bytes that may be promised in all."""
        return most_promised(self.capabilities)

    @property
    def room(self) -> int:
        """Bytes that may still be promised; below 0 where more is than may be."""
        return self.limit - self.promised

    @functools.cached_property
    def facts(self) -> dict:
        return {**self.capabilities, **facts(self.capabilities, self.promised)}


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a volume needs of its backend."""
    size: int = 0                                                   # bytes
    zone: str | None = None
    host: str | None = None                                         # 'host@backend', where its source is
    exclude: frozenset = frozenset()                                # hosts
    extra_specs: dict = dataclasses.field(default_factory=dict)     # of its type


def most_promised(known: dict) -> int:
    """Bytes that may be promised of a backend.

    Never more than its size without the reserve, as often as it may be promised; and never
    more than what was made there when it reported and what was free then besides, as others
    may use its disks too.
    """
    ratio = known['max_over_subscription_ratio'] if known['thin'] else 1
    reserve = known['total_bytes'] * known.get('reserved_percentage', 0) // 100
    free = max(known['free_bytes'] - reserve, 0)
    return int(min((known['total_bytes'] - reserve) * ratio, known['provisioned_bytes'] + free * ratio))


def facts(known: dict, promised: int) -> dict:
    """What a backend is, under the names by which clients and extra specs know it; sizes are GiB."""
    thin = bool(known.get('thin'))
    return {
        **{name: known.get(name) for name in ('volume_backend_name', 'pool_name', 'driver', 'driver_version',
                                              'vendor_name', 'storage_protocol')},
        'total_capacity_gb': round(known.get('total_bytes', 0) / GIB, 2),
        'free_capacity_gb': round(known.get('free_bytes', 0) / GIB, 2),
        'allocated_capacity_gb': promised / GIB, 'provisioned_capacity_gb': promised / GIB,
        'reserved_percentage': known.get('reserved_percentage', 0),
        'thin_provisioning_support': thin, 'thick_provisioning_support': not thin,
        'max_over_subscription_ratio': str(known.get('max_over_subscription_ratio', 1)),
        'multiattach': bool(known.get('multiattach')), 'QoS_support': False,
        'online_extend_support': bool(known.get('online_extend', True)),
    }


def candidates(session, conf) -> list[Candidate]:
    """Every backend that ever reported."""
    promised = claims.promised(session)
    return [candidate(row, age <= conf.service.down_time, promised) for row, age in services.every(session)
            if row.binary == services.BINARY]


def candidate(row, up: bool, promised: dict) -> Candidate:
    """`row` is of the services table."""
    name = f'{row.host}#{row.capabilities.get("pool_name", "")}'
    return Candidate(host=row.host, zone=row.availability_zone, up=up, disabled=row.disabled,
                     promised=promised.get(name, 0), capabilities=row.capabilities)


def place(session, conf, wish: Wish) -> Candidate:
    """Claim room on the best backend; raises Refused with every filter that refused, and how many backends."""
    known = candidates(session, conf)
    fitting, refused = sift(known, wish)
    for chosen in fitting:
        if claims.take(session, chosen.pool, wish.size, chosen.limit):
            return chosen
        refused[CLAIMED_MEANWHILE] += 1
    raise Refused(why_none(len(known), refused))


def claim(session, backend, pool: str, amount: int) -> bool:
    """Hold so many bytes more of a pool for what is in it already; False if there is too little.

    A backend (of the services table) that has not reported is no obstacle: its worker looks for itself.
    """
    most = backend and most_promised(backend.capabilities)
    return claims.take(session, pool, amount, most) or backend is None


def size_limits(extra_specs: dict) -> tuple[int | None, int | None]:
    """(smallest, largest) GiB that a type allows its volumes."""
    def number(key):
        text = str(extra_specs.get(f'provisioning:{key}', ''))
        return int(text) if text.isdecimal() else None
    return number('min_vol_size'), number('max_vol_size')
