"""End a volume's connection to a host before the attachment ends, as os-terminate_connection asks for it."""
from svckit.db import swap
from svckit.operations import NO_RETURN, Operation, Step
from volsvc.db.models import Attachment
from volsvc.operations import delete_attachment, places, waiting


def request(context, attachment) -> None:
    """The attachment is as before, but the volume is not connected by it.  Waits for the backend."""
    delete_attachment.check_allowed(context, attachment)
    waiting.joined(context, f'connection:{attachment.id}', OPERATION.name, attachment.volume_id,
                   lambda session: _begin(session, context, attachment))


def _begin(session, context, attachment) -> str | None:
    volume, found = delete_attachment.locked(session, context, attachment)
    if not found.connection_info:
        return None
    return delete_attachment.start(session, context, OPERATION, volume, found)


def withdraw(ctx, op):
    """The attachment is as it was."""
    delete_attachment.put_back(ctx, op)


def stuck(ctx, op):
    """No host reaches the volume by the attachment, which still says so."""
    delete_attachment.say_stuck(ctx, op)


def unexport_volume(ctx, op):
    """The host reaches the volume no more, unless another attachment of it is there too."""
    delete_attachment.unexport_volume(ctx, op)


def forget_connection(ctx, op):
    """The attachment names no connection any more."""
    swap(ctx.session, Attachment, op.params['attachment_id'], {'attach_status': 'detaching'},
         {'attach_status': op.params['before'], 'connector': None, 'connection_info': None})


OPERATION = Operation('end-connection', version=1, withdraw=withdraw, stuck=stuck, steps=[
    Step(unexport_volume, at=places.backend, attempts=3, delay=0.3),
    NO_RETURN,                                       # the host has lost it
    Step(forget_connection, at=places.backend, atomic=True),
])
