"""A volume's metadata: pairs of text that its owner keeps with it."""
import hashlib

from svckit.web import Response, handler
from svckit.web.response import encode
from volsvc import errors
from volsvc.api import pairs, versions
from volsvc.api.schemas import volume_metadata as schemas
from volsvc.api.volumes import find
from volsvc.db import volumes
from volsvc.policies import volume_metadata as policies


@handler()
def index(req, volume_id):
    """All of it, with an Etag from 3.15 on."""
    volume = find(req, volume_id)
    req.context.authorize(policies.GET, volume)
    headers = {'Etag': _etag(volume)} if req.version >= versions.ETAGS else None
    return Response({'metadata': volume.meta}, headers=headers)


@handler(body=schemas.ALL)
def create(req, volume_id):
    """Add pairs, or give those that are there another value."""
    volume = find(req, volume_id)
    req.context.authorize(policies.CREATE, volume)
    return {'metadata': _change(req, volume, lambda meta: {**meta, **req.data['metadata']})}


@handler(body=schemas.ALL, also=(412,))
def replace(req, volume_id):
    """Put these pairs in the place of all others."""
    volume = find(req, volume_id)
    req.context.authorize(policies.UPDATE, volume)
    if not _matches(req, volume):
        return Response(None, 412)
    return {'metadata': _change(req, volume, lambda meta: req.data['metadata'])}


@handler()
def show(req, volume_id, key):
    """One pair."""
    volume = find(req, volume_id)
    req.context.authorize(policies.GET, volume)
    return {'meta': {key: pairs.value(volume, key)}}


@handler(body=schemas.ONE, also=(412,))
def update(req, volume_id, key):
    """Set one pair."""
    volume = find(req, volume_id)
    req.context.authorize(policies.UPDATE, volume)
    if key not in req.data['meta']:
        raise errors.BadRequest(f'The body must hold the key of the address, {key[:80]!r}.')
    if not _matches(req, volume):
        return Response(None, 412)
    _change(req, volume, lambda meta: {**meta, **req.data['meta']})
    return {'meta': req.data['meta']}


@handler()
def delete(req, volume_id, key):
    """Remove one pair."""
    volume = find(req, volume_id)
    req.context.authorize(policies.DELETE, volume)
    pairs.value(volume, key)
    _change(req, volume, lambda meta: {name: value for name, value in meta.items() if name != key})


def _change(req, volume, changed) -> dict:
    return pairs.change(req, volumes.for_update, volume, changed)


def _etag(volume) -> str:
    return hashlib.md5(encode({'metadata': volume.meta}).encode(), usedforsecurity=False).hexdigest()


def _matches(req, volume) -> bool:
    """Whether the metadata still is what the client saw, if it says what it saw."""
    seen = req.headers.get('If-Match')
    if not seen or req.version < versions.ETAGS or seen.strip() == '*':
        return True
    return _etag(volume) in [tag.strip().strip('"') for tag in seen.split(',')]
