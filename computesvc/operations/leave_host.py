"""Remove what a server left on a host that it is no longer on, whenever that host can be asked.

Started when a move is confirmed or reverted; its user need not wait for it.  The room
that the server held there is free when this is done; its claim has the operation's
subject as its key.
"""
from computesvc.db import claims
from computesvc.operations import places
from svckit import operations
from svckit.operations import NO_RETURN, Operation, Step


def begin(session, op, server, *, migration: str, host: str, claim: str, keep=()) -> None:
    """Within a step at the conductor.  `keep` are paths of disks, of a server that is still on that host."""
    operations.start(
        session, OPERATION, subject=f'leave:{migration}', resource=f'server:{server.id}', parent_id=op.id,
        project_id=op.project_id, user_id=op.user_id, request_id=op.request_id,
        params={'server_id': server.id, 'host': host, 'gone': host != server.host, 'claim': claim, 'keep': list(keep)})


def give_up(session, host: str) -> None:
    """A host that is down for good is not waited for, and holds no room for what is left on it.

    Should it come back, its agent removes what it should not have.
    """
    for claim in claims.on_host(session, host):
        if operations.cancel(session, claim.key, f'Host {host} was given up.', [OPERATION.name]):
            claims.release(session, claim.key)


def clean(ctx, op):
    """The guest and its disks are gone; its volumes' devices went when it was shut down there."""
    id = op.params['server_id']
    with ctx.turn(id):
        if op.params['gone']:
            ctx.hypervisor.undefine(id)
        ctx.local_disks.remove(id, but=op.params['keep'])


def free_room(ctx, op):
    claims.release(ctx.session, op.params['claim'])


OPERATION = Operation('leave-host', version=1, steps=[
    NO_RETURN,
    Step(clean, at=places.agent, forever=True),
    Step(free_room, at=places.CONDUCTOR, atomic=True, forever=True),
])
