"""The image service, by the Glance v2 API: what an image is, and its data."""
import os

from computesvc import errors
from svckit import peer, process
from svckit.operations import Refused

CHUNK = 1024 * 1024


class Images:

    def __init__(self, conf, session=None):
        self.peer = peer.Peer(conf, 'glance', 'computesvc', session)

    def show(self, context, image_id: str) -> dict:
        """The image as the user sees it; raises BadRequest if there is none, or Unavailable."""
        try:
            return self.peer.call('GET', f'/v2/images/{image_id}', context=context).json()
        except peer.NoAnswer as e:
            raise errors.Unavailable(f'The image service gave no answer: {e}') from e
        except peer.Refusal as e:
            if e.status == 404:
                raise errors.BadRequest(f'Image {image_id} could not be found.') from e
            raise errors.BadRequest(str(e)) from e

    def download(self, image_id: str, path: str) -> int:
        """Write the image's data to `path`, durably; returns how many bytes."""
        try:
            response = self.peer.call('GET', f'/v2/images/{image_id}/file', stream=True, good=(200,))
        except peer.Refusal as e:
            raise Refused(f'Image {image_id}: {e}') from e
        with open(path, 'wb') as file:
            for chunk in response.iter_content(CHUNK):
                # Zeros become holes: most of an image is empty.
                file.write(chunk) if chunk.strip(b'\0') else file.seek(len(chunk), os.SEEK_CUR)
            file.truncate()
            file.flush()
            process.native(os.fsync, file.fileno())
            return file.tell()
