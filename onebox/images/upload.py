"""Taking in an image's data from a request, however it ends."""
from webob import exc

from onebox.images import made

TYPE = 'application/octet-stream'


def receive(library, image, request) -> None:
    """The image has the request's body as its data and is active; otherwise it is 'queued' as before.

    400 for a body that ends early or has another length than was announced, 409 for an
    image that has data already, 413 where the disk has no room, 415 for another type.
    """
    if request.content_type != TYPE:
        raise exc.HTTPUnsupportedMediaType(f'The data of an image must come as {TYPE}.')
    if not image['disk_format'] or not image['container_format']:
        raise exc.HTTPBadRequest('disk_format and container_format must be set before data can be uploaded.')
    source = _Body(request)
    try:
        library.receive(image['id'], source.read)
    except made.Busy:
        raise _end(request, exc.HTTPConflict(f'Image {image["id"]} has its data, or is being sent them.')) from None
    except made.Gone:
        raise _end(request, exc.HTTPGone(f'Image {image["id"]} was deleted while its data came.')) from None
    except made.NoRoom:
        raise _end(request, exc.HTTPRequestEntityTooLarge('There is no room left for these data.')) from None
    except (EOFError, OSError, ValueError) as error:
        raise _end(request, exc.HTTPBadRequest(f'The data could not be read: {error}')) from None


class _Body:
    """The bytes of a request, whatever way they come; EOFError if there are fewer or more than was said."""

    def __init__(self, request):
        # What an HTTP server puts here ends where the body does, chunked or not.
        self._input = request.environ['wsgi.input']
        self._chunked = 'chunked' in request.headers.get('Transfer-Encoding', '').lower()
        lengths = (None if self._chunked else request.content_length or 0,
                   request.headers.get('X-OpenStack-Image-Size'))
        self._announced = [_number(length) for length in lengths if length is not None]
        self._got = 0

    def read(self, size) -> bytes:
        left = size if self._chunked else min(size, self._announced[0] - self._got)
        block = self._input.read(left) if left > 0 else b''
        self._got += len(block)
        if self._announced and (self._got > max(self._announced) or not block and {self._got} != set(self._announced)):
            raise EOFError(f'{self._got} bytes came, but {" and ".join(map(str, self._announced))} were announced')
        return block


def _number(length) -> int:
    text = str(length)
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise exc.HTTPBadRequest('X-OpenStack-Image-Size must be a whole number.')
    return int(text)


def _end(request, error):
    """What is left of the body is not read: the connection ends with the answer."""
    if close := request.environ.get('svckit.close'):
        close()
    return error
