"""How far a host is with a step that takes long."""
from sqlalchemy import insert, update

from computesvc.db.models import Server
from svckit import operations
from svckit.db import now
from svckit.operations.definition import RUNNING
from svckit.operations.models import EVENTS


def record(service, op_id: str, lease: int, percent: int) -> bool:
    """The server shows the percentage, and the operation's log each tenth of the way.

    False, and nothing is recorded, if the holder of that lease no longer has the operation,
    or the server is being deleted: whoever is at the step need not go on.
    """
    def work(session):
        op = operations.get(session, op_id)
        if op is None or op.lease != lease or op.state != RUNNING:
            return False
        server = session.get(Server, op.resource.partition(':')[2])
        if server is None or server.task_state == 'deleting':
            return False
        if percent // 10 != server.progress // 10:
            step = service.registry[op.name, op.version].steps[op.position].name
            session.execute(insert(EVENTS).values(operation_id=op.id, step=step, event='progress',
                                                  detail=f'{percent} percent', at=now()))
        session.execute(update(Server).where(Server.id == server.id).values(progress=percent))
        return True
    return service.db.run(work)
