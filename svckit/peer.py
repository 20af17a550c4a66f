"""Talking HTTP to another service, as ourselves or in a user's name.

Credentials, the catalog and connections are keystoneauth's.  Nothing here knows
what is said: that is for the services to know.
"""
import logging
import socket

from keystoneauth1 import exceptions, loading, service_token
from urllib3 import connection, connectionpool

LOG = logging.getLogger(__name__)


class NoAnswer(Exception):
    """The service could not be reached, or failed itself: ask again later."""


class Refusal(Exception):
    """The service said no: `status` and its own sentence."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Peer:
    """One service, described by the section `group` of the configuration; `name` is who we are."""

    def __init__(self, conf, group: str, name: str, session=None):
        self.conf, self.group, self.name = conf, group, name
        self.options = conf[group]
        self._session = session
        self._adapter = None
        self._open = self.options.auth_type in ('none', 'noauth', None)

    @property
    def adapter(self):
        if self._adapter is None:
            auth = None if self._open else _as_service(_plugin(self.conf, self.group))
            session = self._session or _prompt(loading.load_session_from_conf_options(self.conf, self.group))
            self._adapter = loading.load_adapter_from_conf_options(self.conf, self.group, session=session, auth=auth)
        return self._adapter

    def call(self, method: str, path: str, body=None, *, context=None, headers=None, good=(200, 201, 202, 204),
             timeout: float | None = None, **kw):
        """The response; raises NoAnswer or Refusal.

        With `context` it is asked in the user's name, otherwise as this service.
        `timeout` in seconds, by default the configured one.
        """
        try:
            response = self.adapter.request(
                path, method, json=body, raise_exc=False, connect_retries=0, status_code_retries=0,
                endpoint_override=self.endpoint(context), authenticated=context is None and not self._open,
                timeout=timeout or self.options.answer_timeout, headers={**self._who(context), **(headers or {})}, **kw)
        except exceptions.ConnectionError as e:
            # Users read why their operation waits; addresses are for operators.
            LOG.warning('%s %s: %s', method, path, e)
            raise NoAnswer(f'the {self.options.service_type} service cannot be reached') from e
        except exceptions.ClientException as e:
            raise NoAnswer(f'{self.options.service_type} service: {e}') from e
        if response.status_code in good:
            return response
        message = _sentence(response)
        LOG.debug('%s %s answered %s: %s', method, path, response.status_code, message)
        # 401 is about our own credentials, not about what was asked.
        if response.status_code >= 500 or response.status_code in (401, 408, 429):
            raise NoAnswer(f'{self.options.service_type} service answered {response.status_code}: {message}')
        raise Refusal(response.status_code, message)

    def _token(self) -> str:
        try:
            return self.adapter.get_token() or ''
        except exceptions.ClientException as e:
            raise NoAnswer(f'The identity service gave no token: {e}') from e

    def endpoint(self, context) -> str:
        """The service's URL; where it ends in our project, in the user's name it ends in theirs."""
        if self.options.endpoint_override:
            project = context.project_id if context else 'service'
            return self.options.endpoint_override.replace('%(project_id)s', project or '').rstrip('/')
        url = self.adapter.get_endpoint()
        if url is None:
            raise NoAnswer(f'The catalog names no {self.options.service_type} service')
        ours = self.adapter.get_project_id()
        if context and ours and url.rstrip('/').endswith(ours):
            url = url.rstrip('/').removesuffix(ours) + (context.project_id or '')
        return url.rstrip('/')

    def _who(self, context) -> dict[str, str]:
        headers = {}
        if context is not None and context.global_id:
            headers['X-Openstack-Request-Id'] = context.global_id
        if not self._open:
            # Beside ours, a user's token may have run out while it waited.
            return headers | ({'X-Auth-Token': context.auth_token or '', 'X-Service-Token': self._token()}
                              if context else {})
        if context is None:
            return headers | {'X-User-Id': self.name, 'X-Project-Id': 'service', 'X-Roles': 'admin,service',
                              'X-Service-Roles': 'service'}
        return headers | {'X-User-Id': context.user_id or '', 'X-Project-Id': context.project_id or '',
                          'X-Roles': ','.join(context.roles or [])}


def _sentence(response) -> str:
    """The message in an OpenStack error body, or the start of whatever came."""
    try:
        body = response.json()
        inner = next(iter(body.values())) if isinstance(body, dict) and body else body
        message = inner.get('message') if isinstance(inner, dict) else inner
        return str(message or response.reason)
    except ValueError:
        return (response.text or response.reason or '')[:200]


def options(service_type: str, service_name: str) -> list:
    """The options of a section that says how to reach another service."""
    from oslo_config import cfg
    adapter = loading.get_adapter_conf_options(include_deprecated=False)
    return [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *map(_optional, loading.get_auth_plugin_conf_options('password')),
        *(option for option in adapter if option.dest not in ('service_type', 'service_name')),
        cfg.StrOpt('service_type', default=service_type, help='Its type in the catalog.'),
        cfg.StrOpt('service_name', help=f'Its name in the catalog, such as {service_name}; unset takes any.'),
        cfg.FloatOpt('answer_timeout', default=30.0, help='Seconds to wait for an answer.'),
    ]


class _Prompt:
    """Tells the server at once that an answer's head has come: many send its body only then.

    Left to itself, Linux tells after 40 ms.
    """

    def getresponse(self):
        self._tell()
        answer = super().getresponse()
        self._tell()
        return answer

    def _tell(self):
        if self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _Connection(_Prompt, connection.HTTPConnection):
    pass


class _SecureConnection(_Prompt, connection.HTTPSConnection):
    pass


class _Pool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _prompt(session):
    for adapter in session.session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}
    return session


def _as_service(plugin):
    """Our token is sent as X-Service-Token too: Cinder lets only a request with one end an attachment."""
    return service_token.ServiceTokenAuthWrapper(plugin, plugin)


def _plugin(conf, group):
    """As keystoneauth's load_auth_from_conf_options(), which wants its options registered as required."""
    loader = loading.get_plugin_loader(conf[group].auth_type)
    known = set(conf[group])
    conf.register_opts([_optional(option) for option in loading.get_auth_plugin_conf_options(loader)
                        if option.dest not in known], group)
    return loader.load_from_options_getter(lambda option: conf[group][option.dest])


def _optional(option):
    """keystoneauth wants auth_url always; an agent, a test or noauth has none."""
    option.required = False
    return option
