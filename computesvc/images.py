"""The image service, by the Glance v2 API: what an image is, its data, and new ones made of servers' disks."""
import contextlib
import os

from computesvc import errors
from svckit import images, process
from svckit.operations import Refused
from svckit.peer import NoAnswer, Peer, Refusal


class Images(images.Images):

    def __init__(self, conf, session=None):
        super().__init__(Peer(conf, 'glance', 'computesvc', session))

    def show(self, context, image_id: str) -> dict:
        """The image as the user sees it; raises BadRequest if there is none, or Unavailable."""
        return self._as_user(context, 'GET', f'/v2/images/{image_id}', image_id=image_id).json()

    def create(self, context, image: dict) -> None:
        """The user has an image with these attributes (its 'id' among them), active and without data.

        Raises BadRequest, Forbidden or Unavailable; there is no such image then.
        """
        self._as_user(context, 'POST', '/v2/images', image)
        try:
            self._as_user(context, 'PUT', f"/v2/images/{image['id']}/file", data=b'',
                          headers={'Content-Type': images.DATA})
        except errors.Error:
            with contextlib.suppress(errors.Error):
                self._as_user(context, 'DELETE', f"/v2/images/{image['id']}")
            raise

    def _as_user(self, context, method, path, body=None, image_id=None, **kw):
        try:
            return self.peer.call(method, path, body, context=context, **kw)
        except NoAnswer as e:
            raise errors.Unavailable(f'The image service gave no answer: {e}') from e
        except Refusal as e:
            if e.status == 404 and image_id:
                raise errors.BadRequest(f'Image {image_id} could not be found.') from e
            if e.status in (403, 413):
                raise errors.Forbidden(str(e)) from e
            raise errors.BadRequest(str(e)) from e

    def url(self, image_id: str) -> str:
        """Where clients find the image; only its path while the service's address cannot be found out."""
        try:
            return f'{self.peer.endpoint(None)}/v2/images/{image_id}'
        except NoAnswer:
            return f'/v2/images/{image_id}'

    def download(self, image_id: str, path: str) -> int:
        """Write the image's data to `path`, durably; returns how many bytes."""
        with open(path, 'wb') as file:
            for chunk in self.chunks(image_id):
                # Zeros become holes: most of an image is empty.
                file.write(chunk) if chunk.strip(b'\0') else file.seek(len(chunk), os.SEEK_CUR)
            file.truncate()
            file.flush()
            process.native(os.fsync, file.fileno())
            return file.tell()

    def upload_file(self, image_id: str, path: str, size: int, progress=lambda percent: True) -> None:
        """upload() of the first `size` bytes of the file; `progress` is told percents and answers whether to go on."""
        def told(percent):
            if not progress(percent):
                raise Refused('Nobody waits for the image any more.')

        with open(path, 'rb') as file:
            def read(place, count):
                return process.native(os.pread, file.fileno(), count, place)

            self.upload(image_id, size, read, told)
