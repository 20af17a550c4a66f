"""Who a request comes from.

An authenticator takes the WSGI environment and returns the credentials: keyword
arguments for RequestContext.  `Keystone` has keystonemiddleware validate tokens;
`noauth` believes the caller, and is only for loopback.
"""
import hashlib
import logging
import time

from svckit import conf as configuration
from svckit import errors

LOG = logging.getLogger(__name__)
_REMEMBERED = 15.0
_MOST = 1000


def authenticator(conf, service_type):
    """The one that [api] auth_strategy names."""
    return noauth if conf.api.auth_strategy == 'noauth' else Keystone(conf, service_type)


def noauth(environ) -> dict:
    """What the headers say, as the middleware would have set them.

    Without them an X-Auth-Token `user:project` is an administrator in that project,
    and without that the project of the path counts (`project_id` None).
    """
    if 'HTTP_X_USER_ID' in environ or 'HTTP_X_PROJECT_ID' in environ or 'HTTP_X_ROLES' in environ:
        return {**_from_headers(environ), 'auth_token': environ.get('HTTP_X_AUTH_TOKEN')}
    user, _, project = (environ.get('HTTP_X_AUTH_TOKEN') or '').partition(':')
    return {'user_id': user or 'noauth', 'project_id': project or environ.get('HTTP_X_TENANT_ID'),
            'roles': ['admin'], 'service_roles': _names(environ.get('HTTP_X_SERVICE_ROLES')),
            'auth_token': environ.get('HTTP_X_AUTH_TOKEN')}


class Keystone:
    """Tokens validated by keystonemiddleware.

    What it found is remembered for a few seconds, never beyond the token's life, so
    that a burst of requests with one token does not parse its catalog each time.
    """

    def __init__(self, conf, service_type, clock=time.time):
        from keystonemiddleware import auth_token
        self._clock = clock
        self._known: dict[bytes, tuple[float, dict]] = {}
        configuration.register_authtoken(conf)
        settings = {'oslo_config_config': conf, 'service_type': service_type}
        self._cache = None
        if not conf.keystone_authtoken.memcached_servers:
            self._cache, settings['cache'] = _Cache(clock), 'svckit.cache'
        self._middleware = auth_token.AuthProtocol(_valid, settings)

    def __call__(self, environ) -> dict:
        """Credentials; Unauthorized with WWW-Authenticate, Unavailable if Keystone does not answer."""
        token = environ.get('HTTP_X_AUTH_TOKEN', '')
        service_token = environ.get('HTTP_X_SERVICE_TOKEN', '')
        key = hashlib.sha256(f'{token}\0{service_token}'.encode()).digest()
        until, known = self._known.get(key, (0, None))
        if known is None or self._clock() >= until:
            known = self._ask(environ)
            self._remember(key, known, environ)
        return known

    def _ask(self, environ) -> dict:
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer.update(status=status, headers=dict(headers))

        environ['svckit.cache'] = self._cache
        try:
            self._middleware(environ, start_response)
        except Exception as error:
            LOG.exception('Tokens cannot be validated.')
            raise errors.Unavailable('The identity service cannot validate tokens at the moment.') from error
        if 'svckit.valid' in environ:
            return {**_from_headers(environ), 'auth_token': environ.get('HTTP_X_AUTH_TOKEN')}
        if not answer['status'].startswith('401'):
            raise errors.Unavailable('The identity service does not answer; please try again.')
        headers = {name: value for name, value in answer['headers'].items() if name == 'WWW-Authenticate'}
        raise errors.Unauthorized(headers=headers)

    def _remember(self, key, credentials, environ):
        token = (environ.get('keystone.token_info') or {}).get('token', {})
        # What such a token may do depends on the request as well.
        if token.get('bind') or (token.get('application_credential') or {}).get('access_rules') is not None:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = min(self._clock() + _REMEMBERED, _expiry(environ)), credentials


class _Cache:
    """The part of memcached that keystonemiddleware uses; its own stand-in walks all tokens at each look."""

    def __init__(self, clock):
        self._clock = clock
        self._kept: dict[str, tuple[float, bytes]] = {}

    def get(self, key):
        until, value = self._kept.get(key, (0, None))
        return value if self._clock() < until else None

    def set(self, key, value, time=0):
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[key] = self._clock() + time, value


def _expiry(environ) -> float:
    """When the first of the request's tokens ends, in seconds since the epoch."""
    tokens = environ['keystone.token_auth']
    return min(token.expires.timestamp() for token in (tokens.user, tokens.service) if token)


def _valid(environ, start_response):
    """Stands behind the middleware, which only lets valid tokens through."""
    environ['svckit.valid'] = True
    start_response('204 No Content', [])
    return []


_HEADERS = {'user_id': 'HTTP_X_USER_ID', 'user_name': 'HTTP_X_USER_NAME', 'project_id': 'HTTP_X_PROJECT_ID',
            'project_name': 'HTTP_X_PROJECT_NAME', 'domain_id': 'HTTP_X_DOMAIN_ID',
            'user_domain_id': 'HTTP_X_USER_DOMAIN_ID', 'project_domain_id': 'HTTP_X_PROJECT_DOMAIN_ID',
            'system_scope': 'HTTP_OPENSTACK_SYSTEM_SCOPE', 'service_user_id': 'HTTP_X_SERVICE_USER_ID',
            'service_project_id': 'HTTP_X_SERVICE_PROJECT_ID'}


def _from_headers(environ) -> dict:
    found = {name: environ.get(header) for name, header in _HEADERS.items()}
    found['roles'] = _names(environ.get('HTTP_X_ROLES'))
    found['service_roles'] = _names(environ.get('HTTP_X_SERVICE_ROLES'))
    found['is_admin_project'] = (environ.get('HTTP_X_IS_ADMIN_PROJECT') or 'true').lower() == 'true'
    return found


def _names(header) -> list[str]:
    return [name.strip() for name in header.split(',') if name.strip()] if header else []
