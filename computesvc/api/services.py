"""Services: list, enable, disable, force down, delete."""
import re

from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import services as schemas
from computesvc.api.schemas.types import true
from computesvc.api.views import services as views
from computesvc.db import claims, services
from computesvc.db.models import Service
from computesvc.operations import leave_host
from computesvc.policies import services as policies
from svckit.db import swap
from svckit.web.handler import by_version, handler


@handler(query=schemas.QUERY)
def index(req):
    req.context.authorize(policies.LIST)
    with req.context.db.reader() as session:
        found = services.find(session, req.query.get('host'), req.query.get('binary'))
    return {'services': [_view(req, service, age) for service, age in found]}


@handler(body=schemas.UPDATE)
def _update(req, service_id):
    """By UUID, from 2.53 on."""
    req.context.authorize(policies.UPDATE)
    wish = req.data
    if not wish:
        raise errors.BadRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    if 'disabled_reason' in wish and wish.get('status') != 'disabled':
        raise errors.BadRequest("Specifying 'disabled_reason' when status is 'enabled' is invalid.")
    with req.context.db.reader() as session:
        service = services.get(session, id_of(req, service_id))
    values = {}
    if 'status' in wish:
        values = {'disabled': wish['status'] == 'disabled', 'disabled_reason': wish.get('disabled_reason')}
    if 'forced_down' in wish:
        values['forced_down'] = true(wish['forced_down'])
    _set(req, service, values)
    with req.context.db.reader() as session:
        found = services.find(session, service.host, service.binary)
    return {'service': _view(req, *found[0])}


@handler(body=schemas.OLD_UPDATE, max='2.52')
def _act(req, service_id):
    """PUT /os-services/enable and so on, with host and binary in the body."""
    req.context.authorize(policies.UPDATE)
    wish = req.data
    values = {'enable': {'disabled': False, 'disabled_reason': None}, 'disable': {'disabled': True},
              'disable-log-reason': {'disabled': True, 'disabled_reason': wish.get('disabled_reason')},
              'force-down': {'forced_down': true(wish.get('forced_down'))}}.get(service_id)
    if values is None or (service_id == 'force-down' and req.version < versions.FORCED_DOWN):
        raise errors.NotFound('Unknown action')
    if service_id == 'disable-log-reason' and not wish.get('disabled_reason'):
        raise errors.BadRequest('Missing disabled reason field')
    with req.context.db.reader() as session:
        found = services.find(session, wish['host'], wish['binary'])
    if not found:
        raise errors.NotFound(f"Could not find binary {wish['binary']} on host {wish['host']}.")
    _set(req, found[0][0], values)
    shown = {'host': wish['host'], 'binary': wish['binary']}
    if 'disabled' in values:
        shown['status'] = 'disabled' if values['disabled'] else 'enabled'
    return {'service': shown | {k: v for k, v in values.items() if k != 'disabled' and v is not None}}


update = by_version(('2.1', _act), ('2.53', _update))


@handler(status=204)
def delete(req, service_id):
    """A host that still has servers, or holds room for one, keeps its service.

    One that was declared down for good (forced down) need not be cleaned of servers that left it.
    """
    req.context.authorize(policies.DELETE)
    with req.context.db.transaction() as session:
        service = services.get(session, id_of(req, service_id))
        if service.binary == services.AGENT and service.forced_down:
            leave_host.give_up(session, service.host)
        if service.binary == services.AGENT and service.host in claims.counts(session):
            raise errors.Conflict('Unable to delete compute service that is hosting instances. Migrate or delete the '
                                  'instances first.')
        services.remove(session, service)


def id_of(req, text: str):
    """A UUID from 2.53 on, a number before; raises BadRequest."""
    if req.version >= versions.UUIDS:
        if not re.fullmatch('[0-9a-fA-F-]{32,36}', text):
            raise errors.BadRequest(f'Invalid uuid {text[:64]}')
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise errors.BadRequest(f'Invalid id {text[:64]}')
    return int(text)


def _set(req, service, values):
    if service.binary != services.AGENT:
        raise errors.BadRequest(f'Updating a {service.binary} service is not supported. Only {services.AGENT} services '
                                'can be updated.')
    req.context.db.run(lambda session: swap(session, Service, service.id, {}, values))


def _view(req, service, age):
    return views.shown(service, age, req.context.service.conf.service.down_time, req.version)
