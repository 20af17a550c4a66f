"""Volumes: create, show, list, change, delete."""
from svckit.web import handler
from volsvc import errors, notify
from volsvc.api import filters, lists, scope, versions
from volsvc.api.schemas import volumes as schemas
from volsvc.api.schemas.types import truth
from volsvc.api.views import volumes as views
from volsvc.db import volumes
from volsvc.operations import create_volume, delete_volume
from volsvc.policies import volumes as policies

GIB = views.GIB
_FOR_ALL = ('name', 'status', 'metadata', 'bootable', 'migration_status', 'availability_zone', 'group_id', 'size',
            'created_at', 'updated_at', 'consumes_quota', 'name~', 'status~', 'description', 'description~',
            'display_name', 'id', 'multiattach', 'volume_type_id', 'user_id', 'source_volid', 'snapshot_id',
            'glance_metadata')
FOR_ADMINISTRATORS = ('host',)
_SINCE = {'group_id': versions.GROUP_FILTER, 'created_at': versions.TIME_FILTERS, 'updated_at': versions.TIME_FILTERS,
          'consumes_quota': versions.CONSUMES_QUOTA, 'glance_metadata': versions.IMAGE_METADATA_FILTER}
# What a volume could be made from elsewhere; none of it exists here.
_SOURCES = {'backup_id': 'Backup', 'consistencygroup_id': 'Group', 'group_id': 'Group'}
_READ = filters.read((*_FOR_ALL, *FOR_ADMINISTRATORS), _SINCE)


def find(req, volume_id):
    """The volume with its type and attachments, if this request may know of it."""
    with req.context.db.reader() as session:
        return volumes.get(session, volume_id, scope.project(req.context))


def shown(req, volume) -> dict:
    """One volume as an answer holds it."""
    return {'volume': views.Details(req, _services(req))(volume)}


@handler()
def show(req, volume_id):
    """One volume in full."""
    with req.context.db.direct() as connection:
        volume = volumes.show(connection, volume_id, scope.project(req.context))
    req.context.authorize(policies.GET, volume)
    return shown(req, volume)


@handler(status=202, body=schemas.CREATE)
def create(req):
    """A new volume: empty, from an image or a snapshot, or a copy of another volume."""
    context, wanted = req.context, renamed(req.data['volume'])
    context.authorize(policies.CREATE)
    if wanted.get('imageRef'):
        context.authorize(policies.CREATE_FROM_IMAGE)
    _refuse_what_is_not_there(wanted)
    size = wanted.get('size')
    volume = create_volume.request(
        context, size=None if size is None else int(size), name=wanted.get('name') or '',
        description=wanted.get('description'), volume_type=wanted.get('volume_type') or None,
        availability_zone=wanted.get('availability_zone') or None, image=wanted.get('imageRef') or None,
        source_volid=wanted.get('source_volid'), snapshot_id=wanted.get('snapshot_id'),
        metadata=wanted.get('metadata') or {})
    return shown(req, volume)


@handler(reads=_READ)
def index(req):
    """The names of volumes."""
    return _list(req, lambda volume: views.summary(req, volume))


@handler(reads=_READ)
def detail(req):
    """Volumes in full."""
    return _list(req, views.Details(req, _services(req)))


@handler(min=versions.SUMMARY, reads=_READ)
def summary(req):
    """How many volumes there are, and their size together."""
    req.context.authorize(policies.GET_ALL)
    project = scope.listed(req)
    wanted = _filters(req)
    with req.context.db.reader() as session:
        count, size = volumes.totals(session, wanted, project)
        metadata = volumes.metadata(session, wanted, project) if req.version >= versions.SUMMARY_METADATA else None
    return views.totals(count, size, metadata)


@handler(body=schemas.UPDATE)
def update(req, volume_id):
    """Change name, description and metadata."""
    volume = find(req, volume_id)
    req.context.authorize(policies.UPDATE, volume)
    wanted = renamed(req.data['volume'])

    def change(session):
        row = volumes.for_update(session, volume.id)
        notify.volume(session, req.context.service.messaging, 'update.start', row, req.context)
        rename(row, wanted)
        if 'metadata' in wanted:
            row.meta = wanted['metadata']
        session.flush()
        notify.volume(session, req.context.service.messaging, 'update.end', row, req.context)
        return row
    return shown(req, req.context.db.run(change))


@handler(status=202, reads={'cascade': None, 'force': versions.DELETE_FORCE})
def delete(req, volume_id):
    """Have a volume deleted; with `cascade` its snapshots too."""
    volume = find(req, volume_id)
    cascade = filters.asked(req, 'cascade')
    force = req.version >= versions.DELETE_FORCE and filters.asked(req, 'force')
    req.context.authorize(policies.FORCE_DELETE if force else policies.DELETE, volume)
    delete_volume.request(req.context, volume, force, cascade)


@handler()
def encryption(req, volume_id):
    """How a volume is encrypted: compute services ask before they connect one."""
    volume = find(req, volume_id)
    req.context.authorize(policies.ENCRYPTION_METADATA, volume)
    return {'encryption_key_id': None}


def _list(req, view):
    req.context.authorize(policies.GET_ALL)
    return lists.answer(req, 'volumes', volumes, view, _filters, counted=True)


def _filters(req) -> dict:
    """The query's filters as volsvc.db.volumes understands them."""
    known = set(_FOR_ALL) | (set(FOR_ADMINISTRATORS) if req.context.is_admin else set())
    known -= {name for name, since in _SINCE.items() if req.version < since}
    wanted = filters.chosen(req, known)
    if 'display_name' in wanted:
        wanted.setdefault('name', wanted.pop('display_name'))
    strict = req.version >= versions.STRICT_BOOTABLE
    for name in ('bootable', 'multiattach'):
        if name in wanted:
            wanted[name] = filters.boolean(name, wanted[name], strict)
    if 'size' in wanted:
        wanted['size'] = filters.number('size', wanted['size']) * GIB
    for name in ('metadata', 'glance_metadata'):
        if name in wanted:
            wanted[name] = filters.pairs(name, wanted[name])
    for name in ('created_at', 'updated_at'):
        if name in wanted:
            wanted[name] = filters.moments(name, wanted[name])
    return _nothing_has(wanted)


def _nothing_has(wanted):
    """Filters by what no volume has here: those that ask for one that has it leave nothing."""
    absent = [wanted.pop(name, None) for name in ('migration_status', 'group_id')]
    uses_quota = wanted.pop('consumes_quota', None)
    if any(absent) or uses_quota is not None and not filters.boolean('consumes_quota', uses_quota, True):
        wanted['id'] = []
    return wanted


def _services(req) -> dict:
    """host@backend -> its service, where this microversion shows it."""
    if req.version < versions.SHARED_TARGETS:
        return {}
    return req.context.service.backends()


def rename(row, wanted: dict) -> None:
    """The row has the name and the description of a renamed() wish, as far as it holds them."""
    if 'name' in wanted:
        row.name = wanted['name'] or ''
    if 'description' in wanted:
        row.description = wanted['description']


def renamed(volume) -> dict:
    """The names of v2 under those of v3, blanks around names and descriptions taken off."""
    found = dict(volume)
    for old, new in (('display_name', 'name'), ('display_description', 'description'), ('image_id', 'imageRef')):
        if old in found:
            value = found.pop(old)
            found.setdefault(new, value)
    for name in ('name', 'description'):
        if found.get(name):
            found[name] = found[name].strip()
    return found


def _refuse_what_is_not_there(wanted):
    for name, kind in _SOURCES.items():
        if wanted.get(name):
            raise errors.NotFound(kind, wanted[name])
    if wanted.get('multiattach') is not None and truth(wanted['multiattach']):
        raise errors.BadRequest('The multiattach parameter is gone: several servers may have a volume at once if its '
                                'volume type says so (extra spec multiattach).')
