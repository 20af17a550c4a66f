"""The image service, by the Glance v2 API: what an image is, its data, and new ones made of volumes."""
from svckit import images
from svckit.peer import NoAnswer, Peer, Refusal
from volsvc import errors


class Images(images.Images):

    def __init__(self, conf, session=None):
        super().__init__(Peer(conf, 'images', 'volsvc', session))

    def show(self, context, image_id: str) -> dict:
        """The image as the user sees it; BadRequest if there is none for them, Unavailable."""
        try:
            return self.peer.call('GET', f'/v2/images/{image_id}', context=context).json()
        except NoAnswer as error:
            raise errors.Unavailable(f'The image service gave no answer: {error}') from error
        except Refusal as error:
            if error.status == 404:
                raise errors.BadRequest(f'Image {image_id} could not be found.') from error
            raise errors.BadRequest(f'Image {image_id}: {error}') from error
