"""Extra specs of volume types: what a backend must have, and what volumes may be."""
from svckit.web import handler
from volsvc import errors
from volsvc.api.schemas import volume_types as schemas
from volsvc.api.types import change_unused, find
from volsvc.api.views import volume_types as views
from volsvc.policies import types_extra_specs as policies


@handler()
def index(req, type_id):
    """Those that this request may know."""
    req.context.authorize(policies.INDEX)
    return {'extra_specs': views.extra_specs(req.context, find(req, type_id))}


@handler()
def show(req, type_id, key):
    """One of them, by its key."""
    req.context.authorize(policies.SHOW)
    return {key: _value(views.extra_specs(req.context, find(req, type_id)), type_id, key)}


@handler(body=schemas.EXTRA_SPECS)
def create(req, type_id):
    """Add extra specs, or give those that are there another value."""
    req.context.authorize(policies.CREATE)
    _change(req, type_id, lambda specs: {**specs, **req.data['extra_specs']})
    return req.data


@handler(body=schemas.EXTRA_SPEC)
def update(req, type_id, key):
    """Set one."""
    req.context.authorize(policies.UPDATE)
    if key not in req.data:
        raise errors.BadRequest(f'The body must hold the key of the address, {key[:80]!r}.')
    _change(req, type_id, lambda specs: {**specs, **req.data})
    return req.data


@handler(status=202)
def delete(req, type_id, key):
    """Remove one."""
    req.context.authorize(policies.DELETE)

    def without(specs):
        _value(specs, type_id, key)
        return {name: value for name, value in specs.items() if name != key}
    _change(req, type_id, without)


def _change(req, type_id, changed):
    """Volumes live by the specs they were made with, so those of a type in use stay."""
    def change(kind):
        kind.extra_specs = changed(kind.extra_specs)
    change_unused(req, type_id, change)


def _value(specs, type_id, key):
    if key not in specs:
        raise errors.NotFound(f'Volume type {type_id} has no extra spec with the key {key[:80]}.')
    return specs[key]
