"""A route table for the identity and image services.

These two speak APIs without microversions and each in an error format of its
own, so they share this and not the services' pipeline.  Handlers take the WebOb
request and the path's arguments, return something JSON-able or a `Response`, and
raise `webob.exc` errors, which `fault` turns into the API's own format.
"""
import json
import logging
import re
import uuid

from webob import Request, Response, exc

LOG = logging.getLogger(__name__)
MAX_BODY = 64 * 1024


class Application:
    """WSGI application over `{'/v3/users/{id}': {'GET': show}}`.

    An unknown path is 404 and a known path's unknown method 405 with `Allow`.
    A trailing slash makes no difference.
    """

    def __init__(self, routes: dict, fault):
        self._routes = [(_pattern(path), methods) for path, methods in routes.items()]
        self._fault = fault

    def __call__(self, environ, start_response):
        request = Request(environ)
        request_id = f'req-{uuid.uuid4()}'
        response = self._answer(request)
        response.headers['X-Openstack-Request-Id'] = request_id
        return response(environ, start_response)

    def _answer(self, request) -> Response:
        try:
            handler, arguments = self._find(request)
            result = handler(request, **arguments)
            return result if isinstance(result, Response) else json_response(result)
        except exc.HTTPException as error:
            return self._fault(request, error)
        except Exception:
            LOG.exception('%s %s failed', request.method, request.path)
            return self._fault(request, exc.HTTPInternalServerError(
                'An unexpected error prevented the server from fulfilling your request.'))

    def _find(self, request):
        path = request.path_info.rstrip('/') or '/'
        for pattern, methods in self._routes:
            if match := pattern.fullmatch(path):
                # HEAD is GET without its body, and WebOb leaves the body out.
                method = 'GET' if request.method == 'HEAD' and 'HEAD' not in methods else request.method
                if method not in methods:
                    raise exc.HTTPMethodNotAllowed(f'{request.method} is not allowed here.',
                                                   headers={'Allow': ', '.join(sorted(methods))})
                return methods[method], match.groupdict()
        raise exc.HTTPNotFound('The resource could not be found.')


def json_response(document, status=200, headers=None) -> Response:
    """`document` as a JSON response; None is an empty body."""
    body = b'' if document is None else json.dumps(document).encode()
    response = Response(body=body, status=status)
    response.headers['Content-Type'] = 'application/json'
    response.headers.update(headers or {})
    return response


def json_body(request, kind=dict):
    """The request's body, a JSON object (or list) of at most 64 KiB; otherwise 400 or 413."""
    raw = request.body_file.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise exc.HTTPRequestEntityTooLarge(f'The body is larger than {MAX_BODY} bytes.')
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise exc.HTTPBadRequest('The request body is not valid JSON.') from None
    if not isinstance(document, kind):
        raise exc.HTTPBadRequest(f'The request body must be a JSON {"object" if kind is dict else "list"}.')
    return document


def _pattern(path: str) -> re.Pattern:
    return re.compile(re.sub(r'\{(\w+)\}', r'(?P<\1>[^/]+)', path))
