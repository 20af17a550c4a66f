"""Choose a host for a server.  Pure but for `candidates()`, which reads what is known of the hosts."""
import dataclasses

from computesvc.db import hypervisors, servers, services


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A host: what it has, less what its servers take."""
    host: str
    node: str
    zone: str
    usable: bool            # up and not disabled
    servers: int
    vcpus: float
    memory_mb: float
    disk_gb: float


def candidates(session, conf, binary: str) -> list[Candidate]:
    """Every host that ever reported."""
    used = servers.used_by_host(session)
    known = {service.host: (service, age) for service, age in services.find(session, binary=binary)}
    found = []
    for hypervisor in hypervisors.find(session):
        if hypervisor.host not in known:
            continue
        service, age = known[hypervisor.host]
        count, vcpus, memory_mb, disk_gb = used.get(hypervisor.host, (0, 0, 0, 0))
        found.append(Candidate(
            host=hypervisor.host, node=hypervisor.hostname, zone=service.zone, servers=count,
            usable=services.up(service, age, conf.service.down_time) and not service.disabled,
            vcpus=hypervisor.vcpus * conf.scheduler.cpu_allocation_ratio - vcpus,
            memory_mb=hypervisor.memory_mb * conf.scheduler.ram_allocation_ratio - memory_mb,
            disk_gb=hypervisor.local_gb * conf.scheduler.disk_allocation_ratio - disk_gb))
    return found


def fits(candidate, vcpus, memory_mb, disk_gb, zone=None, host=None, node=None) -> bool:
    return (candidate.usable and candidate.vcpus >= vcpus and candidate.memory_mb >= memory_mb
            and candidate.disk_gb >= disk_gb and zone in (None, candidate.zone)
            and host in (None, candidate.host) and node in (None, candidate.node))


def choose(candidates, vcpus, memory_mb, disk_gb, zone=None, host=None, node=None) -> Candidate | None:
    """The fitting host with the most free memory, by name among equals; None if none fits."""
    fitting = [c for c in candidates if fits(c, vcpus, memory_mb, disk_gb, zone, host, node)]
    return min(fitting, key=lambda c: (-c.memory_mb, c.servers, c.host), default=None)


def why_none(candidates) -> str:
    """What to tell the user when no host was chosen."""
    usable = sum(c.usable for c in candidates)
    if not candidates:
        return 'No valid host was found. No host has ever reported.'
    if not usable:
        return f'No valid host was found. None of {len(candidates)} hosts is up and enabled.'
    return f'No valid host was found. None of {usable} hosts that are up has room for this server.'
