"""Services: the backends that report, and which of them take no new volumes."""
from svckit.web import handler
from volsvc import errors
from volsvc.api.schemas import services as schemas
from volsvc.api.views import services as views
from volsvc.db import services
from volsvc.policies import services as policies


@handler(reads={'host': None, 'binary': None})
def index(req):
    """Those that match `host` and `binary`."""
    req.context.authorize(policies.INDEX)
    down_time = req.context.service.conf.service.down_time
    host, binary = req.query.get('host'), req.query.get('binary')
    with req.context.db.reader() as session:
        found = [(service, age) for service, age in services.every(session)
                 if binary in (None, service.binary) and host in (None, service.host, service.host.partition('@')[0])]
    return {'services': [views.detail(service, age, down_time, req.version) for service, age in found]}


@handler(body=schemas.SWITCH)
def enable(req):
    """Let new volumes come again."""
    return _switch(req, disabled=False)


@handler(body=schemas.SWITCH)
def disable(req):
    """Keep new volumes off a backend; those that are there go on."""
    return _switch(req, disabled=True)


@handler(body=schemas.DISABLE_WITH_REASON)
def disable_with_reason(req):
    """As disable, and note why."""
    return _switch(req, disabled=True)


def _switch(req, disabled):
    req.context.authorize(policies.UPDATE)
    wanted = req.data
    host, binary = wanted['host'], wanted.get('binary') or wanted['service']
    reason = wanted.get('disabled_reason')
    with req.context.db.transaction() as session:
        if not services.switch(session, host, binary, disabled, reason):
            raise errors.NotFound(f'Service {binary} could not be found on host {host}.')
    answer = {'host': host, 'service': wanted.get('service', ''), 'binary': binary,
              'status': 'disabled' if disabled else 'enabled', 'disabled': disabled}
    if reason is not None:
        answer['disabled_reason'] = reason
    return answer
