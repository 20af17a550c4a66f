"""Numbers for /metrics in Prometheus' format.

Counting costs a request two dictionary steps; prometheus_client is imported when
somebody asks.  A service adds its own as functions without arguments that yield
Family values, called once for each scrape (or as prometheus_client collectors).
"""
import bisect
import dataclasses

# Others are counted as one: a client could make up any number.
METHODS = frozenset(('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'))
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclasses.dataclass(frozen=True)
class Family:
    """A metric: kind is 'gauge' or 'counter', samples are ({label: value}, number) pairs."""
    name: str
    help: str
    kind: str
    samples: list[tuple[dict[str, str], float]]


class Metrics:
    """The requests of one API, and what its service adds."""

    def __init__(self, sources=()):
        self._requests: dict[tuple, list] = {}
        self._sources = list(sources)

    def add(self, source):
        """`source` is asked from the next scrape on."""
        self._sources.append(source)

    def count(self, method: str, route: str, status: int, seconds: float):
        """One request is over; `route` is its path as the route table writes it."""
        key = (method if method in METHODS else 'OTHER', route, status)
        counted = self._requests.get(key)
        if counted is None:
            counted = self._requests.setdefault(key, [0] * (len(BUCKETS) + 1) + [0.0])
        counted[bisect.bisect_left(BUCKETS, seconds)] += 1
        counted[-1] += seconds

    def text(self) -> tuple[bytes, str]:
        """The page, and its content type."""
        import prometheus_client
        registry = prometheus_client.CollectorRegistry(auto_describe=False)
        registry.register(self)
        for source in self._sources:
            registry.register(source if hasattr(source, 'collect') else _Source(source))
        return prometheus_client.generate_latest(registry), prometheus_client.CONTENT_TYPE_LATEST

    def describe(self):
        return []

    def collect(self):
        """For prometheus_client: the requests' durations."""
        from prometheus_client.core import HistogramMetricFamily
        family = HistogramMetricFamily('http_request_duration_seconds', 'Requests by route and status.',
                                       labels=['method', 'route', 'status'])
        for (method, route, status), counted in list(self._requests.items()):
            family.add_metric([method, route, str(status)], _buckets(counted), counted[-1])
        yield family


class _Source:
    def __init__(self, families):
        self._families = families

    def describe(self):
        return []

    def collect(self):
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
        for family in self._families():
            kind = CounterMetricFamily if family.kind == 'counter' else GaugeMetricFamily
            names = list(family.samples[0][0]) if family.samples else []
            made = kind(family.name, family.help, labels=names)
            for labels, value in family.samples:
                made.add_metric([str(labels[name]) for name in names], value)
            yield made


def _buckets(counted):
    total, found = 0, []
    for bound, number in zip((*BUCKETS, '+Inf'), counted, strict=False):
        total += number
        found.append([str(bound), total])
    return found
