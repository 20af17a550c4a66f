"""What /metrics tells besides the requests."""
from computesvc.db import hypervisors, services
from svckit import operations
from svckit.web.metrics import Family


def families(service):
    """Operations by name and state (a stuck one waits for an operator), which processes report, odd devices."""
    with service.db.reader() as session:
        counts, rows, hosts = operations.counts(session), services.find(session), hypervisors.find(session)
    yield Family('computesvc_operations', 'Operations by name and state.', 'gauge',
                 [({'name': name, 'state': state}, number) for (name, state), number in sorted(counts.items())])
    limit = service.conf.service.down_time
    yield Family('computesvc_service_up', 'Whether a process reports.', 'gauge',
                 [({'binary': row.binary, 'host': row.host}, float(services.up(row, age, limit))) for row, age in rows])
    yield Family('computesvc_device_notices', 'Oddities of volumes on a host, as `check` tells them.', 'gauge',
                 [({'host': row.host}, float(len(row.notices or ()))) for row in hosts])
