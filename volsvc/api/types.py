"""Volume types, and which projects may use those that are not public."""
from oslo_db import exception as db_exc

from svckit.web import Page, actions, handler, links
from volsvc import errors
from volsvc.api import filters, scope, versions
from volsvc.api.schemas import volume_types as schemas
from volsvc.api.schemas.types import truth
from volsvc.api.views import volume_types as views
from volsvc.db import types
from volsvc.db.models import VolumeType, VolumeTypeProject
from volsvc.policies import types as policies
from volsvc.policies import types_extra_specs as extra_spec_policies


def find(req, type_id):
    """The type, if this request may know of it; 'default' is the one of volumes made without one."""
    with req.context.db.reader() as session:
        if type_id == 'default':
            return types.default(session, req.context.project_id, req.context.service.conf.default_volume_type)
        return types.get(session, type_id, scope.project(req.context))


@handler()
def show(req, type_id):
    """One type."""
    kind = find(req, type_id)
    req.context.authorize(policies.GET)
    return {'volume_type': views.detail(req.context, kind)}


@handler(reads=filters.read(('is_public', 'extra_specs'), {'extra_specs': versions.TYPE_FILTERS}))
def index(req):
    """The types that the project may use; administrators see all, or those with `is_public`."""
    req.context.authorize(policies.GET_ALL)
    page = Page.from_query(req.query, req.context.service.conf.api.max_limit, types.SORT_KEYS,
                           lists=req.query_lists)
    wanted = _filters(req)
    none = not page.limit or not _may_ask(req.context, wanted.get('extra_specs', {}))
    with req.context.db.reader() as session:
        found = [] if none else types.page(session, page, wanted, scope.project(req.context))
    return {'volume_types': [views.detail(req.context, kind) for kind in found],
            **links(req, 'volume_type', found, page)}


@handler(body=schemas.CREATE)
def create(req):
    """A new type, public unless it says otherwise."""
    req.context.authorize(policies.CREATE)
    wanted = req.data['volume_type']
    kind = VolumeType(name=wanted['name'].strip(), description=wanted.get('description'),
                      is_public=truth(wanted.get('os-volume-type-access:is_public', True)),
                      extra_specs=wanted.get('extra_specs') or {})
    _unless_the_name_is_taken(req, kind.name, lambda session: session.add(kind))
    return {'volume_type': views.detail(req.context, kind)}


@handler(body=schemas.UPDATE)
def update(req, type_id):
    """Change name, description, or whether it is public."""
    req.context.authorize(policies.UPDATE)
    kind, wanted = find(req, type_id), req.data['volume_type']
    changes = {name: wanted[name] for name in ('name', 'description') if wanted.get(name) is not None}
    if 'name' in changes:
        changes['name'] = changes['name'].strip()
    for name in ('os-volume-type-access:is_public', 'is_public'):
        if name in wanted:
            changes['is_public'] = truth(wanted[name])
    if not changes:
        raise errors.BadRequest('Name, description or is_public must be given.')

    def change(session):
        row = session.merge(kind)
        for name, value in changes.items():
            setattr(row, name, value)
        return row
    return {'volume_type': views.detail(req.context, _unless_the_name_is_taken(req, changes.get('name'), change))}


@handler(status=202)
def delete(req, type_id):
    """Delete a type that no volume has."""
    req.context.authorize(policies.DELETE)
    kind = find(req, type_id)
    if kind.name == req.context.service.conf.default_volume_type:
        raise errors.BadRequest(f'Volume type {kind.name} is the one of volumes made without one: it stays.')

    def remove(session):
        _unused(session, kind.id)
        if types.is_chosen(session, kind.id):
            raise errors.BadRequest(f'Volume type {kind.name} is the one that projects have chosen for volumes made '
                                    'without one: it stays.')
        types.forget(session, kind.id)
    req.context.db.run(remove)


@handler()
def access(req, type_id):
    """The projects that may use a type that is not public."""
    req.context.authorize(policies.ACCESS_LIST)
    kind = find(req, type_id)
    if kind.is_public:
        raise errors.NotFound(f'Volume type {kind.name} is public: there is no list of who may use it.')
    with req.context.db.reader() as session:
        return {'volume_type_access': [{'volume_type_id': kind.id, 'project_id': project}
                                       for project in types.projects(session, kind.id)]}


@handler(status=202, body=schemas.ACCESS_ADD)
def add_access(req, type_id):
    """Let a project use a type that is not public."""
    req.context.authorize(policies.ACCESS_ADD)
    kind, project = _private(req, type_id), req.data['addProjectAccess']['project']
    with req.context.db.transaction() as session:
        if session.get(VolumeTypeProject, (kind.id, project)):
            raise errors.Conflict(f'Project {project} may use volume type {kind.name} already.')
        session.add(VolumeTypeProject(volume_type_id=kind.id, project_id=project))


@handler(status=202, body=schemas.ACCESS_REMOVE)
def remove_access(req, type_id):
    """No longer let it; the volumes it has stay."""
    req.context.authorize(policies.ACCESS_REMOVE)
    kind, project = _private(req, type_id), req.data['removeProjectAccess']['project']
    with req.context.db.transaction() as session:
        row = session.get(VolumeTypeProject, (kind.id, project))
        if row is None:
            raise errors.NotFound(f'Project {project} has no access to volume type {kind.name}.')
        session.delete(row)


ACTION = actions({'addProjectAccess': add_access, 'removeProjectAccess': remove_access})


def _private(req, type_id):
    kind = find(req, type_id)
    if kind.is_public:
        raise errors.BadRequest(f'Volume type {kind.name} is public: every project may use it.')
    return kind


def change_unused(req, type_id, change) -> VolumeType:
    """`change(type)` of one that no volume has."""
    id = find(req, type_id).id

    def write(session):
        kind = _unused(session, id)
        change(kind)
        session.flush()
        return kind
    return req.context.db.run(write)


def _unused(session, id) -> VolumeType:
    """The type, locked, so that no volume gets it meanwhile."""
    kind = types.for_update(session, id)
    if types.in_use(session, id):
        raise errors.BadRequest(f'Volume type {kind.name} is in use.')
    return kind


def _may_ask(context, extra_specs) -> bool:
    """Whether it would be told by the answer no more than it may see."""
    return set(extra_specs) <= set(extra_spec_policies.USER_VISIBLE) or context.can(extra_spec_policies.READ_SENSITIVE)


def _filters(req) -> dict:
    """Others are passed over: clients look for a name by sending it, and go through the list themselves."""
    known = ('is_public', 'extra_specs') if req.version >= versions.TYPE_FILTERS else ('is_public',)
    wanted = {name: req.query[name] for name in known if name in req.query}
    public = wanted.pop('is_public', None)
    if scope.everybody(req.context):
        if public is not None and public.lower() != 'none':
            wanted['is_public'] = filters.boolean('is_public', public, True)
    if 'extra_specs' in wanted:
        wanted['extra_specs'] = filters.pairs('extra_specs', wanted['extra_specs'])
    return wanted


def _unless_the_name_is_taken(req, name, work):
    try:
        return req.context.db.run(work)
    except db_exc.DBDuplicateEntry:
        raise errors.Conflict(f'Volume type {name} exists already.') from None
