"""How volumes of a type are said to be encrypted.

It is kept and shown.  As this service has no keys, no volume is made of such a type (operations/create_volume.py).
"""
from svckit.db import new_id, utcnow
from svckit.web import handler
from volsvc import errors
from volsvc.api import types
from volsvc.api.schemas import types_encryption as schemas
from volsvc.api.views import volume_types as views
from volsvc.policies import types_encryption as policies

_WORDS = 'provider', 'cipher', 'key_size', 'control_location'


@handler()
def index(req, type_id):
    """All of it; {} of a type that is not encrypted."""
    req.context.authorize(policies.GET)
    return views.encryption(types.find(req, type_id))


@handler()
def show(req, type_id, key):
    """One part of it, by its key."""
    req.context.authorize(policies.GET)
    found = views.encryption(types.find(req, type_id))
    if key not in found:
        raise _none(type_id)
    return {key: found[key]}


@handler(body=schemas.CREATE)
def create(req, type_id):
    """Volumes of the type, of which there are none yet, are encrypted so."""
    req.context.authorize(policies.CREATE)

    def add(kind):
        if kind.encryption:
            raise errors.BadRequest(f'Volume type encryption of type {type_id} exists already.')
        kind.encryption = {'encryption_id': new_id(), **dict.fromkeys(_WORDS), **_wanted(req), 'created_at': _now(),
                           'updated_at': None}
    shown = views.encryption(types.change_unused(req, type_id, add))
    return {'encryption': {name: shown[name] for name in (*_WORDS, 'encryption_id', 'volume_type_id')}}


@handler(body=schemas.UPDATE)
def update(req, type_id, key):
    """Change parts of it; whatever the address ends in, it is the type's only one."""
    req.context.authorize(policies.UPDATE)

    def change(kind):
        kind.encryption = {**_there(kind), **_wanted(req), 'updated_at': _now()}
    types.change_unused(req, type_id, change)
    return req.data


@handler(status=202)
def delete(req, type_id, key):
    """Volumes of the type are not encrypted."""
    req.context.authorize(policies.DELETE)

    def remove(kind):
        _there(kind)
        kind.encryption = None
    types.change_unused(req, type_id, remove)


def _wanted(req) -> dict:
    wanted = {name: value for name, value in req.data['encryption'].items() if name in _WORDS}
    if wanted.get('key_size') is not None:
        wanted['key_size'] = int(wanted['key_size'])
    return wanted


def _there(kind) -> dict:
    if not kind.encryption:
        raise _none(kind.id)
    return kind.encryption


def _none(type_id):
    return errors.NotFound(f'Volume type encryption of type {type_id} could not be found.')


def _now() -> str:
    return utcnow().isoformat(timespec='microseconds')
