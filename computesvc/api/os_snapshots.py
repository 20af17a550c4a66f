"""Snapshots for clients that know the compute service alone, up to 2.35."""
from computesvc.api import versions
from computesvc.api.schemas import os_volumes as schemas
from computesvc.api.schemas.types import true
from computesvc.api.views import os_volumes as views
from computesvc.policies import os_volumes as policies
from svckit.web.handler import handler
from svckit.web.paging import Page


@handler(query=schemas.QUERY, max=versions.LAST_PROXIES)
def index(req):
    """The project's snapshots."""
    return _list(req, policies.SNAPSHOT_INDEX)


@handler(query=schemas.QUERY, max=versions.LAST_PROXIES)
def detail(req):
    """The same."""
    return _list(req, policies.SNAPSHOT_DETAIL)


@handler(max=versions.LAST_PROXIES)
def show(req, snapshot_id):
    """One snapshot."""
    req.context.authorize(policies.SNAPSHOT_SHOW)
    return {'snapshot': views.snapshot(req.context.service.volumes.snapshot(req.context, snapshot_id))}


@handler(body=schemas.SNAPSHOT_CREATE, max=versions.LAST_PROXIES)
def create(req):
    """A snapshot of a volume as it is now; of one in use only with `force`."""
    wish = req.data['snapshot']
    req.context.authorize(policies.SNAPSHOT_CREATE)
    made = req.context.service.volumes.create_snapshot(
        req.context, wish['volume_id'], true(wish.get('force', False)), name=wish.get('display_name') or '',
        description=wish.get('display_description'))
    return {'snapshot': views.snapshot(made)}


@handler(status=202, max=versions.LAST_PROXIES)
def delete(req, snapshot_id):
    """Have a snapshot deleted."""
    req.context.authorize(policies.SNAPSHOT_DELETE)
    req.context.service.volumes.remove_snapshot(req.context, snapshot_id)


def _list(req, rule):
    req.context.authorize(rule)
    page = Page.from_query(req.query, req.context.service.conf.api.max_limit, ())
    found = req.context.service.volumes.snapshots(req.context, page.limit, page.offset)
    return {'snapshots': [views.snapshot(snapshot) for snapshot in found]}
