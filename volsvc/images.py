"""The image service, by the Glance v2 API: what an image is, its data, and new ones made of volumes."""
import urllib.parse

from svckit import images
from svckit.peer import NoAnswer, Peer, Refusal
from volsvc import errors


class Images(images.Images):

    def __init__(self, conf, session=None):
        super().__init__(Peer(conf, 'images', 'volsvc', session))

    def find(self, context, reference: str) -> dict:
        """The image with that id, address or name, as the user sees it.

        BadRequest if there is none for them, Conflict if several have the name, Unavailable.  Source: the Block
        Storage API; the compute service names images by their address, users by their name.
        """
        id = urllib.parse.quote(reference.rstrip('/').rpartition('/')[2], safe='')
        found = self._ask(context, f'/{id}', reference) if id else None
        if found is None:
            named = self._ask(context, f'?{urllib.parse.urlencode({"name": reference})}', reference) or {'images': []}
            if len(named['images']) > 1:
                raise errors.Conflict(f'{len(named["images"])} images are named {reference[:80]}: give the id of one.')
            found = next(iter(named['images']), None)
        if found is None:
            raise errors.BadRequest(f'Image {reference} could not be found.')
        return found

    def _ask(self, context, path, reference) -> dict | None:
        try:
            return self.peer.call('GET', f'/v2/images{path}', context=context).json()
        except NoAnswer as error:
            raise errors.Unavailable(f'The image service gave no answer: {error}') from error
        except Refusal as error:
            if error.status == 404:
                return None
            raise errors.BadRequest(f'Image {reference}: {error}') from error
