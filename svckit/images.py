"""The image service, by the Glance v2 API, as a service uses it: what an image is, its data, and new ones.

What is made so belongs to the project that it is made for: the service's own user needs the role admin there.  Every
method may be repeated.
"""
import hashlib
import logging
from collections.abc import Callable, Iterator

from svckit import process
from svckit.operations import Refused
from svckit.peer import NoAnswer, Peer, Refusal

LOG = logging.getLogger(__name__)
CHUNK = 1024 * 1024
PATIENCE = 600.0        # seconds for the service to put away what it was sent
DATA = 'application/octet-stream'
PATCH = 'application/openstack-images-v2.1-json-patch'
OVER_LIMIT = 'Image service, beyond its limits'         # how its refusals begin that say so (413)
DEAD = ('killed', 'deleted', 'pending_delete')


class Images:
    """Each service adds what it asks in its users' names, with its own errors."""

    def __init__(self, peer: Peer):
        self.peer = peer

    def look(self, image_id: str) -> dict | None:
        """The image, None if there is none."""
        try:
            return self.peer.call('GET', f'/v2/images/{image_id}').json()
        except Refusal as error:
            if error.status == 404:
                return None
            raise _refused(error) from error

    def chunks(self, image_id: str) -> Iterator[bytes]:
        """The image's data; Refused if it must not read them, NoAnswer if they stop coming."""
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

    def make(self, image: dict) -> None:
        """There is an image with these attributes (its 'id' and 'owner' among them), to be sent data."""
        try:
            self.peer.call('POST', '/v2/images', image)
        except Refusal as error:
            if error.status != 409 or self.look(image['id']) is None:
                raise _refused(error) from error

    def upload(self, image_id: str, size: int, read: Callable[[int, int], bytes], progress) -> None:
        """The image is active and its data are `size` bytes, of which read(place, count) gives some.

        `progress` is told percents.  Refused if there is no such image any more, or if it has other data.
        """
        data = _Data(size, read, progress)
        if self._there(image_id)['status'] == 'active':
            for _ in data:
                pass
        else:
            self._send(image_id, data)
        there = self._there(image_id)
        if there['status'] != 'active':
            raise NoAnswer(f"image {image_id} is {there['status']}")
        if there['size'] != size or there.get('checksum') not in (None, data.digest.hexdigest()):
            raise Refused(f"Image {image_id} has {there['size']} bytes that are not those it was to have.")

    def _send(self, image_id, data):
        try:
            self.peer.call('PUT', f'/v2/images/{image_id}/file', data=data, headers={'Content-Type': DATA},
                           timeout=PATIENCE)
        except Refusal as error:
            if error.status == 409:         # what an earlier try sent is still being put away, or given up
                raise NoAnswer(f'image {image_id}: {error}') from error
            raise _refused(error) from error

    def protect(self, image_id: str, protected: bool = True) -> None:
        """Nobody deletes the image by mistake, if it is there."""
        change = [{'op': 'replace', 'path': '/protected', 'value': protected}]
        try:
            self.peer.call('PATCH', f'/v2/images/{image_id}', change, headers={'Content-Type': PATCH})
        except Refusal as error:
            LOG.warning('Image %s is not protected: %s', image_id, error)

    def delete(self, image_id: str) -> None:
        """There is no such image; one that was protected meanwhile stays, and the log says so."""
        try:
            self.peer.call('DELETE', f'/v2/images/{image_id}')
        except Refusal as error:
            if error.status == 403:
                LOG.warning('Image %s stays: %s', image_id, error)
            elif error.status != 404:
                raise _refused(error) from error

    def _there(self, image_id) -> dict:
        found = self.look(image_id)
        if found is None or found['status'] in DEAD:
            raise Refused(f'Image {image_id} was deleted.')
        return found


class _Data:
    """Bytes as `requests` sends them: in chunks, of a length known before; they are digested on the way."""

    def __init__(self, size, read, progress):
        self._size, self._read, self._progress = size, read, progress
        self.digest = hashlib.md5(usedforsecurity=False)        # what Glance's `checksum` is

    def __len__(self):
        return self._size

    def __iter__(self):
        sent = 0
        while sent < self._size and (chunk := self._read(sent, min(CHUNK, self._size - sent))):
            process.native(self.digest.update, chunk)
            yield chunk
            sent += len(chunk)
            self._progress(sent * 100 / self._size)


def _refused(refusal: Refusal) -> Refused:
    return Refused(f'{OVER_LIMIT if refusal.status == 413 else "Image service"}: {str(refusal).rstrip(".")}.')
