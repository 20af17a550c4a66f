"""Which images of all a query asks for, in which order, and which page of them."""
import functools
import re
import urllib.parse

from webob import exc

MAX_LIMIT = 1000
DEFAULT_LIMIT = 25
SORT_KEYS = ('name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at', 'updated_at')
FILTERS = ('id', 'name', 'status', 'visibility', 'owner', 'disk_format', 'container_format', 'checksum',
           'protected', 'os_hash_value', 'os_hash_algo')
_NO_FILTERS = ('limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'os_hidden', 'member_status')


def chosen(image, query) -> bool:
    """Whether an image passes the query's filters; a property's name is a filter too."""
    if (query.get('os_hidden', '').lower() == 'true') != image['os_hidden']:
        return False
    for key, wanted in query.items():
        have = image.get(key, image['properties'].get(key)) if key in FILTERS else image['properties'].get(key)
        if key in _NO_FILTERS or (key == 'visibility' and wanted == 'all'):
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


def in_order(images, query):
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


def page(images, query):
    """-> (this page, whether there is another)."""
    limit = min(_number(query.get('limit', str(DEFAULT_LIMIT)), 'limit'), MAX_LIMIT)
    if marker := query.get('marker'):
        ids = [image['id'] for image in images]
        if marker not in ids:
            raise exc.HTTPBadRequest(f'Marker {marker!r} is no image of this list.')
        images = images[ids.index(marker) + 1:]
    return images[:limit], len(images) > limit > 0


def link(query, marker) -> str:
    """The path of a list as `query` asked for it, from `marker` on."""
    words = [(key, value) for key, value in query.items() if key != 'marker']
    words += [('marker', marker)] if marker else []
    return '/v2/images' + ('?' + urllib.parse.urlencode(words) if words else '')


def _number(text, name) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise exc.HTTPBadRequest(f'{name} must be a whole number, not {text!r}.')
    return int(text)
