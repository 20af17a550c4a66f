"""Volumes for clients that know the compute service alone: what the volume service says, in Nova's old words.

Gone from 2.36 on, but for the growing of a volume, which Nova never had.
"""
from computesvc.api import versions
from computesvc.api.schemas import os_volumes as schemas
from computesvc.api.views import os_volumes as views
from computesvc.policies import os_volumes as policies
from svckit.web import Response
from svckit.web.handler import actions, handler
from svckit.web.paging import Page


@handler(query=schemas.QUERY, max=versions.LAST_PROXIES)
def index(req):
    """The project's volumes."""
    return _list(req, policies.INDEX)


@handler(query=schemas.QUERY, max=versions.LAST_PROXIES)
def detail(req):
    """The same: Nova never showed more of one than of the other."""
    return _list(req, policies.DETAIL)


@handler(max=versions.LAST_PROXIES)
def show(req, volume_id):
    """One volume."""
    req.context.authorize(policies.SHOW)
    return {'volume': views.shown(req.context.service.volumes.show(req.context, volume_id))}


@handler(body=schemas.CREATE, max=versions.LAST_PROXIES)
def create(req):
    """A new volume, empty or from a snapshot."""
    context, wish = req.context, req.data['volume']
    context.authorize(policies.CREATE)
    volume = context.service.volumes.create(
        context, int(wish['size']), snapshot_id=wish.get('snapshot_id'), volume_type=wish.get('volume_type'),
        zone=wish.get('availability_zone'), name=wish.get('display_name') or '',
        description=wish.get('display_description'), metadata=wish.get('metadata') or {})
    return Response({'volume': views.shown(volume)}, headers={'Location': f'{req.path_url}/{volume["id"]}'})


@handler(status=202, max=versions.LAST_PROXIES)
def delete(req, volume_id):
    """Have a volume deleted."""
    req.context.authorize(policies.DELETE)
    req.context.service.volumes.remove(req.context, volume_id)


@handler(status=202, body=schemas.EXTEND)
def extend(req, volume_id):
    """Grow a volume; a server that uses it keeps running, and shows its guest the new size."""
    req.context.authorize(policies.EXTEND)
    req.context.service.volumes.extend(req.context, volume_id, req.data['os-extend']['new_size'])


ACTION = actions({'os-extend': extend})


def _list(req, rule):
    req.context.authorize(rule)
    page = Page.from_query(req.query, req.context.service.conf.api.max_limit, ())
    found = req.context.service.volumes.all(req.context, page.limit, page.offset)
    return {'volumes': [views.shown(volume) for volume in found]}
