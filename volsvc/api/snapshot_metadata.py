"""A snapshot's metadata: pairs of text that its owner keeps with it."""
from svckit.web import handler
from volsvc import errors
from volsvc.api import pairs
from volsvc.api.schemas import volume_metadata as schemas
from volsvc.api.snapshots import find
from volsvc.db import snapshots
from volsvc.policies import snapshots as policies


@handler()
def index(req, snapshot_id):
    """All of it."""
    return {'metadata': _allowed(req, snapshot_id, policies.GET_METADATA).meta}


@handler(body=schemas.ALL)
def create(req, snapshot_id):
    """Add pairs, or give those that are there another value."""
    snapshot = _allowed(req, snapshot_id, policies.UPDATE_METADATA)
    return {'metadata': _change(req, snapshot, lambda meta: {**meta, **req.data['metadata']})}


@handler(body=schemas.ALL)
def replace(req, snapshot_id):
    """Put these pairs in the place of all others."""
    snapshot = _allowed(req, snapshot_id, policies.UPDATE_METADATA)
    return {'metadata': _change(req, snapshot, lambda meta: req.data['metadata'])}


@handler()
def show(req, snapshot_id, key):
    """One pair."""
    snapshot = _allowed(req, snapshot_id, policies.GET_METADATA)
    return {'meta': {key: pairs.value(snapshot, key)}}


@handler(body=schemas.ONE)
def update(req, snapshot_id, key):
    """Set one pair."""
    snapshot = _allowed(req, snapshot_id, policies.UPDATE_METADATA)
    if key not in req.data['meta']:
        raise errors.BadRequest(f'The body must hold the key of the address, {key[:80]!r}.')
    _change(req, snapshot, lambda meta: {**meta, **req.data['meta']})
    return {'meta': req.data['meta']}


@handler()
def delete(req, snapshot_id, key):
    """Remove one pair."""
    snapshot = _allowed(req, snapshot_id, policies.DELETE_METADATA)
    pairs.value(snapshot, key)
    _change(req, snapshot, lambda meta: {name: value for name, value in meta.items() if name != key})


def _allowed(req, snapshot_id, rule):
    snapshot = find(req, snapshot_id)
    req.context.authorize(rule, snapshot)
    return snapshot


def _change(req, snapshot, changed):
    return pairs.change(req, snapshots.for_update, snapshot, changed)
