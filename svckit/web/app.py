"""The WSGI application: one request from its first byte to its access-log line.

In this order: request id, health, metrics and documents, body size, token,
context, route, microversion, handler; an error anywhere becomes a fault.
"""
import logging
import re
import time
import uuid

from svckit import errors
from svckit.context import RequestContext
from svckit.web import auth as authentication
from svckit.web import discovery, faults, metrics, openapi, request
from svckit.web.response import JSON, Response, encode
from svckit.web.routing import Router

ACCESS = logging.getLogger('svckit.access')
_REQUEST_ID = re.compile(r'req-[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z')


def application(service, routes: dict, versions, *, auth=None, collectors=()) -> 'Application':
    """A WSGI application for `service` (its .conf and .policy are used here).

    auth: an authenticator other than the configured one.  collectors: what /metrics
    tells besides the requests (svckit.web.metrics).
    """
    auth = auth or authentication.authenticator(service.conf, versions.service_types[0])
    return Application(service, routes, versions, auth, collectors)


class Application:
    """See `application`; `metrics` takes further collectors."""

    def __init__(self, service, routes, versions, auth, collectors):
        self.service, self.versions, self.auth = service, versions, auth
        # Made now if it is made on demand: a log line asks whether its context is an
        # administrator's, and making the policy writes log lines.
        service.policy  # noqa: B018
        self.metrics = metrics.Metrics(collectors)
        options = service.conf.api
        self._routes, self._router = routes, Router(routes)
        self._max_body, self._public = options.max_body, options.public_endpoint
        self._proxied = options.enable_proxy_headers_parsing
        self._prefix = '/' + (options.prefix or versions.service_types[0]).strip('/')
        self._health = None
        self._open = {'/': self._root, versions.path: self._version, '/healthcheck': self._healthcheck,
                      '/metrics': self._metrics, '/openapi.json': self._openapi}

    def __call__(self, environ, start_response):
        began = time.perf_counter()
        request_id = f'req-{uuid.uuid4()}'
        given = environ.get('HTTP_X_OPENSTACK_REQUEST_ID')
        if self._proxied:
            request.behind_proxy(environ)
        req = request.Request(environ, self._public)
        # From here on log lines carry the ids.
        req.context = RequestContext(service=self.service, request_id=request_id,
                                     global_request_id=given if given and _REQUEST_ID.match(given) else None)
        try:
            response = self._answer(req)
            chunks, headers = _rendered(response)
        except Exception as error:
            response = faults.fault(error)
            chunks, headers = _rendered(response)
        headers.append(('X-OpenStack-Request-ID', request_id))
        headers.append(('X-Compute-Request-Id', request_id))
        if req.version:
            headers += self.versions.headers(req.version)
        start_response(faults.reason(response.status), headers)
        seconds = time.perf_counter() - began
        self.metrics.count(environ['REQUEST_METHOD'], req.route or '-', response.status, seconds)
        if ACCESS.isEnabledFor(logging.INFO):
            ACCESS.info('%s "%s %s" %s %s bytes %.1f ms', environ.get('REMOTE_ADDR', '-'),
                        environ['REQUEST_METHOD'], _shown(environ), response.status,
                        len(chunks[0]) if isinstance(chunks, list) and chunks else '-', seconds * 1000)
        return chunks if environ['REQUEST_METHOD'] != 'HEAD' else []

    def _answer(self, req) -> Response:
        environ = req.environ
        path = self._without_prefix(environ, request.path(environ))
        if document := self._open.get(path if len(path) == 1 else path.rstrip('/')):
            return document(req)
        raw = request.body(environ, self._max_body)
        req.context.identify(self.auth(environ))
        method = 'GET' if req.method == 'HEAD' else req.method
        handler, arguments, req.route = self._router.find(path, method)
        req.version = req.context.version = self.versions.of(environ)
        if 'project_id' in arguments:
            self._check_project(req.context, arguments.pop('project_id'))
        if req.context.project_id is None:
            _check_projectless(req)
        req.query_lists = request.query(environ)
        return handler.run(req, raw, arguments)

    def _check_project(self, context, project_id):
        """A path names the token's project; administrators and services may name another."""
        if context.project_id is None and self.auth is authentication.noauth:
            context.project_id = project_id
        elif context.project_id != project_id and not context.is_service and not context.is_admin:
            raise errors.BadRequest("Malformed request url: it names another project than the token's.")

    def _without_prefix(self, environ, path) -> str:
        prefix = self._prefix
        if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == '/'):
            environ['SCRIPT_NAME'] = environ.get('SCRIPT_NAME', '') + prefix
            environ['PATH_INFO'] = environ['PATH_INFO'][len(prefix):] or '/'
            return path[len(prefix):] or '/'
        return path

    def _root(self, req):
        _only_get(req)
        # Cinder answers 300 Multiple Choices here, Nova 200; clients take either.
        status = 200 if self.versions.single else 300
        return Response(discovery.root(self.versions, req.application_url), status)

    def _version(self, req):
        _only_get(req)
        return Response(discovery.version(self.versions, req.application_url), 200)

    def _openapi(self, req):
        _only_get(req)
        req.version = self.versions.of(req.environ) if self.versions.named(req.environ) else self.versions.max
        return Response(openapi.document(self._routes, self.versions, req.version, req.application_url), 200)

    def _metrics(self, req):
        _only_get(req)
        text, kind = self.metrics.text()
        return Response(text, 200, content_type=kind)

    def _healthcheck(self, req):
        if self._health is None:
            from oslo_middleware import healthcheck
            self._health = healthcheck.Healthcheck(None, {'oslo_config_config': self.service.conf})
        from webob import Request
        found = Request(req.environ).get_response(self._health)
        return Response(found.body, found.status_int, content_type=found.content_type)


def _check_projectless(req):
    """A token of no project (unscoped, of a domain, of the system) owns nothing and can make nothing."""
    if not req.context.is_admin and not req.context.is_service:
        raise errors.Forbidden('This needs a token that is scoped to a project.')
    if req.method == 'POST' and not req.context.is_service and not req.route.endswith('/action'):
        raise errors.BadRequest('What is made belongs to a project: this needs a token scoped to one.')


def _only_get(req):
    if req.method not in ('GET', 'HEAD'):
        raise errors.MethodNotAllowed(allow=['GET'])


def _rendered(response):
    """(body as a list of bytes or an iterable, headers)."""
    headers = list(response.headers.items())
    body = response.body
    if body is None or response.status == 204:
        if response.status != 204:
            headers.append(('Content-Length', '0'))
        return [], headers
    headers.append(('Content-Type', response.content_type))
    if not isinstance(body, bytes):
        if response.content_type == JSON:
            body = encode(body)
        elif not isinstance(body, str):
            return body, headers
        body = body.encode('utf-8')
    headers.append(('Content-Length', str(len(body))))
    return [body], headers


def _shown(environ) -> str:
    query = environ.get('QUERY_STRING')
    path = environ.get('SCRIPT_NAME', '') + environ.get('PATH_INFO', '')
    shown = f'{path}?{query}' if query else path
    # What a client writes must not look like a line of ours.
    return shown if shown.isascii() and shown.isprintable() else ascii(shown)[1:-1]
