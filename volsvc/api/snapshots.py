"""Snapshots: create, show, list, change, delete."""
import functools

from svckit import operations
from svckit.web import actions, handler
from volsvc import errors, notify
from volsvc.api import filters, lists, scope, versions
from volsvc.api.schemas import snapshots as schemas
from volsvc.api.schemas.types import truth
from volsvc.api.views import snapshots as views
from volsvc.api.volumes import find as find_volume
from volsvc.api.volumes import rename, renamed
from volsvc.db import snapshots
from volsvc.operations import create_snapshot, delete_snapshot
from volsvc.policies import snapshots as policies

STATUSES = ('available', 'error', 'creating', 'deleting', 'deleted', 'error_deleting', 'backing-up', 'restoring',
            'unmanaging')
# What a snapshot with this status can be said to be.
_SAID = {'creating': ('creating', 'available', 'error'), 'deleting': ('deleting', 'error_deleting')}
_FILTERS = ('name', 'status', 'volume_id', 'metadata', 'availability_zone', 'consumes_quota', 'name~', 'status~',
            'display_name', 'id', 'user_id')
_SINCE = {'metadata': versions.SNAPSHOT_METADATA_FILTER, 'consumes_quota': versions.CONSUMES_QUOTA}
_READ = filters.read(_FILTERS, _SINCE)


def find(req, snapshot_id):
    """The snapshot with its volume, if this request may know of it."""
    with req.context.db.reader() as session:
        return snapshots.get(session, snapshot_id, scope.project(req.context))


@handler()
def show(req, snapshot_id):
    """One snapshot in full."""
    snapshot = find(req, snapshot_id)
    req.context.authorize(policies.GET, snapshot)
    return {'snapshot': views.Extended(req)(snapshot)}


@handler(status=202, body=schemas.CREATE)
def create(req):
    """A snapshot of a volume as it is now, in use or not.

    `force` says up to 3.65 whether one in use will do.  Clients that know a server of
    3.66 say nothing, whatever version they then speak.
    """
    wanted = renamed(req.data['snapshot'])
    volume = find_volume(req, wanted['volume_id'])
    req.context.authorize(policies.CREATE, volume)
    force = True if wanted.get('force') is None else truth(wanted['force'])
    if not force and req.version >= versions.SNAPSHOT_IN_USE:
        raise errors.BadRequest('From 3.66 on, volumes in use are always copied; there is no "force" any more.')
    snapshot = create_snapshot.request(
        req.context, volume, in_use=force, name=wanted.get('name') or '', description=wanted.get('description'),
        metadata=wanted.get('metadata'))
    return {'snapshot': views.detail(req, snapshot)}


@handler(reads=_READ)
def index(req):
    """Snapshots, nearly in full."""
    return _list(req, lambda snapshot: views.summary(req, snapshot))


@handler(reads=_READ)
def detail(req):
    """Snapshots in full."""
    return _list(req, views.Extended(req))


@handler(body=schemas.UPDATE)
def update(req, snapshot_id):
    """Change name and description."""
    snapshot = find(req, snapshot_id)
    req.context.authorize(policies.UPDATE, snapshot)
    wanted = renamed(req.data['snapshot'])

    def change(session):
        row = snapshots.for_update(session, snapshot.id)
        tell = functools.partial(notify.snapshot, session, req.context.service.messaging, row=row,
                                 volume=snapshot.volume, who=req.context)
        tell(what='update.start')
        rename(row, wanted)
        session.flush()
        tell(what='update.end')
        return row
    return {'snapshot': views.detail(req, req.context.db.run(change))}


@handler(status=202)
def delete(req, snapshot_id):
    """Have a snapshot deleted."""
    snapshot = find(req, snapshot_id)
    req.context.authorize(policies.DELETE, snapshot)
    delete_snapshot.request(req.context, snapshot)


@handler(status=202, body=schemas.RESET_STATUS)
def reset_status(req, snapshot_id):
    """Write a snapshot's status by hand; whether that is true is the administrator's business."""
    req.context.authorize(policies.RESET_STATUS)
    snapshot = find(req, snapshot_id)
    status = req.data['os-reset_status']['status'].lower()
    if status not in STATUSES:
        raise errors.BadRequest(f'{status!r} is no status of a snapshot; there are {", ".join(STATUSES)}.')

    def change(session):
        delete_snapshot.give_up_stuck(session, snapshot.id)
        row = snapshots.for_update(session, snapshot.id)
        row.status, row.previous_status = status, None
    req.context.db.run(change)


@handler(status=202, body=schemas.UPDATE_STATUS)
def update_status(req, snapshot_id):
    """A compute service says how far it is with a snapshot that it makes or deletes, or how that ended.

    How what volsvc itself makes or deletes ends, nobody else says.
    """
    snapshot = find(req, snapshot_id)
    req.context.authorize(policies.UPDATE_STATUS, snapshot)
    wanted = req.data['os-update_snapshot_status']
    status, progress = wanted['status'], wanted.get('progress')

    def change(session):
        row = snapshots.for_update(session, snapshot.id)
        if status not in _SAID.get(row.status, ()):
            raise errors.BadRequest(f'A snapshot that is {row.status} cannot be said to be {status!r}.')
        live = operations.live(session, f'snapshot:{row.id}')
        if live and status != row.status:
            raise errors.Conflict(f'Operation {live.name} {live.id} is at work on the snapshot, and says how it ends.')
        row.status = status
        row.progress = int(progress.rstrip('%')) if progress else row.progress
    req.context.db.run(change)


@handler(status=202, body=schemas.FORCE_DELETE)
def force_delete(req, snapshot_id):
    """Have a snapshot deleted, whatever its status."""
    snapshot = find(req, snapshot_id)
    req.context.authorize(policies.FORCE_DELETE, snapshot)
    delete_snapshot.request(req.context, snapshot, force=True)


ACTION = actions({'os-reset_status': reset_status, 'os-force_delete': force_delete,
                  'os-update_snapshot_status': update_status})


def _list(req, view):
    req.context.authorize(policies.GET_ALL)
    return lists.answer(req, 'snapshots', snapshots, view, _filters, counted=True)


def _filters(req) -> dict:
    """The query's filters as volsvc.db.snapshots understands them."""
    wanted = filters.chosen(req, [name for name in _FILTERS if req.version >= _SINCE.get(name, req.version)])
    if 'display_name' in wanted:
        wanted.setdefault('name', wanted.pop('display_name'))
    if 'metadata' in wanted:
        wanted['metadata'] = filters.pairs('metadata', wanted['metadata'])
    uses_quota = wanted.pop('consumes_quota', None)
    if uses_quota is not None and not filters.boolean('consumes_quota', uses_quota, True):
        wanted['id'] = []
    return wanted
