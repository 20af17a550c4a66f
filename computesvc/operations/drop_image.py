"""Delete an image that a server was shelved as, and which it no longer needs: as soon as the image service lets it."""
from computesvc.operations import places
from svckit import operations
from svckit.operations import Operation, Step


def of(session, server, op) -> None:
    """If the server was shelved as an image, start as a child of `op`, which makes the image needless."""
    if image_id := server.shelved_image_id:
        _begin(session, op, image_id)


def _begin(session, op, image_id):
    operations.start(session, OPERATION, subject=f'image:{image_id}', resource=op.resource, project_id=op.project_id,
                     user_id=op.user_id, request_id=op.request_id, parent_id=op.id, params={'image_id': image_id})


def delete(ctx, op):
    ctx.images.delete(op.params['image_id'])


OPERATION = Operation('drop-image', version=1, steps=[Step(delete, at=places.CONDUCTOR, forever=True)])
