"""Delete an image of a server that nobody needs any more, as soon as the image service lets it."""
from computesvc.operations import places
from svckit import operations
from svckit.operations import Operation, Step


def begin(session, op, *image_ids: str | None) -> None:
    """Start for each of these images, if any, as a child of `op`, which makes them needless."""
    for image_id in {*image_ids} - {None}:
        operations.start(
            session, OPERATION, subject=f'image:{image_id}', resource=op.resource, project_id=op.project_id,
            user_id=op.user_id, request_id=op.request_id, parent_id=op.id, params={'image_id': image_id})


def delete(ctx, op):
    ctx.images.delete(op.params['image_id'])


OPERATION = Operation('drop-image', version=1, steps=[Step(delete, at=places.CONDUCTOR, forever=True)])
