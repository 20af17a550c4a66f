"""Attach a volume to a server: reserved, connected, plugged in, complete; undone from wherever it fails.

A server that is shelved and on no host has it without all that needs one, and finds it when it starts again.
"""
import time

from oslo_db import exception as db_exc

from computesvc import errors
from computesvc.db import actions, attachments, local_disks
from computesvc.db.models import Attachment
from computesvc.operations import places, server_state
from computesvc.volumes import GIB
from svckit import operations
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server, volume: dict, *, device=None, tag=None, delete_on_termination=False) -> Attachment:
    """Give the volume a place on the server and start; raises what a user can put right.

    The volume service's own word on whether this server may have the volume comes
    with the first step; it is waited for a moment, so that its refusal is the answer.
    """
    for _ in range(10):
        try:
            attachment, op_id = context.db.run(
                lambda session: _begin(session, context, server, volume, device, tag, delete_on_termination))
            break
        except db_exc.DBDuplicateEntry:
            continue                # somebody else took the device or the volume: look again
    else:
        raise errors.Conflict(f'Instance {server.id} is changing too fast; please try again.')
    return _reserved(context, server, attachment, op_id)


def _begin(session, context, server, volume, device, tag, delete_on_termination):
    server = server_state.pluggable(session, server.id, 'attach_volume')
    there = attachments.of_server(session, server.id)
    if any(a.volume_id == volume['id'] for a in there):
        raise errors.InvalidVolume(f"Invalid volume: volume {volume['id']} is already attached to instance {server.id}")
    taken = {a.device for a in there} | {disk['device'] for disk in local_disks.all_of(
        server.root_disk, server.local_disks, server.root_device)}
    if server.image_id:             # of a shelved server it comes back
        taken.add(server.root_device)
    if device in taken:
        raise errors.DeviceInUse(device)
    attachment = Attachment(
        server_id=server.id, volume_id=volume['id'], device=device or attachments.free_device(taken), tag=tag,
        delete_on_termination=delete_on_termination, size=volume['size'] * GIB)
    session.add(attachment)
    session.flush()
    subject = f'plug:{attachment.id}'
    actions.begin(session, context, server, 'attach_volume', 'compute_attach_volume', subject)
    op_id = operations.start(
        session, OPERATION, subject=subject, resource=f'server:{server.id}', project_id=server.project_id,
        user_id=context.user_id, request_id=context.request_id,
        params={'host': server.host, 'attachment': attachments.view(attachment),
                'multiattach': bool(volume.get('multiattach'))})
    return attachment, op_id


def _reserved(context, server, attachment, op_id) -> Attachment:
    """Wait until the volume is reserved; raises InvalidVolume with the reason if it will not be."""
    end = time.monotonic() + context.service.conf.reserve_wait
    pause = 0.002
    while time.monotonic() < end:
        with context.db.reader() as session:
            op = operations.get(session, op_id)
            if op.state == 'done' or (op.state == 'running' and op.position > 0):
                return session.get(Attachment, attachment.id) or attachment
        if op.state == 'undone':
            raise errors.InvalidVolume(f'Invalid volume: {op.error}')
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return attachment


def withdraw(ctx, op):
    attachments.remove(ctx.session, op.params['attachment']['id'])
    actions.finish(ctx.session, op.subject, op.error or 'undone')


def reserve(ctx, op):
    """The volume is this server's; nobody else can have it or delete it."""
    attachment = op.params['attachment']
    id = ctx.volumes.reserve(attachment['volume_id'], attachment['server_id'])
    ctx.db.run(lambda session: attachments.change(session, attachment['id'], attachment_id=id))
    return {'attachment_id': id}


def undo_reserve(ctx, op):
    """Also takes back the connection that make_connection() asked for."""
    attachment = op.params['attachment']
    ctx.volumes.release(attachment['volume_id'], attachment['server_id'], op.notes.get('attachment_id'))


def ask_connector(ctx, op):
    if op.params['host'] is None:
        return None
    return {'connector': ctx.devices.properties()}


def make_connection(ctx, op):
    if op.params['host'] is None:
        return None
    attachment = op.params['attachment']
    connector = op.notes['connector'] | {'mountpoint': attachment['device']}
    connection = ctx.volumes.connect(op.notes['attachment_id'], connector)
    connection['multiattach'] = op.params.get('multiattach', False)
    ctx.db.run(lambda session: attachments.change(session, attachment['id'], connection_info=connection))
    return {'connection': connection}


def connect_device(ctx, op):
    if op.params['host'] is None:
        return None
    return {'device': ctx.devices.connect(op.params['attachment']['volume_id'], op.notes['connection'])}


def undo_connect_device(ctx, op):
    if 'connection' in op.notes:
        ctx.devices.disconnect(op.params['attachment']['volume_id'], op.notes['connection'], op.notes.get('device'))


def plug(ctx, op):
    if op.params['host'] is None:
        return None
    attachment, connection = op.params['attachment'], op.notes['connection']
    wanted = {attachment['volume_id']: (connection, op.notes['device'])}
    with ctx.turn(attachment['server_id']), ctx.devices.held(wanted) as devices:
        device = devices[attachment['volume_id']]
        ctx.hypervisor.attach_disk(attachment['server_id'], attachments.disk(attachment, device, connection))
    return {'device': device}


def undo_plug(ctx, op):
    if op.params['host'] is None:
        return
    attachment = op.params['attachment']
    with ctx.turn(attachment['server_id']):
        ctx.hypervisor.detach_disk(attachment['server_id'], attachment['volume_id'])


def complete(ctx, op):
    ctx.volumes.complete(op.notes['attachment_id'])


def record(ctx, op):
    device = op.notes.get('device', {})
    attachments.change(ctx.session, op.params['attachment']['id'], state='attached', path=device.get('path'),
                       path_type=device.get('type'), connection_info=op.notes.get('connection'),
                       attachment_id=op.notes['attachment_id'])
    actions.finish(ctx.session, op.subject)
    ctx.notify('volume_attach', op)


OPERATION = Operation('attach-volume', version=1, withdraw=withdraw, steps=[
    Step(reserve, at=places.CONDUCTOR, undo=undo_reserve),
    Step(ask_connector, at=places.agent_if_any),
    Step(make_connection, at=places.CONDUCTOR),
    Step(connect_device, at=places.agent_if_any, undo=undo_connect_device),
    Step(plug, at=places.agent_if_any, undo=undo_plug),
    Step(complete, at=places.CONDUCTOR),
    NO_RETURN,
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
