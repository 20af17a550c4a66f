"""The pools that volumes can be made in."""
from svckit.web import handler
from volsvc.api import filters, versions
from volsvc.api.views import pools as views
from volsvc.db import services, types
from volsvc.policies import scheduler_stats as policies
from volsvc.scheduling import backends


@handler()
def get_pools(req):
    """Those of backends that report, with what they can if `detail` says so."""
    req.context.authorize(policies.GET_POOLS)
    down_time = req.context.service.conf.service.down_time
    view = views.detail if filters.asked(req, 'detail') else views.summary
    wanted = _filters(req)
    with req.context.db.reader() as session:
        specs = types.get(session, wanted['volume_type'], by_name=True).extra_specs if 'volume_type' in wanted else {}
        found = [(service, age) for service, age in services.every(session)
                 if age <= down_time and wanted.get('name') in (None, views.name(service))
                 and backends.matches(service.capabilities, specs)]
    return {'pools': [view(service, age) for service, age in found]}


def _filters(req) -> dict:
    req.query.pop('detail', None)
    if req.version < versions.POOL_FILTERS:
        return {}
    return filters.chosen(req, ('name', 'volume_type') if req.version >= versions.POOL_TYPE_FILTER else ('name',))
