"""The image service, by the Glance v2 API: what an image is, its data, and new ones made of servers' disks.

What is made as this service belongs to the project that it is made for: the service's own user needs the role admin
there.
"""
import contextlib
import hashlib
import logging
import os

from computesvc import errors
from svckit import peer, process
from svckit.operations import Refused

LOG = logging.getLogger(__name__)
CHUNK = 1024 * 1024
PATIENCE = 600.0        # seconds for the service to put away what it was sent
DATA = 'application/octet-stream'
DEAD = ('killed', 'deleted', 'pending_delete')


class Images:

    def __init__(self, conf, session=None):
        self.peer = peer.Peer(conf, 'glance', 'computesvc', session)

    def show(self, context, image_id: str) -> dict:
        """The image as the user sees it; raises BadRequest if there is none, or Unavailable."""
        return self._as_user(context, 'GET', f'/v2/images/{image_id}', image_id=image_id).json()

    def create(self, context, image: dict) -> None:
        """The user has an image with these attributes (its 'id' among them), active and without data.

        Raises BadRequest, Forbidden or Unavailable; there is no such image then.
        """
        self._as_user(context, 'POST', '/v2/images', image)
        try:
            self._as_user(context, 'PUT', f"/v2/images/{image['id']}/file", data=b'', headers={'Content-Type': DATA})
        except errors.Error:
            with contextlib.suppress(errors.Error):
                self._as_user(context, 'DELETE', f"/v2/images/{image['id']}")
            raise

    def _as_user(self, context, method, path, body=None, image_id=None, **kw):
        try:
            return self.peer.call(method, path, body, context=context, **kw)
        except peer.NoAnswer as e:
            raise errors.Unavailable(f'The image service gave no answer: {e}') from e
        except peer.Refusal as e:
            if e.status == 404 and image_id:
                raise errors.BadRequest(f'Image {image_id} could not be found.') from e
            if e.status in (403, 413):
                raise errors.Forbidden(str(e)) from e
            raise errors.BadRequest(str(e)) from e

    def download(self, image_id: str, path: str) -> int:
        """Write the image's data to `path`, durably; returns how many bytes."""
        from requests import RequestException
        try:
            response = self.peer.call('GET', f'/v2/images/{image_id}/file', stream=True, good=(200,))
        except peer.Refusal as e:
            raise Refused(f'Image {image_id}: {e}') from e
        declared = response.headers.get('Content-Length')
        with open(path, 'wb') as file:
            try:
                for chunk in response.iter_content(CHUNK):
                    # Zeros become holes: most of an image is empty.
                    file.write(chunk) if chunk.strip(b'\0') else file.seek(len(chunk), os.SEEK_CUR)
            except RequestException as e:
                raise peer.NoAnswer(f'image service: {e}') from e
            file.truncate()
            if declared and file.tell() != int(declared):
                raise peer.NoAnswer(f'image service: {file.tell()} of {declared} bytes came')
            file.flush()
            process.native(os.fsync, file.fileno())
            return file.tell()

    def url(self, image_id: str) -> str:
        """Where clients find the image; only its path while the service's address cannot be found out."""
        try:
            return f'{self.peer.endpoint(None)}/v2/images/{image_id}'
        except peer.NoAnswer:
            return f'/v2/images/{image_id}'

    # ---------------------------------------------------------------- as this service; each may be repeated

    def look(self, image_id: str) -> dict | None:
        """The image, None if there is none."""
        try:
            return self.peer.call('GET', f'/v2/images/{image_id}').json()
        except peer.Refusal as e:
            return None if e.status == 404 else _refuse(e)

    def make(self, image: dict) -> None:
        """There is an image with these attributes (its 'id' and 'owner' among them), to be sent data."""
        try:
            self.peer.call('POST', '/v2/images', image)
        except peer.Refusal as e:
            if e.status != 409 or self.look(image['id']) is None:
                _refuse(e)

    def upload(self, image_id: str, path: str, size: int, progress=lambda percent: True) -> None:
        """The image is active, and its data are the first `size` bytes of the file, as its size and checksum say.

        `progress` is told percents and answers whether to go on.  Refused if there is no
        such image any more, or if it has other data.
        """
        there = self._there(image_id)
        if there['status'] == 'active':
            digest = process.native(_digest, path, size)
        else:
            data = _Data(path, size, progress)
            try:
                self.peer.call('PUT', f'/v2/images/{image_id}/file', data=data, headers={'Content-Type': DATA},
                               timeout=PATIENCE)
            except peer.Refusal as e:
                if e.status == 409:         # what an earlier try sent is still being put away, or given up
                    raise peer.NoAnswer(f'image {image_id}: {e}') from e
                _refuse(e)
            there, digest = self._there(image_id), data.digest.hexdigest()
        if there['status'] != 'active':
            raise peer.NoAnswer(f"image {image_id} is {there['status']}")
        if there['size'] != size or there.get('checksum') not in (None, digest):
            raise Refused(f"Image {image_id} has {there['size']} bytes that are not those of the disk.")

    def delete(self, image_id: str) -> None:
        """There is no such image; one that was protected meanwhile stays, and the log says so."""
        try:
            self.peer.call('DELETE', f'/v2/images/{image_id}')
        except peer.Refusal as e:
            if e.status == 403:
                LOG.warning('Image %s stays: %s', image_id, e)
            elif e.status != 404:
                _refuse(e)

    def _there(self, image_id):
        found = self.look(image_id)
        if found is None or found['status'] in DEAD:
            raise Refused(f'Image {image_id} was deleted.')
        return found


class _Data:
    """A file's bytes as `requests` sends them: in chunks, of a length known before; they are digested on the way."""

    def __init__(self, path, size, progress):
        self._path, self._size, self._progress = path, size, progress
        self.digest = hashlib.md5(usedforsecurity=False)        # what Glance's `checksum` is

    def __len__(self):
        return self._size

    def __iter__(self):
        sent = 0
        with open(self._path, 'rb') as file:
            while sent < self._size and (chunk := process.native(_next, file, self._size - sent, self.digest)):
                yield chunk
                sent += len(chunk)
                if not self._progress(sent * 100 / self._size):
                    raise Refused('Nobody waits for the image any more.')


def _next(file, left, digest):
    chunk = file.read(min(CHUNK, left))
    digest.update(chunk)
    return chunk


def _digest(path, size):
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file:
        while size > 0 and (chunk := _next(file, size, digest)):
            size -= len(chunk)
    return digest.hexdigest()


def _refuse(refusal: peer.Refusal):
    raise Refused(f'Image service: {refusal}') from refusal
