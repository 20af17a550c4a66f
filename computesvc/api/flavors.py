"""Flavors and their extra specs."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import flavors as schemas
from computesvc.api.schemas.types import true
from computesvc.api.views import flavors as views
from computesvc.db import flavors, lists
from computesvc.db.models import Flavor
from computesvc.policies import flavors as policies
from svckit.db import new_id
from svckit.web.handler import handler
from svckit.web.paging import Page, links


@handler(query=schemas.QUERY)
def index(req):
    found, page = _find(req)
    shown = [views.basic(req, flavor) for flavor in found]
    return {'flavors': shown, **links(req, 'flavors', shown, page)}


@handler(query=schemas.QUERY)
def detail(req):
    found, page = _find(req)
    specs = req.context.can(policies.SPECS_INDEX)
    shown = [views.full(req, flavor, specs) for flavor in found]
    return {'flavors': shown, **links(req, 'flavors', shown, page)}


@handler()
def show(req, flavor_id):
    flavor = _flavor(req, flavor_id, policies.SHOW)
    return {'flavor': views.full(req, flavor, req.context.can(policies.SPECS_INDEX))}


@handler(body=schemas.CREATE)
def create(req):
    req.context.authorize(policies.CREATE)
    wish = req.data['flavor']
    id = wish.get('id')
    flavor = Flavor(
        id=new_id() if id in (None, 'auto', '') else str(id), name=wish['name'].strip(), vcpus=int(wish['vcpus']),
        memory_mb=int(wish['ram']), disk_gb=int(wish['disk']), swap_mb=int(wish.get('swap') or 0),
        ephemeral_gb=int(wish.get('OS-FLV-EXT-DATA:ephemeral') or 0), rxtx_factor=float(wish.get('rxtx_factor', 1)),
        is_public=true(wish.get('os-flavor-access:is_public', True)), description=wish.get('description'),
        disabled=False, extra_specs={})
    with req.context.db.transaction() as session:
        flavors.add(session, flavor)
    return {'flavor': views.full(req, flavor, True)}


@handler(body=schemas.UPDATE, min=versions.FLAVOR_DESCRIPTION)
def update(req, flavor_id):
    _flavor(req, flavor_id, policies.UPDATE)
    _change(req, flavor_id, description=req.data['flavor']['description'])
    return {'flavor': views.full(req, flavors.get(req.context, flavor_id), True)}


@handler(status=202)
def delete(req, flavor_id):
    """Servers keep what they remember of their flavor."""
    _flavor(req, flavor_id, policies.DELETE)
    req.context.db.run(lambda session: flavors.remove(session, flavor_id))


@handler()
def access(req, flavor_id):
    """The projects that may use a flavor which is not public: only administrators may, for any."""
    flavor = _flavor(req, flavor_id, policies.ACCESS)
    if flavor.is_public:
        raise errors.NotFound('Access list not available for public flavors.')
    return {'flavor_access': []}


# ------------------------------------------------------------------ extra specs

@handler()
def specs_index(req, flavor_id):
    return {'extra_specs': _flavor(req, flavor_id, policies.SPECS_INDEX).extra_specs}


@handler()
def specs_show(req, flavor_id, key):
    specs = _flavor(req, flavor_id, policies.SPECS_SHOW).extra_specs
    if key not in specs:
        raise errors.NotFound(f'Flavor {flavor_id} has no extra specs with key {key}.')
    return {key: specs[key]}


@handler(body=schemas.SPECS)
def specs_create(req, flavor_id):
    flavor = _flavor(req, flavor_id, policies.SPECS_CREATE)
    added = {key: str(value) for key, value in req.data['extra_specs'].items()}
    _change(req, flavor_id, extra_specs={**flavor.extra_specs, **added})
    return {'extra_specs': added}


@handler(body=schemas.SPEC)
def specs_update(req, flavor_id, key):
    flavor = _flavor(req, flavor_id, policies.SPECS_UPDATE)
    if key not in req.data:
        raise errors.BadRequest('Request body and URI mismatch')
    _change(req, flavor_id, extra_specs={**flavor.extra_specs, key: str(req.data[key])})
    return {key: str(req.data[key])}


@handler()
def specs_delete(req, flavor_id, key):
    flavor = _flavor(req, flavor_id, policies.SPECS_DELETE)
    if key not in flavor.extra_specs:
        raise errors.NotFound(f'Flavor {flavor_id} has no extra specs with key {key}.')
    _change(req, flavor_id, extra_specs={k: v for k, v in flavor.extra_specs.items() if k != key})


def _flavor(req, flavor_id, policy):
    req.context.authorize(policy)
    return flavors.get(req.context, flavor_id)


def _change(req, flavor_id, **values):
    req.context.db.run(lambda session: flavors.change(session, flavor_id, **values))


def _find(req):
    context, query = req.context, req.query
    context.authorize(policies.SHOW)
    page = Page.from_query(query, context.service.conf.api.max_limit, flavors.SORTS, [('memory_mb', 'asc')]
                           if 'sort_dir' not in query else (), lists=_sorted(req))
    where = [Flavor.disk_gb >= _least(query, 'minDisk'), Flavor.memory_mb >= _least(query, 'minRam')]
    public = _public(context, query)
    if public is not None:
        where.append(Flavor.is_public == public)
    with context.db.reader() as session:
        return lists.page(session, Flavor, where, page, flavors.SORTS), page


def _sorted(req):
    """Nova sorts flavors upwards, by id unless told otherwise."""
    keys = req.query_lists.get('sort_key') or ['flavorid']
    return {'sort_key': keys, 'sort_dir': req.query_lists.get('sort_dir') or ['asc'] * len(keys)}


def _public(context, query):
    """Only administrators see flavors that are not public; `none` means either kind."""
    word = query.get('is_public', 'true').lower()
    if word not in ('true', 'false', 'none', '1', '0', 'yes', 'no', 't', 'f'):
        raise errors.BadRequest(f'Invalid is_public filter [{word[:40]}]')
    if not context.is_admin:
        return True
    return None if word == 'none' else true(word) if 'is_public' in query else True


def _least(query, name) -> int:
    text = query.get(name, '0')
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise errors.BadRequest(f'Invalid {name} filter [{text[:40]}]')
    return int(text)
