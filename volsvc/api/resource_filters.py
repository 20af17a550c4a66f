"""Which filters each list takes."""
from svckit.web import handler
from volsvc.api import attachments, filters, messages, scheduler_stats, snapshots, types, versions, volumes

_LISTS = {'attachment': attachments.index, 'message': messages.index, 'pool': scheduler_stats.get_pools,
          'snapshot': snapshots.index, 'volume': volumes.index, 'volume_type': types.index}
# What else lists read of a query.
_OTHERS = {*filters.PAGING, 'all_tenants', 'project_id', 'detail'}


@handler(min=versions.RESOURCE_FILTERS, reads={'resource': None})
def index(req):
    """Of every list, or of the one that `resource` names; those that the request's version and user may use."""
    wanted = req.query.get('resource')
    return {'resource_filters': [{'resource': resource, 'filters': _taken(req, listing)}
                                 for resource, listing in _LISTS.items() if wanted in (None, resource)]}


def _taken(req, listing) -> list[str]:
    others = _OTHERS if req.context.is_admin else _OTHERS | set(volumes.FOR_ADMINISTRATORS)
    return [name for name, since in listing.reads.items()
            if name not in others and (since is None or since <= req.version)]
