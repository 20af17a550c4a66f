"""Detach a volume from a server: the way of attaching, backwards; from one on no host, only what needs none."""
from computesvc import errors
from computesvc.db import actions, attachments
from computesvc.db.models import Attachment
from computesvc.operations import places, server_state
from svckit import operations
from svckit.operations import NO_RETURN, Operation, Step


def request(context, server, attachment) -> str:
    """Start; a growth that still waits for its host ends here and never blocks this."""
    subject = f'plug:{attachment.id}'

    def work(session):
        row = server_state.pluggable(session, server.id, 'detach_volume')
        if not attachments.mark(session, attachment.id, 'attached', 'detaching'):
            raise errors.InvalidVolume(f'Invalid volume: volume {attachment.volume_id} is being attached or detached.')
        end_growth(session, attachment.id, 'The volume is being detached.')
        actions.begin(session, context, row, 'detach_volume', 'compute_detach_volume', subject)
        return operations.start(
            session, OPERATION, subject=subject, resource=f'server:{server.id}', project_id=server.project_id,
            user_id=context.user_id, request_id=context.request_id,
            params={'host': row.host, 'attachment': attachments.view(
                session.get(Attachment, attachment.id, populate_existing=True))})
    return context.db.run(work)


def end_growth(session, attachment_id: str, reason: str) -> None:
    """Nobody waits any longer for the attachment's guest to see a new size."""
    subject = f'attachment:{attachment_id}'
    operations.cancel(session, subject, reason, ['extend-volume'])
    actions.finish(session, subject, reason)


def withdraw(ctx, op):
    attachments.mark(ctx.session, op.params['attachment']['id'], 'detaching', 'attached')
    actions.finish(ctx.session, op.subject, op.error or 'undone')


def unplug(ctx, op):
    if op.params['host'] is None:
        return
    attachment = op.params['attachment']
    with ctx.turn(attachment['server_id']):
        ctx.hypervisor.detach_disk(attachment['server_id'], attachment['volume_id'])


def undo_unplug(ctx, op):
    """Plugs it in again, on a device that is surely there."""
    if op.params['host'] is None:
        return
    attachment = op.params['attachment']
    connection = attachment['connection_info']
    with ctx.turn(attachment['server_id']), ctx.devices.held({attachment['volume_id']: (connection, None)}) as devices:
        ctx.hypervisor.attach_disk(attachment['server_id'], attachments.disk(
            attachment, devices[attachment['volume_id']], connection))


def disconnect_device(ctx, op):
    if op.params['host'] is None:
        return
    attachment = op.params['attachment']
    ctx.devices.disconnect(attachment['volume_id'], attachment['connection_info'], attachments.device(attachment))


def undo_disconnect_device(ctx, op):
    if op.params['host'] is None:
        return
    attachment = op.params['attachment']
    ctx.devices.connect(attachment['volume_id'], attachment['connection_info'])


def release(ctx, op):
    attachment = op.params['attachment']
    ctx.volumes.release(attachment['volume_id'], attachment['server_id'], attachment['attachment_id'])


def record(ctx, op):
    attachments.remove(ctx.session, op.params['attachment']['id'])
    actions.finish(ctx.session, op.subject)
    ctx.notify('volume_detach', op)


OPERATION = Operation('detach-volume', version=1, withdraw=withdraw, steps=[
    Step(unplug, at=places.agent_if_any, undo=undo_unplug, delay=2.0),
    Step(disconnect_device, at=places.agent_if_any, undo=undo_disconnect_device),
    NO_RETURN,
    Step(release, at=places.CONDUCTOR, forever=True),
    Step(record, at=places.CONDUCTOR, atomic=True, forever=True),
])
