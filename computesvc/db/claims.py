"""Room that servers hold on hosts.

A claim is one row, and a host's figures are the sums of its claims.  Both change in the caller's transaction, and
the figures only by conditional updates: no two servers ever get the same room, however many choose at once.

Keys: `server:<id>` is what a server holds where it is, `move:<migration's uuid>` what it holds where it goes.
"""
from sqlalchemy import and_, delete, func, select, update

from computesvc.db import moves
from computesvc.db.models import Claim, Hypervisor, Migration, Server
from svckit.operations.models import OPERATIONS

RESOURCES = ('vcpus', 'memory_mb', 'disk_gb')
OWNED = {'vcpus': 'vcpus', 'memory_mb': 'memory_mb', 'disk_gb': 'local_gb'}
RATIOS = {'vcpus': 'cpu_allocation_ratio', 'memory_mb': 'ram_allocation_ratio', 'disk_gb': 'disk_allocation_ratio'}


def key(server_id: str) -> str:
    """Of the claim that a server has where it is."""
    return f'server:{server_id}'


def needs(server) -> dict[str, int]:
    """What a server takes of its host: processors, MiB, GiB."""
    return _needs(server.vcpus, server.memory_mb, server.root_gb, server.ephemeral_gb, server.swap_mb)


def needs_of(flavor: dict, local_root: bool) -> dict[str, int]:
    """What a server takes with a flavor as servers remember it; one whose root is a volume takes no disk for that."""
    return _needs(flavor['vcpus'], flavor['ram'], flavor['disk'] if local_root else 0, flavor.get('ephemeral'),
                  flavor.get('swap'))


def _needs(vcpus, memory_mb, root_gb, ephemeral_gb, swap_mb):
    return {'vcpus': vcpus, 'memory_mb': memory_mb,
            'disk_gb': root_gb + int(ephemeral_gb or 0) + -(-int(swap_mb or 0) // 1024)}


def take(session, key: str, host: str, server_id: str, demand: dict, conf) -> bool:
    """Hold room on a host, as far as [scheduler]'s ratios allow; False, and nothing changed, if there is too little.

    The same key on the same host again is True and changes nothing.  On another host the
    claim moves there: what it held is given back.
    """
    held = session.get(Claim, key, populate_existing=True)
    if held and held.host == host:
        return True
    amounts = {name: demand[name] for name in RESOURCES}
    if not session.execute(_change(host, amounts, conf)).rowcount:
        return False
    release(session, key)
    session.add(Claim(key=key, host=host, server_id=server_id, **amounts))
    session.flush()
    return True


def release(session, key: str) -> None:
    """Give a claim's room back; without such a claim nothing changes."""
    row = session.get(Claim, key, populate_existing=True)
    if row is None:
        return
    session.expunge(row)
    # Of two that give it back at once, one deletes the row.
    if session.execute(delete(Claim).where(Claim.key == key, Claim.host == row.host)).rowcount:
        session.execute(_change(row.host, {name: -getattr(row, name) for name in RESOURCES}))


def release_server(session, server_id: str) -> None:
    """Give back all that a server holds anywhere."""
    for found in of_server(session, server_id):
        release(session, found.key)


def rename(session, old: str, new: str) -> None:
    """What stood under `old` stands under `new`, in place of what stood there; a second time changes nothing."""
    if session.get(Claim, old, populate_existing=True) is None:
        return
    release(session, new)
    session.execute(update(Claim).where(Claim.key == old).values(key=new),
                    execution_options={'synchronize_session': False})
    session.expire_all()


def of_server(session, server_id: str) -> list[Claim]:
    return list(session.scalars(select(Claim).where(Claim.server_id == server_id).order_by(Claim.key)))


def on_host(session, host: str) -> list[Claim]:
    return list(session.scalars(select(Claim).where(Claim.host == host).order_by(Claim.key)))


def used(session, host: str) -> dict[str, int]:
    """The sums of a host's claims, counted."""
    row = session.execute(select(*(func.sum(getattr(Claim, name)) for name in RESOURCES)).where(Claim.host == host))
    return {name: int(amount or 0) for name, amount in zip(RESOURCES, row.one(), strict=True)}


def counts(session) -> dict[str, int]:
    """host -> servers that hold room there."""
    rows = session.execute(select(Claim.host, func.count(Claim.server_id.distinct())).group_by(Claim.host))
    return dict(rows.all())


def _change(host, amounts, conf=None):
    """Add `amounts` to a host's figures; with `conf` only where all fit.

    What is not asked for is not asked about: a host whose memory is given out twice may still lend a processor.
    """
    fits = [Hypervisor.host == host]
    for name, amount in amounts.items():
        if conf is not None and amount > 0:
            given = getattr(Hypervisor, OWNED[name]) * float(conf.scheduler[RATIOS[name]])
            fits.append(getattr(Hypervisor, f'{name}_used') + amount <= given)
    values = {f'{name}_used': getattr(Hypervisor, f'{name}_used') + amount for name, amount in amounts.items()}
    return update(Hypervisor).where(and_(*fits)).values(**values).execution_options(synchronize_session=False)


# ------------------------------------------------------------------ where the books and the servers differ

def differences(session, repair: bool = False) -> list[str]:
    """Sentences on claims without their server, servers without their claim, and wrong sums.

    A server that is on its way from one host to another, or that an operation is at work
    on, is left alone: its claims are about to change.  With `repair` they are put right.
    """
    return [*_claims(session, repair), *_sums(session, repair)]


def _claims(session, repair):
    wanted = {key(server.id): server for server in session.scalars(
        select(Server).where(Server.host.is_not(None), Server.deleted_at.is_(None)))}
    busy = _busy(session)
    for claim in list(session.scalars(select(Claim).order_by(Claim.key))):
        server = wanted.pop(claim.key, None)
        if claim.server_id in busy:
            continue
        if server is None:
            yield f'{claim.host}: {claim.key} holds {_words(claim)}, but its server is not there.'
            if repair:
                release(session, claim.key)
        elif claim.host != server.host or any(getattr(claim, name) != n for name, n in needs(server).items()):
            yield (f'{claim.host}: {claim.key} holds {_words(claim)}, but its server takes {_words(needs(server))} '
                   f'on {server.host}.')
            if repair:
                _replace(session, server)
    for missing, server in wanted.items():
        if server.id not in busy:
            yield f'{server.host}: {missing} holds nothing, but its server takes {_words(needs(server))}.'
            if repair:
                _replace(session, server)


def _replace(session, server):
    """The server is where it is, whether there is room or not."""
    release(session, key(server.id))
    session.execute(_change(server.host, needs(server)))
    session.add(Claim(key=key(server.id), host=server.host, server_id=server.id, **needs(server)))
    session.flush()


def _sums(session, repair):
    for host in list(session.scalars(select(Hypervisor.host).order_by(Hypervisor.host))):
        if repair:
            # Whoever claims here now has either done so or waits for us.
            session.execute(_change(host, dict.fromkeys(RESOURCES, 0)))
        recorded = session.execute(select(*(getattr(Hypervisor, f'{name}_used') for name in RESOURCES)).where(
            Hypervisor.host == host)).one()
        recorded, counted = dict(zip(RESOURCES, recorded, strict=True)), used(session, host)
        if recorded != counted:
            yield f'{host}: {_words(recorded)} are recorded as taken, its claims add up to {_words(counted)}.'
            if repair:
                session.execute(_change(host, {name: counted[name] - recorded[name] for name in RESOURCES}))


def _busy(session) -> set[str]:
    """Servers whose claims somebody is about to change."""
    moving = session.scalars(select(Migration.server_id).where(Migration.status.not_in(moves.OVER)))
    at_work = session.scalars(select(OPERATIONS.c.resource).where(
        OPERATIONS.c.subject.is_not(None), OPERATIONS.c.subject.not_like('plug:%'),
        OPERATIONS.c.subject.not_like('attachment:%')))
    return {*moving, *(resource.removeprefix('server:') for resource in at_work)}


def _words(amounts) -> str:
    """'2 processors, 512 MiB, 10 GiB'; of a claim or of {'vcpus', …}."""
    numbers = [amounts[name] if isinstance(amounts, dict) else getattr(amounts, name) for name in RESOURCES]
    return '{} processors, {} MiB, {} GiB'.format(*numbers)
