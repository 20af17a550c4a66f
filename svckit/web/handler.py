"""Handlers: functions that say what they take and answer.

    @handler(status=202, body=EXTEND, min='3.0')
    def extend(req, volume_id):
        …

A handler returns a JSON-able body, None for an empty one, or a Response.  Errors
pass through it; it never makes one into an answer itself.
"""
import functools

from svckit import errors
from svckit.web import request as reading
from svckit.web.microversion import Microversion
from svckit.web.response import Response
from svckit.web.schema import Schema


class Handler:
    """A function, with its status and what is checked before it runs."""

    def __init__(self, function, status=200, body=None, query=None, min=None, max=None, also=(), reads=None):
        functools.update_wrapper(self, function)
        self.function, self.status, self.also, self.reads = function, status, also, reads or {}
        self.body = Schema(body, 'body') if body is not None else None
        self.query = Schema(query, 'query') if query is not None else None
        self.min = Microversion.of(min) if min else None
        self.max = Microversion.of(max) if max else None

    def __call__(self, req, **arguments):
        return self.function(req, **arguments)

    def offered(self, version) -> bool:
        """True if this handler exists at that microversion."""
        return not (self.min and version < self.min or self.max and version > self.max)

    def run(self, req, raw: bytes, arguments: dict) -> Response:
        """Checks what came, calls the function and gives its answer a status."""
        if not self.offered(req.version):
            raise errors.NotFound()
        self.take(req, raw)
        found = self.function(req, **arguments)
        if not isinstance(found, Response):
            return Response(found, self.status)
        if found.status is None:
            found.status = self.status
        return found

    def take(self, req, raw):
        """Fills req.data and req.query with what was checked."""
        if self.body is not None:
            if req.data is None:
                req.data = _parsed(req, raw)
            self.body.check(req.data, req.version)
        if req.query_lists:
            req.query = {name: values[-1] for name, values in req.query_lists.items()}
        if self.query is not None:
            self.query.check(req.query, req.version)


class ByVersion:
    """Several handlers for one method; the last whose lowest version the request reaches runs."""

    def __init__(self, choices):
        self.choices = sorted(((Microversion.of(low), chosen) for low, chosen in choices),
                              key=lambda choice: choice[0])

    def run(self, req, raw, arguments) -> Response:
        for low, chosen in reversed(self.choices):
            if req.version >= low:
                return chosen.run(req, raw, arguments)
        raise errors.NotFound()


class Actions:
    """POST …/action: the body's only key says which handler runs."""

    def __init__(self, handlers):
        self.handlers = dict(handlers)

    def run(self, req, raw, arguments) -> Response:
        req.data = _parsed(req, raw)
        if len(req.data) != 1:
            raise errors.BadRequest('The body must hold exactly one action.')
        name = next(iter(req.data))
        chosen = self.handlers.get(name)
        if chosen is None or isinstance(chosen, Handler) and not chosen.offered(req.version):
            raise errors.BadRequest(f'There is no such action: {name[:80]}')
        return chosen.run(req, raw, arguments)


def handler(status=200, body=None, query=None, min=None, max=None, also=(), reads=None):
    """Makes a function a handler.

    status: of an answer that brings none of its own.  body, query: a JSON schema, or
    a list of (lowest microversion, schema).  min, max: the microversions between
    which it exists; it is not found otherwise.

    For the API's description (svckit.web.openapi): also: what it answers besides, if
    most handlers do not.  reads: {name in the query: its lowest microversion, or
    None}, where no schema says so and the handler itself looks at what it is.
    """
    return lambda function: Handler(function, status, body, query, min, max, also, reads)


def by_version(*choices) -> ByVersion:
    """by_version(('3.0', create), ('3.42', create_better))"""
    return ByVersion(choices)


def actions(handlers) -> Actions:
    """actions({'os-extend': extend, 'os-reset_status': reset_status})"""
    return Actions(handlers)


def _parsed(req, raw):
    if not raw.strip():
        raise errors.BadRequest('A JSON body is required.')
    return reading.parse(req.environ, raw)
