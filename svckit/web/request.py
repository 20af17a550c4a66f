"""A request as handlers see it, and the careful reading of what a client sent.

Whatever is wrong with it becomes a BadRequest, TooLarge or UnsupportedMediaType
here; nothing that passes can upset a database (NUL bytes, lone surrogates,
integers beyond 64 bits, NaN).
"""
import json
import math
import urllib.parse

from svckit import errors

_LARGEST = 2 ** 63 - 1
_FIELDS = 1000
_DRAINED = 4 * 2 ** 20


class Request:
    """`context` and `version` (a Microversion) are set before a handler runs.

    `data` is the validated body, `query` the validated query, {name: last value};
    `query_lists` has all values.  `path_url` and `application_url` as in WebOb, for
    the links of an answer: what the client asked for, without its query.
    """
    __slots__ = ('environ', 'context', 'version', 'data', 'query', 'query_lists', 'public_endpoint', 'route',
                 '_url')

    def __init__(self, environ, public_endpoint=None):
        self.environ = environ
        self.public_endpoint = public_endpoint
        self.context = self.version = self.data = self.route = self._url = None
        self.query, self.query_lists = {}, {}

    @property
    def method(self) -> str:
        return self.environ['REQUEST_METHOD']

    @property
    def headers(self):
        from webob.headers import EnvironHeaders
        return EnvironHeaders(self.environ)

    @property
    def application_url(self) -> str:
        """The root of this API as the client knows it, without a slash at the end; made once, as each link has it."""
        if self._url is None:
            environ = self.environ
            host = environ.get('HTTP_HOST') or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
            self._url = (self.public_endpoint or '').rstrip('/') or (
                f"{environ['wsgi.url_scheme']}://{host}{urllib.parse.quote(environ['SCRIPT_NAME'])}")
        return self._url

    @property
    def path_url(self) -> str:
        return self.application_url + urllib.parse.quote(self.environ['PATH_INFO'].encode('latin-1'))


def behind_proxy(environ):
    """The client's own view of scheme, host and prefix, as the proxy in front tells it."""
    scheme = environ.get('HTTP_X_FORWARDED_PROTO', '').lower()
    if scheme in ('http', 'https'):
        environ['wsgi.url_scheme'] = scheme
    if host := environ.get('HTTP_X_FORWARDED_HOST', '').split(',')[0].strip():
        environ['HTTP_HOST'] = host
    if prefix := environ.get('HTTP_X_FORWARDED_PREFIX', '').strip('/'):
        environ['SCRIPT_NAME'] = f"/{prefix}{environ.get('SCRIPT_NAME', '')}"


def path(environ) -> str:
    """The decoded path; BadRequest unless it is clean UTF-8."""
    raw = environ.get('PATH_INFO') or '/'
    if raw.isascii():
        found = raw
    else:
        try:
            found = raw.encode('latin-1').decode('utf-8')
        except UnicodeError:
            raise errors.BadRequest('The path is not valid UTF-8.') from None
    if '\0' in found:
        raise errors.BadRequest('The path must not hold NUL characters.')
    return found


def query(environ) -> dict[str, list[str]]:
    """All values of each query parameter, empty ones too."""
    text = environ.get('QUERY_STRING')
    if not text:
        return {}
    try:
        text = text.encode('latin-1').decode('utf-8')
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, errors='strict', max_num_fields=_FIELDS)
    except UnicodeError:
        raise errors.BadRequest('The query is not valid UTF-8.') from None
    except ValueError:
        raise errors.BadRequest(f'The query has more than {_FIELDS} fields.') from None
    found = {}
    for name, value in pairs:
        if '\0' in name or '\0' in value:
            raise errors.BadRequest('The query must not hold NUL characters.')
        found.setdefault(name, []).append(value)
    return found


def body(environ, largest: int) -> bytes:
    """The whole body, of at most `largest` bytes; TooLarge beyond."""
    declared = environ.get('CONTENT_LENGTH') or ''
    if not declared:
        if 'HTTP_TRANSFER_ENCODING' not in environ and not environ.get('wsgi.input_terminated'):
            return b''
        length = largest + 1
    elif declared.isascii() and declared.isdigit():
        length = int(declared)
    else:
        raise errors.BadRequest('Content-Length must be a number.')
    if not length:
        return b''
    found = b'' if declared and length > largest else _read(environ, length)
    if length > largest and (declared or len(found) > largest):
        _drain(environ, length if declared else _DRAINED)
        raise errors.TooLarge(f'The request is too large: its body may have {largest} bytes.')
    if declared and len(found) < length:
        raise errors.BadRequest('The body ended before its Content-Length.')
    return found


def parse(environ, raw: bytes):
    """The body as Python values; BadRequest says what is wrong with it."""
    kind = (environ.get('CONTENT_TYPE') or '').partition(';')[0].strip().lower()
    if kind not in _TYPES:
        raise errors.UnsupportedMediaType(f'Content type {kind[:80]} is not supported; '
                                          'the body must be application/json.')
    try:
        data = _decode(raw.decode('utf-8'))
    except UnicodeDecodeError:
        raise errors.BadRequest('The body is not valid UTF-8.') from None
    except RecursionError:
        raise errors.BadRequest('The body is nested too deeply.') from None
    except ValueError as error:
        raise errors.BadRequest(f'The body is not valid JSON: {error}') from None
    if not isinstance(data, dict):
        raise errors.BadRequest('The body must be a JSON object.')
    if b'\\u' in raw:
        _refuse_unstorable(data)
    return data


# Python's email parser, which both servers use, says text/plain where there is no header.
_TYPES = ('', 'application/json', 'text/plain')


def _read(environ, length) -> bytes:
    try:
        return environ['wsgi.input'].read(length)
    except (OSError, ValueError, EOFError) as error:
        _hang_up(environ)
        raise errors.BadRequest(f'The body could not be read: {error}') from None


def _drain(environ, length):
    """Reads what is left, within reason: a client that still sends does not see an answer.

    One that waits for "100 Continue" has not sent anything.
    """
    if 'HTTP_EXPECT' in environ or length >= _DRAINED:
        _hang_up(environ)
    left = 0 if 'HTTP_EXPECT' in environ else min(length, _DRAINED)
    while left > 0 and (found := _read(environ, min(left, 65536))):
        left -= len(found)


def _hang_up(environ):
    """Has our servers close the connection after the answer."""
    if close := environ.get('svckit.close'):
        close()


def _integer(text):
    if len(text) > 20 or abs(int(text)) > _LARGEST:
        shown = text if len(text) <= 40 else f'{text[:20]}… ({len(text)} digits)'
        raise ValueError(f'number {shown} is out of range')
    return int(text)


def _float(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'number {text[:40]} is out of range')
    return value


def _constant(text):
    raise ValueError(f'{text} is not a JSON value')


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant).decode


def _refuse_unstorable(value):
    """Only escapes can bring in NUL and half characters; databases take neither."""
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_unstorable(name)
            _refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)
    elif isinstance(value, str) and not value.isascii() or isinstance(value, str) and '\0' in value:
        if '\0' in value or any('\ud800' <= character <= '\udfff' for character in value):
            raise errors.BadRequest('The body must not hold NUL characters or unpaired surrogates.')
