"""The pools that volumes can be made in."""
from svckit.web import handler
from volsvc.api import filters, versions
from volsvc.api.views import pools as views
from volsvc.db import claims, services, types
from volsvc.policies import scheduler_stats as policies
from volsvc.scheduling import backends
from volsvc.scheduling import filters as scheduling_filters


@handler(reads={'detail': None, 'name': versions.POOL_FILTERS, 'volume_type': versions.POOL_TYPE_FILTER})
def get_pools(req):
    """Those of backends that report, with what they can if `detail` says so."""
    req.context.authorize(policies.GET_POOLS)
    down_time = req.context.service.conf.service.down_time
    view = views.detail if filters.asked(req, 'detail') else views.summary
    wanted = _filters(req)
    with req.context.db.reader() as session:
        specs = types.get(session, wanted['volume_type'], by_name=True).extra_specs if 'volume_type' in wanted else {}
        promised = claims.promised(session)
        found = [(service, age) for service, age in services.every(session)
                 if service.binary == services.BINARY and age <= down_time
                 and wanted.get('name') in (None, views.name(service)) and _is(service, specs, promised)]
    return {'pools': [view(service, age, promised) for service, age in found]}


def _is(service, extra_specs, promised) -> bool:
    """Whether the backend is what a type's extra specs ask for."""
    wish = backends.Wish(extra_specs=extra_specs)
    return scheduling_filters.capabilities(backends.candidate(service, True, promised), wish) is None


def _filters(req) -> dict:
    req.query.pop('detail', None)
    if req.version < versions.POOL_FILTERS:
        return {}
    return filters.chosen(req, ('name', 'volume_type') if req.version >= versions.POOL_TYPE_FILTER else ('name',))
