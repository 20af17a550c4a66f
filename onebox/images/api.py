"""The HTTP API, in the shapes of Glance's v2.

https://docs.openstack.org/api-ref/image/v2/
"""
from webob import Response, exc

from onebox import rest
from onebox.images import access, changes, lists, schemas, upload
from onebox.images.library import Library
from onebox.images.members import Members
from svckit import process

VERSIONS = ('v2.9', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3', 'v2.2', 'v2.1', 'v2.0')
BLOCK = 256 * 1024
PATCH = 'application/openstack-images-v2.1-json-patch'
MOST = 1000             # images that one project can make


class Images:
    """The image service's WSGI application is `.application`.

    `callers(text)` is the Caller that a token stands for, and raises 401 for one that is no good.
    """

    def __init__(self, library: Library, callers):
        self.library = library
        self._callers = callers
        self.application = rest.Application({
            '/': {'GET': self.choices},
            '/versions': {'GET': self.versions},
            '/healthcheck': {'GET': lambda request: None},
            '/v2/images': {'GET': self.list, 'POST': self.create},
            '/v2/images/{id}': {'GET': self.show, 'PATCH': self.update, 'DELETE': self.delete},
            '/v2/images/{id}/file': {'GET': self.download, 'PUT': self.upload},
            '/v2/images/{id}/tags/{tag}': {'PUT': self.add_tag, 'DELETE': self.remove_tag},
            '/v2/images/{id}/actions/deactivate': {'POST': self.deactivate},
            '/v2/images/{id}/actions/reactivate': {'POST': self.reactivate},
            **Members(self).routes,
            '/v2/schemas/image': {'GET': self.image_schema},
            '/v2/schemas/images': {'GET': self.images_schema},
        }, fault)

    def choices(self, request):
        return rest.json_response(self.versions(request), 300)

    def versions(self, request):
        links = [{'rel': 'self', 'href': f'{request.application_url}/v2/'}]
        return {'versions': [{'id': version, 'status': 'SUPPORTED' if number else 'CURRENT', 'links': links}
                             for number, version in enumerate(VERSIONS)]}

    # Reading

    def list(self, request):
        caller, query = self._enter(request), request.GET
        wanted = [image for image in self.library.images()
                  if access.lists(caller, image, query) and lists.chosen(image, query)]
        page, more = lists.page(lists.in_order(wanted, query), query)
        answer = {'images': [view(image) for image in page], 'schema': '/v2/schemas/images',
                  'first': lists.link(query, marker=None)}
        if more:
            answer['next'] = lists.link(query, marker=page[-1]['id'])
        return answer

    def show(self, request, id):
        return view(self.find(request, id)[1])

    def download(self, request, id):
        """The file's bytes; `Range` is honoured. 204 while there is nothing to read yet."""
        caller, image = self.find(request, id)
        if image['status'] == 'deactivated' and not caller.admin:
            raise exc.HTTPForbidden('The requested image has been deactivated. Image data download is forbidden.')
        if image['status'] not in ('active', 'deactivated'):
            return rest.json_response(None, 204)
        response = Response(conditional_response=True, content_type='application/octet-stream')
        response.app_iter = _Blocks(self.library.file_of(image), image['size'])
        response.accept_ranges = 'bytes'
        response.content_length = image['size']
        response.headers['Content-MD5'] = image['checksum']
        return response

    # Writing

    def create(self, request):
        caller = self._enter(request)
        if caller.project_id is None:
            raise exc.HTTPForbidden('A token without a project cannot make images.')
        image = changes.new(rest.json_body(request), caller)
        if sum(one['owner'] == image['owner'] for one in self.library.images()) >= MOST:
            raise exc.HTTPRequestEntityTooLarge(f'A project can have {MOST} images at most.')
        if not self.library.add(image):
            raise exc.HTTPConflict(f'Image ID {image["id"]} already exists!')
        made = view(self.library.image(image['id']))
        return rest.json_response(made, 201, {'Location': f'{request.application_url}{made["self"]}'})

    def update(self, request, id):
        caller, image = self.find(request, id, change=True)
        if request.content_type != PATCH:
            raise exc.HTTPUnsupportedMediaType(f'An image is changed by {PATCH}.', headers={'Accept-Patch': PATCH})
        self.library.change(image, **changes.patched(image, rest.json_body(request, list), caller))
        return view(self._again(id))

    def delete(self, request, id):
        _, image = self.find(request, id, change=True)
        if image['protected']:
            raise exc.HTTPForbidden(f'Image {id} is protected and cannot be deleted.')
        self.library.remove(image)
        return rest.json_response(None, 204)

    def upload(self, request, id):
        _, image = self.find(request, id, change=True)
        upload.receive(self.library, image, request)
        return rest.json_response(None, 204)

    def add_tag(self, request, id, tag):
        return self._tag(request, id, lambda tags: [*tags, tag])

    def remove_tag(self, request, id, tag):
        def without(tags):
            if tag not in tags:
                raise exc.HTTPNotFound(f'Image {id} has no tag {tag}.')
            return [one for one in tags if one != tag]
        return self._tag(request, id, without)

    def _tag(self, request, id, change):
        caller, image = self.find(request, id, change=True)
        patch = [{'op': 'replace', 'path': '/tags', 'value': change(image['tags'])}]
        self.library.change(image, **changes.patched(image, patch, caller))
        return rest.json_response(None, 204)

    def deactivate(self, request, id):
        return self._turn(request, id, 'active', 'deactivated')

    def reactivate(self, request, id):
        return self._turn(request, id, 'deactivated', 'active')

    def _turn(self, request, id, before, after):
        """Only administrators say whose data may be read, as in Glance."""
        caller, image = self.find(request, id, change=True)
        if not caller.admin:
            raise exc.HTTPForbidden('You are not authorized to complete this action.')
        if image['status'] not in (before, after):
            raise exc.HTTPForbidden(f'Image status {image["status"]} cannot become {after}.')
        self.library.change(image, status=after)
        return rest.json_response(None, 204)

    # The rest

    def image_schema(self, request):
        self._enter(request)
        return schemas.IMAGE

    def images_schema(self, request):
        self._enter(request)
        return schemas.IMAGES

    def find(self, request, id, change=False):
        """(caller, image); 404 for one that the caller may not know of, 403 for one they may not `change`."""
        caller = self._enter(request)
        image = self._again(id)
        if not access.sees(caller, image):
            raise _not_found(id)
        if change and not access.changes(caller, image):
            raise exc.HTTPForbidden(f'You are not permitted to change image {id}.')
        return caller, image

    def _enter(self, request):
        return self._callers(request.headers.get('X-Auth-Token', ''))

    def _again(self, image_id) -> dict:
        if image := self.library.image(image_id):
            return image
        raise _not_found(image_id)


class _Blocks:
    """A file in blocks, each read in a native thread; WebOb asks for ranges of it."""

    def __init__(self, path, size):
        self._file = open(path, 'rb')       # now: it may be deleted while it is read
        self._size = size

    def __iter__(self):
        return self.app_iter_range(0, self._size)

    def app_iter_range(self, start, stop):
        with self._file as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (block := process.native(file.read, min(BLOCK, left))):
                left -= len(block)
                yield block

    def close(self):
        self._file.close()


def fault(request, error):
    """Glance's way: WebOb's own response, JSON for clients that accept it."""
    if error.status_int == 401:
        error.headers['WWW-Authenticate'] = 'Keystone'
    return request.get_response(error)


def view(image: dict) -> dict:
    own = f'/v2/images/{image["id"]}'
    shown = {key: value for key, value in image.items() if key not in ('properties', 'file_name', 'members')}
    return {**image['properties'], **shown, 'self': own, 'file': f'{own}/file', 'schema': '/v2/schemas/image'}


def _not_found(image_id):
    return exc.HTTPNotFound(f'No image found with ID {image_id}')
