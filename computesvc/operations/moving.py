"""What a server's way to another host and its way back have in common.

Its volumes get a second attachment, for the other host, while they keep the first: so
there is always one by which the server can have them.  `volumes` are attachments as
db/attachments.py:view shows them; `notes` of the steps are by attachment id.
"""
from sqlalchemy import select

from computesvc.db import attachments, claims, moves, services
from computesvc.db.models import Claim
from computesvc.operations import extend_volume
from svckit import operations
from svckit.db import now
from svckit.operations import NotYet, Refused

PATIENCE = 120      # seconds for volumes that are just being attached or detached
CLEANING = 15       # seconds for a host to remove what a server left there
LEAVING = 'leave:'


def volumes(session, server_id: str, op) -> list[dict]:
    """The server's volumes, none of which is on its way to it or from it.  NotYet, then Refused."""
    there = attachments.of_server(session, server_id)
    busy = next((a for a in there if a.state in ('attaching', 'detaching')), None)
    if busy and session.scalar(select(now())) - op.created_at > PATIENCE:
        raise Refused(f'Volume {busy.volume_id} of the server is still {busy.state}.')
    if busy:
        raise NotYet(f'Volume {busy.volume_id} of the server is {busy.state}.', 0.2)
    return [attachments.view(a) for a in there if a.state == 'attached']


def protocols(found: list[dict]) -> list[str]:
    return sorted({volume['connection_info']['driver_volume_type'] for volume in found})


def disks(server) -> dict:
    """What a server has beside its volumes, for Tools.define()."""
    return {'root_disk': server.root_disk, 'local_disks': server.local_disks, 'networks': server.networks}


def paths(root_disk: dict | None, local_disks: list | None) -> list[str]:
    """Of the files that a server's local disks are."""
    return [disk['path'] for disk in [root_disk, *(local_disks or ())] if disk]


def hold_growths(session, server_id: str, found: list[dict]) -> None:
    """Growths of the volumes start over: they wait until the server is where it goes, and go on there."""
    for volume in found:
        params = {'server_id': server_id, 'volume_id': volume['volume_id'], 'attachment_id': volume['id']}
        operations.fold(session, extend_volume.OPERATION, f"attachment:{volume['id']}", params)


def forget_abandoned(session, server_id: str) -> None:
    """A move that an operator gave up holds no room any more; what it left on its other host is for that host's sweep.
    """
    if move := moves.under_way(session, [server_id]).get(server_id):
        moves.change(session, move.uuid, moves.ERROR)
        claims.release(session, f'move:{move.uuid}')


def uncleaned(session, server_id: str, op, down_time: float) -> list[str]:
    """Hosts that something of the server still has to be removed from.  One that is up is waited for, for a while."""
    hosts = list(session.scalars(select(Claim.host).where(Claim.server_id == server_id,
                                                          Claim.key.startswith(LEAVING))))
    agents = services.find(session, binary=services.AGENT) if hosts else ()
    busy = [service.host for service, age in agents if service.host in hosts and services.up(service, age, down_time)]
    if busy and session.scalar(select(now())) - op.created_at < CLEANING:
        raise NotYet('What the server left on another host is still being removed.', 0.1)
    return hosts


def leave(session, migration_uuid: str, was: str, stays: str, server_id: str) -> str:
    """The claim `was` becomes that of a host which the server leaves, `stays` its only one; the new key."""
    left = f'{LEAVING}{migration_uuid}'
    claims.rename(session, was, left)
    if stays != claims.key(server_id):
        claims.rename(session, stays, claims.key(server_id))
    return left


# ------------------------------------------------------------------ at the conductor

def connect(ctx, found: list[dict], connector: dict) -> dict:
    """Each volume is exported to the other host too: notes with its second attachment and connection."""
    ids, connections = {}, {}
    for volume in found:
        ids[volume['id']], connection = ctx.volumes.connect_another(
            volume['volume_id'], volume['server_id'], connector | {'mountpoint': volume['device']},
            [volume['attachment_id']])
        connection['multiattach'] = bool(volume['connection_info'].get('multiattach'))
        connections[volume['id']] = connection
    return {'attachment_ids': ids, 'connections': connections}


def unconnect(ctx, found: list[dict]) -> None:
    for volume in found:
        ctx.volumes.end_others(volume['volume_id'], volume['server_id'], [volume['attachment_id']])


def keep(found: list[dict]) -> dict:
    """Notes as of connect(), for a server that stays on its host: its volumes stay as they are."""
    return {'attachment_ids': {v['id']: v['attachment_id'] for v in found},
            'connections': {v['id']: v['connection_info'] for v in found}}


def complete(ctx, op) -> None:
    for id in op.notes['attachment_ids'].values():
        ctx.volumes.complete(id)


def release(ctx, found: list[dict]) -> None:
    """The volumes' attachments to the host that the server left are gone."""
    for volume in found:
        ctx.volumes.end(volume['attachment_id'])


def record(session, op, found: list[dict]) -> None:
    """The attachments are those to the host where the server is now."""
    for volume in found:
        device = op.notes['devices'][volume['id']]
        attachments.change(session, volume['id'], attachment_id=op.notes['attachment_ids'][volume['id']],
                           connection_info=op.notes['connections'][volume['id']], path=device['path'],
                           path_type=device['type'])


# ------------------------------------------------------------------ at an agent

def disconnect(ctx, found: list[dict]) -> None:
    """The volumes' devices are gone from the host where the server was; its guest there, off, has none of them.

    So it does not keep one that other guests share when the last of those gives it up.
    """
    for volume in found:
        with ctx.turn(volume['server_id']):
            ctx.hypervisor.detach_disk(volume['server_id'], volume['volume_id'])
        ctx.devices.disconnect(volume['volume_id'], volume['connection_info'], attachments.device(volume))


def connect_again(ctx, found: list[dict]) -> None:
    for volume in found:
        ctx.devices.connect(volume['volume_id'], volume['connection_info'])


def connect_devices(ctx, op, found: list[dict]) -> dict:
    return {'devices': {v['id']: ctx.devices.connect(v['volume_id'], op.notes['connections'][v['id']])
                        for v in found}}


def disconnect_devices(ctx, op, found: list[dict]) -> None:
    for volume in found:
        if connection := op.notes.get('connections', {}).get(volume['id']):
            ctx.devices.disconnect(volume['volume_id'], connection, op.notes.get('devices', {}).get(volume['id']),
                                   of=volume['server_id'])


def moved(op, found: list[dict]) -> list[dict]:
    """The volumes as they are at the other host."""
    ids, connections = op.notes['attachment_ids'], op.notes['connections']
    return [v | {'attachment_id': ids[v['id']], 'connection_info': connections[v['id']]} for v in found]


def bring_up(ctx, server: dict, disks: dict, devices: dict, run: bool) -> None:
    """The guest is defined on these disks, and runs if it is to; `devices` are those known, by volume."""
    with ctx.turn(server['id']):
        ctx.define(server, disks, devices)
        if run:
            ctx.hypervisor.power_on(server['id'])
