"""The projects that an image is shared with."""
from webob import exc

from onebox import rest
from onebox.images import access
from onebox.images.made import now

STATUSES = ('pending', 'accepted', 'rejected')
MOST = 128


class Members:
    """Handlers; `images` is the API they are part of."""

    def __init__(self, images):
        self._images = images
        self.routes = {
            '/v2/images/{id}/members': {'GET': self.list, 'POST': self.add},
            '/v2/images/{id}/members/{member}': {'GET': self.show, 'PUT': self.update, 'DELETE': self.remove},
        }

    def list(self, request, id):
        caller, image = self._images.find(request, id)
        known = image.get('members', {})
        mine = known if access.changes(caller, image) else {caller.project_id} & set(known)
        return {'members': [_view(image, member) for member in sorted(mine)], 'schema': '/v2/schemas/members'}

    def add(self, request, id):
        _, image = self._owned(request, id)
        member = rest.json_body(request).get('member')
        if not isinstance(member, str) or not 0 < len(member) <= 255:
            raise exc.HTTPBadRequest('Expected a member in the body: {"member": "<project id>"}.')
        if member in image['members']:
            raise exc.HTTPConflict(f'Project {member} is a member of image {id} already.')
        if len(image['members']) >= MOST:
            raise exc.HTTPRequestEntityTooLarge(f'An image can have {MOST} members at most.')
        return self._set(image, member, {'status': 'pending', 'created_at': now(), 'updated_at': now()})

    def show(self, request, id, member):
        caller, image = self._images.find(request, id)
        self._known(caller, image, member)
        return _view(image, member)

    def update(self, request, id, member):
        """It is the member that accepts or rejects."""
        caller, image = self._images.find(request, id)
        self._known(caller, image, member)
        if not caller.admin and caller.project_id != member:
            raise exc.HTTPForbidden('Only the member itself can accept or reject an image.')
        status = rest.json_body(request).get('status')
        if status not in STATUSES:
            raise exc.HTTPBadRequest(f'status must be one of {", ".join(STATUSES)}.')
        return self._set(image, member, {**image['members'][member], 'status': status, 'updated_at': now()})

    def remove(self, request, id, member):
        caller, image = self._owned(request, id)
        self._known(caller, image, member)
        self._images.library.change(image, members={key: value for key, value in image['members'].items()
                                                    if key != member})
        return rest.json_response(None, 204)

    def _owned(self, request, id):
        caller, image = self._images.find(request, id, change=True)
        if image['visibility'] != 'shared' or 'members' not in image:
            raise exc.HTTPForbidden('Only shared images have members.')
        return caller, image

    def _known(self, caller, image, member):
        if member not in image.get('members', {}) or not (access.changes(caller, image) or caller.project_id == member):
            raise exc.HTTPNotFound(f'{member} is no member of image {image["id"]}.')

    def _set(self, image, member, entry):
        members = {**image['members'], member: entry}
        self._images.library.change(image, members=members)
        return _view({**image, 'members': members}, member)


def _view(image, member) -> dict:
    return {'image_id': image['id'], 'member_id': member, **image['members'][member], 'schema': '/v2/schemas/member'}
