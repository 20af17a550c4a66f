"""The HTTP API, in the shapes of Glance's v2, reading only.

https://docs.openstack.org/api-ref/image/v2/
"""
import functools
import re
import urllib.parse

from webob import Response, exc

from onebox import rest
from onebox.images import schemas
from onebox.images.folder import Folder
from svckit import process

VERSIONS = ('v2.9', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3', 'v2.2', 'v2.1', 'v2.0')
MAX_LIMIT = 1000
DEFAULT_LIMIT = 25
BLOCK = 256 * 1024
SORT_KEYS = ('name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at', 'updated_at')
FILTERS = ('id', 'name', 'status', 'visibility', 'owner', 'disk_format', 'container_format', 'checksum',
           'protected', 'os_hash_value', 'os_hash_algo')


class Images:
    """The image service's WSGI application is `.application`.

    `authenticate(text)` raises 401 for a token that is no good.
    """

    def __init__(self, folder: Folder, authenticate):
        self._folder = folder
        self._authenticate = authenticate
        self.application = rest.Application({
            '/': {'GET': self.choices},
            '/versions': {'GET': self.versions},
            '/healthcheck': {'GET': lambda request: None},
            '/v2/images': {'GET': self.list},
            '/v2/images/{id}': {'GET': self.show},
            '/v2/images/{id}/file': {'GET': self.download},
            '/v2/images/{id}/members': {'GET': self.members},
            '/v2/schemas/image': {'GET': self.image_schema},
            '/v2/schemas/images': {'GET': self.images_schema},
        }, fault)

    def choices(self, request):
        return rest.json_response(self.versions(request), 300)

    def versions(self, request):
        links = [{'rel': 'self', 'href': f'{request.application_url}/v2/'}]
        return {'versions': [{'id': version, 'status': 'SUPPORTED' if number else 'CURRENT', 'links': links}
                             for number, version in enumerate(VERSIONS)]}

    def list(self, request):
        self._enter(request)
        wanted = [image for image in self._folder.images() if _chosen(image, request.GET)]
        wanted = _sorted(wanted, request.GET)
        page, more = _page(wanted, request.GET)
        answer = {'images': [view(image) for image in page], 'schema': '/v2/schemas/images',
                  'first': _link(request, marker=None)}
        if more:
            answer['next'] = _link(request, marker=page[-1]['id'])
        return answer

    def show(self, request, id):
        self._enter(request)
        return view(self._image(id))

    def download(self, request, id):
        """The file's bytes; `Range` is honoured. 204 while there is nothing to read yet."""
        self._enter(request)
        image = self._image(id)
        if image['status'] != 'active':
            return rest.json_response(None, 204)
        response = Response(conditional_response=True, content_type='application/octet-stream')
        response.app_iter = _Blocks(self._folder.file_of(image), image['size'])
        response.accept_ranges = 'bytes'
        response.content_length = image['size']
        response.headers['Content-MD5'] = image['checksum']
        return response

    def members(self, request, id):
        self._enter(request)
        self._image(id)
        return {'members': [], 'schema': '/v2/schemas/members'}

    def image_schema(self, request):
        self._enter(request)
        return schemas.IMAGE

    def images_schema(self, request):
        self._enter(request)
        return schemas.IMAGES

    def _enter(self, request):
        self._authenticate(request.headers.get('X-Auth-Token', ''))

    def _image(self, image_id) -> dict:
        if image := self._folder.image(image_id):
            return image
        raise exc.HTTPNotFound(f'No image found with ID {image_id}')


class _Blocks:
    """A file in blocks, each read in a native thread; WebOb asks for ranges of it."""

    def __init__(self, path, size):
        self._path = path
        self._size = size

    def __iter__(self):
        return self.app_iter_range(0, self._size)

    def app_iter_range(self, start, stop):
        with open(self._path, 'rb') as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (block := process.native(file.read, min(BLOCK, left))):
                left -= len(block)
                yield block


def fault(request, error):
    """Glance's way: WebOb's own response, JSON for clients that accept it."""
    if error.status_int == 401:
        error.headers['WWW-Authenticate'] = 'Keystone'
    return request.get_response(error)


def view(image: dict) -> dict:
    own = f'/v2/images/{image["id"]}'
    shown = {key: value for key, value in image.items() if key not in ('properties', 'file_name')}
    return {**image['properties'], **shown, 'os_hidden': False, 'self': own, 'file': f'{own}/file',
            'schema': '/v2/schemas/image'}


def _chosen(image, query) -> bool:
    """Whether an image passes the query's filters; a property's name is a filter too."""
    if query.get('os_hidden', '').lower() == 'true':
        return False
    for key, wanted in query.items():
        have = image.get(key, image['properties'].get(key)) if key in FILTERS else image['properties'].get(key)
        if key in ('limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'os_hidden', 'member_status') or (
                key == 'visibility' and wanted == 'all'):
            continue
        if key in ('size_min', 'size_max'):
            size = _number(wanted, key)
            if image['size'] is None or (image['size'] < size if key == 'size_min' else image['size'] > size):
                return False
        elif key == 'tag':
            if wanted not in image['tags']:
                return False
        elif not _is(have, wanted):
            return False
    return True


def _is(value, wanted: str) -> bool:
    """Equal as text, or one of `in:a,"b,c"`."""
    text = str(value).lower() if isinstance(value, bool) else value
    if not wanted.startswith('in:'):
        return text == wanted
    return text in [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^,]+)', wanted[3:])]


def _sorted(images, query):
    """By `sort=key:dir,…` or `sort_key` and `sort_dir`; the newest first without a wish."""
    if 'sort' in query:
        orders = [part.partition(':')[::2] for part in query['sort'].split(',')]
    else:
        directions = query.getall('sort_dir') or ['desc']
        keys = query.getall('sort_key') or ['created_at']
        orders = [(key, directions[min(number, len(directions) - 1)]) for number, key in enumerate(keys)]
    for key, direction in reversed(orders):
        if key not in SORT_KEYS or direction not in ('', 'asc', 'desc'):
            raise exc.HTTPBadRequest(f'Images cannot be sorted by {key!r} {direction!r}.')
        images = sorted(images, key=functools.partial(_rank, key), reverse=direction != 'asc')
    return images


def _rank(key, image):
    return image[key] is not None, image[key]


def _page(images, query):
    """-> (this page, whether there is another)."""
    limit = min(_number(query.get('limit', str(DEFAULT_LIMIT)), 'limit'), MAX_LIMIT)
    if marker := query.get('marker'):
        ids = [image['id'] for image in images]
        if marker not in ids:
            raise exc.HTTPBadRequest(f'Marker {marker!r} is no image of this list.')
        images = images[ids.index(marker) + 1:]
    return images[:limit], len(images) > limit > 0


def _number(text, name) -> int:
    if not text.isascii() or not text.isdigit():
        raise exc.HTTPBadRequest(f'{name} must be a whole number, not {text!r}.')
    return int(text)


def _link(request, marker) -> str:
    query = [(key, value) for key, value in request.GET.items() if key != 'marker']
    query += [('marker', marker)] if marker else []
    return '/v2/images' + ('?' + urllib.parse.urlencode(query) if query else '')
