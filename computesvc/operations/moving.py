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


# ------------------------------------------------------------------ steps; the source is what the server leaves

def make_connections(ctx, op):
    """Each volume has an attachment to the other host, beside that to the source; of a server that stays, its own."""
    found, ids, connections = op.notes['volumes'], {}, {}
    for volume in found:
        ids[volume['id']], connections[volume['id']] = _connection(ctx, op, volume)
    return {'attachment_ids': ids, 'connections': connections}


def _connection(ctx, op, volume):
    if op.notes['same']:
        return volume['attachment_id'], volume['connection_info']
    id, connection = ctx.volumes.connect_another(
        volume['volume_id'], volume['server_id'], op.notes['connector'] | {'mountpoint': volume['device']},
        [volume['attachment_id']])
    connection['multiattach'] = bool(volume['connection_info'].get('multiattach'))
    return id, connection


def undo_make_connections(ctx, op):
    for volume in _moving(op):
        ctx.volumes.end_others(volume['volume_id'], volume['server_id'], [volume['attachment_id']])


def shut_down(ctx, op):
    """The guest is off: asked, and cut off when it does not follow in time."""
    id = op.params['server']['id']
    with ctx.turn(id):
        ctx.hypervisor.power_off(id, ctx.conf.agent.shutdown_timeout)


def disconnect_source(ctx, op):
    """The volumes' devices are gone from the source; its guest there, off, has none of them.

    So it does not keep one that other guests share when the last of those gives it up.
    """
    for volume in _moving(op):
        with ctx.turn(volume['server_id']):
            ctx.hypervisor.detach_disk(volume['server_id'], volume['volume_id'])
        ctx.devices.disconnect(volume['volume_id'], volume['connection_info'], attachments.device(volume))


def undo_disconnect_source(ctx, op):
    for volume in _moving(op):
        ctx.devices.connect(volume['volume_id'], volume['connection_info'])


def connect_devices(ctx, op):
    return {'devices': {v['id']: ctx.devices.connect(v['volume_id'], op.notes['connections'][v['id']])
                        for v in op.notes['volumes']}}


def undo_connect_devices(ctx, op):
    for volume in _moving(op):
        if connection := op.notes.get('connections', {}).get(volume['id']):
            ctx.devices.disconnect(volume['volume_id'], connection, op.notes.get('devices', {}).get(volume['id']),
                                   of=volume['server_id'])


def complete_volumes(ctx, op):
    for volume in _moving(op):
        ctx.volumes.complete(op.notes['attachment_ids'][volume['id']])


def release_source(ctx, op):
    """The volumes' attachments to the source are gone."""
    for volume in _moving(op):
        ctx.volumes.end(volume['attachment_id'])


def _moving(op) -> list[dict]:
    """The volumes that change their host with the server."""
    return [] if op.notes['same'] else op.notes['volumes']


# ------------------------------------------------------------------ what steps do

def record(session, op, found: list[dict]) -> None:
    """The attachments are those to the host where the server is now."""
    for volume in found:
        device = op.notes['devices'][volume['id']]
        attachments.change(session, volume['id'], attachment_id=op.notes['attachment_ids'][volume['id']],
                           connection_info=op.notes['connections'][volume['id']], path=device['path'],
                           path_type=device['type'])


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
