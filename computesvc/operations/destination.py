"""The way of a server to its host: room is claimed on the best, the host itself is asked, and if it refuses, the next.

An operation gives each try two steps: first() or again() in the transaction of a checkpoint at the conductor, then
check() at the host, whose no is a note (`refused`) and not the end.  After the last try, last().
"""
import logging

from computesvc.operations import places
from computesvc.scheduling import hosts
from svckit.operations import Refused

LOG = logging.getLogger(__name__)
TRIES = 2       # of one host that cannot be asked


def wish(key: str, server_id: str, demand: dict, *, zone=None, host=None, node=None, exclude=()) -> dict:
    """What the functions below want to know, as plain data for an operation's parameters.

    `key` of the claim; `demand` as claims.needs(), perhaps with protocols and extra_specs.
    """
    return {'key': key, 'server_id': server_id, 'demand': demand, 'zone': zone, 'host': host, 'node': node,
            'exclude': list(exclude)}


def first(ctx, wish: dict) -> dict:
    """Notes: the host, on which room is claimed, and those to try if it refuses.  Raises Refused."""
    chosen, alternates = hosts.place(ctx.session, ctx.conf, **wish)
    return {'host': chosen.host, 'node': chosen.node, 'alternates': alternates}


def again(ctx, op, wish: dict) -> dict | None:
    """If the host refused: notes as of first(), with the next host.  Raises Refused when there is no other."""
    if not op.notes.get('refused'):
        return None
    if not op.notes['alternates']:
        last(op)
    (host, node), rest = hosts.place_next(ctx.session, ctx.conf, wish['demand'], op.notes['alternates'],
                                          key=wish['key'], server_id=wish['server_id'])
    return {'host': host, 'node': node, 'alternates': rest}


def check(ctx, op, demand: dict) -> dict:
    """Notes: what a volume service has to know of the host, or that and why it refuses the server.

    A host that cannot even be asked refuses: that its agent reports does not mean that its
    hypervisor answers.
    """
    if op.notes.get('connector') and not op.notes.get('refused'):
        return {}                           # the host of an earlier try took it
    try:
        why, connector = _why_not(ctx.hypervisor.capabilities(), demand), ctx.devices.properties()
    except Exception as e:
        if op.attempts + 1 < TRIES:
            raise
        LOG.warning('This host refuses %s: %s', op.resource, e)
        return {'refused': 'A chosen host could not be asked.', 'connector': None}
    return {'refused': why and f'A chosen host {why}.', 'connector': None if why else connector}


def checking(op) -> str:
    """Where check() runs for another try: at the new host, or where the operation is, if there was no need for one."""
    return places.found_agent(op) if op.notes.get('refused') else places.CONDUCTOR


def last(op) -> None:
    """Raises Refused if the host that was tried last refused."""
    if op.notes.get('refused'):
        raise Refused(f'No valid host was found. {op.notes["refused"]}')


def _why_not(found: dict, demand: dict) -> str | None:
    """More than it has a host gives out to several servers only: one by itself needs room in what is really there."""
    if (found.get('memory_mb') or 0) < demand['memory_mb']:
        return 'has less memory than the server needs'
    missing = sorted(set(demand.get('protocols') or ()) - set(found.get('protocols') or ()))
    return f'cannot connect {", ".join(missing)} volumes' if missing else None
