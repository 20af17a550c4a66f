"""What may be written into an image: a new one from its body, changes from a JSON patch (RFC 6902).

Names that Glance gives no meaning are properties, and those are strings.
"""
import re
import uuid

from webob import exc

DISK_FORMATS = ('ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop')
CONTAINER_FORMATS = ('ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed')
VISIBILITIES = ('public', 'private', 'shared', 'community')
MOST = 128                          # properties, and tags
LONGEST = 255                       # characters of a name or a tag
_NUMBER = 2 ** 31 - 1
READ_ONLY = ('status', 'size', 'virtual_size', 'checksum', 'os_hash_algo', 'os_hash_value', 'created_at', 'updated_at',
             'self', 'file', 'schema', 'direct_url', 'locations', 'file_name', 'members')
BLANK = {'name': None, 'visibility': 'shared', 'disk_format': None, 'container_format': None, 'min_disk': 0,
         'min_ram': 0, 'protected': False, 'tags': [], 'os_hidden': False}
_UNKNOWN = {'size': None, 'virtual_size': None, 'checksum': None, 'os_hash_algo': None, 'os_hash_value': None}


def new(body: dict, caller) -> dict:
    """The image that the body of a POST describes, still without data; 400, 403 or 413 where it cannot be."""
    for name in set(body) & set(READ_ONLY):
        raise exc.HTTPForbidden(f"Attribute '{name}' is read-only.")
    image = {'id': _id(body['id']) if 'id' in body else str(uuid.uuid4()), 'owner': caller.project_id,
             'status': 'queued', **BLANK, **_UNKNOWN, 'properties': {}, 'members': {}}
    for name, value in body.items():
        if name != 'id':
            _set(image, name, value, caller)
    return image


def patched(image: dict, patch: list, caller) -> dict:
    """The attributes of the image that the patch changes, as they are afterwards."""
    after = {**image, 'properties': dict(image['properties']), 'tags': list(image['tags'])}
    for change in patch:
        if not isinstance(change, dict) or change.get('op') not in ('add', 'replace', 'remove'):
            raise exc.HTTPBadRequest('Operations must be objects whose "op" is "add", "replace" or "remove".')
        _apply(after, change, caller)
    return {name: value for name, value in after.items() if value != image[name]}


def _apply(image, change, caller):
    op, path = change['op'], change.get('path')
    if not isinstance(path, str) or not re.fullmatch(r'/[^/]+(/[^/]+)?', path):
        raise exc.HTTPBadRequest(f'Invalid path: {path!r}.')
    if op != 'remove' and 'value' not in change:
        raise exc.HTTPBadRequest(f'Operation "{op}" requires a member named "value".')
    name, *inner = [part.replace('~1', '/').replace('~0', '~') for part in path[1:].split('/')]
    if inner:
        return _set(image, name, _tags(image, name, inner[0], op, change.get('value')), caller)
    known = name in BLANK or name in image['properties'] or name == 'owner'
    if name in READ_ONLY or name == 'id':
        raise exc.HTTPForbidden(f"Attribute '{name}' is read-only.")
    if op != 'add' and not known:
        raise exc.HTTPConflict(f"Property {name} does not exist.")
    if op != 'remove':
        return _set(image, name, change['value'], caller)
    if name not in image['properties']:
        raise exc.HTTPForbidden(f'Property {name} may not be removed.')
    del image['properties'][name]


def _tags(image, name, place, op, value):
    """The tags after a change to one of them: what a patch made of two lists consists of."""
    if name != 'tags' or not re.fullmatch('-|[0-9]{1,3}', place):
        raise exc.HTTPBadRequest(f'Invalid path: /{name}/{place}.')
    tags = list(image['tags'])
    place = len(tags) if place == '-' else int(place)
    if place > len(tags) - (op != 'add'):
        raise exc.HTTPConflict(f'There is no tag number {place}.')
    tags[place:place + (op != 'add')] = [] if op == 'remove' else [value]
    return tags


def _set(image, name, value, caller):
    if name in BLANK or name == 'owner':
        check = _CHECKS.get(name) or _CHECKS['formats']
        image[name] = check(image, name, value, caller)
        return
    if name in READ_ONLY or not 0 < len(name) <= LONGEST:
        raise exc.HTTPForbidden(f"Attribute '{name[:LONGEST]}' cannot be set.")
    if not isinstance(value, str):
        raise exc.HTTPBadRequest(f'Invalid properties of the image: {name} must be a string.')
    image['properties'][name] = value
    if len(image['properties']) > MOST:
        raise exc.HTTPRequestEntityTooLarge(f'An image can have {MOST} properties at most.')


def _name(image, name, value, caller):
    if value is not None and not (isinstance(value, str) and len(value) <= LONGEST):
        raise exc.HTTPBadRequest(f'The name must be a string of at most {LONGEST} characters.')
    return value


def _visibility(image, name, value, caller):
    if value not in VISIBILITIES:
        raise exc.HTTPBadRequest(f'visibility must be one of {", ".join(VISIBILITIES)}.')
    if value == 'public' and image['visibility'] != 'public' and not caller.admin:
        raise exc.HTTPForbidden('You are not authorized to make an image public.')
    return value


def _format(image, name, value, caller):
    allowed = DISK_FORMATS if name == 'disk_format' else CONTAINER_FORMATS
    if value is not None and value not in allowed:
        raise exc.HTTPBadRequest(f'{name} must be one of {", ".join(allowed)}.')
    if image['status'] != 'queued' and value != image[name]:
        raise exc.HTTPForbidden(f"Attribute '{name}' cannot be changed once the image has data.")
    return value


def _least(image, name, value, caller):
    if type(value) is not int or not 0 <= value <= _NUMBER:
        raise exc.HTTPBadRequest(f'{name} must be a whole number from 0 to {_NUMBER}.')
    return value


def _flag(image, name, value, caller):
    if not isinstance(value, bool):
        raise exc.HTTPBadRequest(f'{name} must be true or false.')
    return value


def _all_tags(image, name, value, caller):
    if not isinstance(value, list) or not all(isinstance(tag, str) and 0 < len(tag) <= LONGEST for tag in value):
        raise exc.HTTPBadRequest(f'tags must be a list of strings of 1 to {LONGEST} characters.')
    tags = list(dict.fromkeys(value))
    if len(tags) > MOST:
        raise exc.HTTPRequestEntityTooLarge(f'An image can have {MOST} tags at most.')
    return tags


def _owner(image, name, value, caller):
    if value == image['owner']:
        return value
    if not caller.admin:
        raise exc.HTTPForbidden('You are not permitted to set the owner of an image.')
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST):
        raise exc.HTTPBadRequest(f'The owner must be a string of 1 to {LONGEST} characters.')
    return value


_CHECKS = {'name': _name, 'visibility': _visibility, 'formats': _format, 'min_disk': _least, 'min_ram': _least,
           'protected': _flag, 'os_hidden': _flag, 'tags': _all_tags, 'owner': _owner}


def _id(value) -> str:
    try:
        if isinstance(value, str) and len(value) <= LONGEST:
            return str(uuid.UUID(value))
    except ValueError:
        pass
    raise exc.HTTPBadRequest('The id must be a UUID.')
