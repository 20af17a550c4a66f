"""What /metrics tells besides the requests."""
from svckit import operations
from svckit.web.metrics import Family
from volsvc.db import services


def families(service):
    """Operations by name and state (a stuck one waits for an operator), and which backends report."""
    with service.db.reader() as session:
        counts = operations.counts(session)
        backends = services.every(session)
    yield Family('volsvc_operations', 'Operations by name and state.', 'gauge',
                 [({'name': name, 'state': state}, number) for (name, state), number in sorted(counts.items())])
    yield Family('volsvc_backend_up', 'Whether a storage backend reports.', 'gauge',
                 [({'host': row.host}, float(age <= service.conf.service.down_time)) for row, age in backends])
    yield Family('volsvc_volumes_larger_than_recorded', 'Volumes that grew on a storage backend by hand.', 'gauge',
                 [({'host': row.host}, row.capabilities.get('grown', 0)) for row, _ in backends])
