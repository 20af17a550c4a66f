"""What shelving a server, taking it off its host, and imaging its disk have in common.

A shelved server is off.  It may still be on its host; taken off it, only its record is
left: its volumes stay its own, its root disk is an image, and what its ephemeral
disks held is gone, as in Nova.
"""
import os

from computesvc.db import actions, attachments, claims, servers, states
from computesvc.db.models import Server
from computesvc.host import base, snapshots
from computesvc.operations import moving
from svckit import process
from svckit.db import new_id, swap, utcnow
from svckit.operations import Refused

SHELVING, OFFLOADING, UNSHELVING = 'shelving', 'shelving_offloading', 'unshelving'
PENDING, UPLOADING = 'shelving_image_pending_upload', 'shelving_image_uploading'
SNAPSHOT, SNAPSHOT_PENDING, SNAPSHOT_UPLOADING = 'image_snapshot_pending', 'image_pending_upload', 'image_uploading'
BUSY = (SHELVING, PENDING, UPLOADING, OFFLOADING, UNSHELVING, SNAPSHOT, SNAPSHOT_PENDING, SNAPSHOT_UPLOADING)

# What an image says of itself beside its properties, and properties that would not be true of another image.
_ATTRIBUTES = {'id', 'name', 'status', 'visibility', 'owner', 'checksum', 'disk_format', 'container_format', 'file',
               'schema', 'self', 'created_at', 'updated_at', 'os_hash_algo', 'os_hash_value', 'direct_url', 'stores'}
_ITS_OWN = ('owner_specified.', 'os_glance', 'img_signature', 'cinder_encryption')


def image_of(row, user_id: str, name: str, properties: dict) -> dict:
    """The image that is to be made of a server's root disk: its project's, and nobody else's."""
    return {**properties, 'id': new_id(), 'owner': row.project_id, 'name': name[:255], 'visibility': 'private',
            'disk_format': 'raw', 'container_format': 'bare', 'min_disk': row.root_gb, 'instance_uuid': row.id,
            'user_id': user_id or '', 'image_type': 'snapshot', 'base_image_ref': row.image_id or ''}


def on_host(row) -> dict:
    """The server's disks there, as parameters; its volumes are looked up by the operation's first step."""
    return {'root_disk': row.root_disk, 'local_disks': row.local_disks, 'networks': row.networks}


def mark(ctx, op, word: str) -> None:
    """Users see what the server is busy with; one that is being deleted stays so."""
    ctx.db.run(lambda session: swap(session, Server, op.params['server']['id'],
                                    {'task_state': BUSY, 'deleted_at': None}, {'task_state': word}))


def end(ctx, op, **values) -> None:
    """The operation did it: the server is as `values` say and may be asked again."""
    servers.settle(ctx.session, op.params['server']['id'], BUSY, progress=0, fault=None, **values)
    actions.finish(ctx.session, op.subject)


def withdraw(ctx, op) -> None:
    """Nothing came of it: the server is as before, and its fault and its action say why."""
    reason = op.error or 'undone'
    servers.settle(ctx.session, op.params['server']['id'], BUSY, progress=0, fault=servers.blame(reason))
    actions.finish(ctx.session, op.subject, reason)


# ------------------------------------------------------------------ steps

def find_volumes(ctx, op) -> dict:
    """None of the server's volumes is on its way to it or from it, and growths wait until the server is elsewhere."""
    id = op.params['server']['id']
    found = moving.volumes(ctx.session, id, op)
    moving.hold_growths(ctx.session, id, found)
    return {'volumes': found}


def shut_down(ctx, op):
    id = op.params['server']['id']
    with ctx.turn(id):
        try:
            ctx.hypervisor.power_off(id, ctx.conf.agent.shutdown_timeout)
        except base.ServerNotFound:
            pass


def undo_shut_down(ctx, op):
    """It runs again, or stands still again, though what a paused one had in memory is lost."""
    server, was = op.params['server'], op.params['was']
    if was == states.STOPPED or ctx.hypervisor.power_state(server['id']) in (base.RUNNING, base.PAUSED):
        return
    with ctx.turn(server['id']):
        ctx.define(server, op.params['disks'] | {'attachments': op.notes['volumes']})
        ctx.hypervisor.power_on(server['id'])
        if was == states.PAUSED:
            ctx.hypervisor.pause(server['id'])


def make_image(ctx, op):
    """There is an image, still without data."""
    image, words = op.params['image'], op.params['words']
    if image:
        mark(ctx, op, words['pending'])
        ctx.images.make({**_inherited(ctx, image), **image})
        mark(ctx, op, words['uploading'])


def undo_make_image(ctx, op):
    if op.params['image']:
        ctx.images.delete(op.params['image']['id'])


def upload(ctx, op, path: str) -> None:
    """The image holds the disk in that file.

    Zeros at the end of the disk are not sent where the image says how large a disk must be.
    """
    image = op.params['image']
    size = process.native(snapshots.used if image['min_disk'] else os.path.getsize, path)
    ctx.images.upload_file(image['id'], path, size, ctx.progress(op))


def _inherited(ctx, image) -> dict:
    """What is true of a server's disk because it was of the image it came from; nothing if that image is gone."""
    base_image = (ctx.images.look(image['base_image_ref']) if image['base_image_ref'] else None) or {}
    kept = {name: value for name, value in base_image.items()
            if name not in _ATTRIBUTES and isinstance(value, str) and not name.startswith(_ITS_OWN)}
    return kept | {'min_ram': base_image.get('min_ram') or 0}


def leave_host(ctx, op):
    """Nothing of the server is on its host."""
    id = op.params['server']['id']
    with ctx.turn(id):
        ctx.hypervisor.undefine(id)
        for volume in op.notes['volumes']:
            ctx.devices.disconnect(volume['volume_id'], volume['connection_info'], attachments.device(volume))
        ctx.local_disks.remove(id)


def keep_volumes(ctx, op):
    """The volumes are the server's, but connected to no host.

    In-use as before, so that they can grow meanwhile: as Nova has those that it attaches to a server without a host.
    """
    for volume in op.notes['volumes']:
        reserve_anew(ctx, volume)


def reserve_anew(ctx, volume: dict) -> None:
    """A volume's attachment is one without a host, in place of the one that `volume` names."""
    try:
        id = ctx.volumes.reserve_another(volume['volume_id'], volume['server_id'], [volume['attachment_id']])
        ctx.volumes.complete(id)
    except Refused:
        if ctx.volumes.get(volume['volume_id']) is not None:
            raise
        id = None
    ctx.db.run(lambda session: attachments.change(session, volume['id'], attachment_id=id, connection_info=None,
                                                  path=None, path_type=None))
    ctx.volumes.end(volume['attachment_id'])


def record_offloaded(ctx, op):
    """The server is nowhere and holds no room; its blank disks are made anew where it starts again."""
    id = op.params['server']['id']
    claims.release(ctx.session, claims.key(id))
    blanks = [{name: value for name, value in disk.items() if name != 'path'}
              for disk in op.params['disks']['local_disks'] or ()]
    end(ctx, op, vm_state=states.OFFLOADED, power_state=states.SHUTDOWN, host=None, node=None, root_disk=None,
        local_disks=blanks or None)
    ctx.notify('shelve_offload.end', op)


def shelved(ctx, op, **values) -> dict:
    """What a shelved server's row says."""
    image = op.params['image']
    return {'vm_state': states.SHELVED, 'power_state': states.SHUTDOWN, 'shelved_at': utcnow(),
            'shelved_image_id': image['id'] if image else None, **values}
