"""The image service, by the Glance v2 API: what an image is, and its data."""
from collections.abc import Iterator

from svckit.operations import Refused
from svckit.peer import NoAnswer, Peer, Refusal
from volsvc import errors

CHUNK = 1024 * 1024


class Images:

    def __init__(self, conf, session=None):
        self.peer = Peer(conf, 'images', 'volsvc', session)

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

    def chunks(self, image_id: str) -> Iterator[bytes]:
        """The image's data as this service reads them; Refused if it must not, NoAnswer if they stop coming."""
        from requests import RequestException
        try:
            response = self.peer.call('GET', f'/v2/images/{image_id}/file', stream=True, good=(200,))
        except Refusal as error:
            raise Refused(f'Image {image_id}: {error}') from error
        got, declared = 0, response.headers.get('Content-Length')
        try:
            for chunk in response.iter_content(CHUNK):
                got += len(chunk)
                yield chunk
        except RequestException as error:
            raise NoAnswer(f'image service: {error}') from error
        finally:
            response.close()
        if declared and got != int(declared):
            raise NoAnswer(f'image service: {got} of {declared} bytes came')
