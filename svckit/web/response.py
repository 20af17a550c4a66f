"""What a handler may return besides a plain body."""
import datetime
import json

JSON = 'application/json'


class Response:
    """An answer: a JSON-able body, None for an empty one; with another content type text, bytes or an
    iterable of bytes.

    `status` None means the handler's own.
    """
    __slots__ = ('body', 'status', 'headers', 'content_type')

    def __init__(self, body=None, status: int | None = None, headers: dict | None = None,
                 content_type: str = JSON):
        self.body, self.status, self.content_type = body, status, content_type
        self.headers = dict(headers or {})


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec='microseconds')
    if hasattr(value, '__iter__'):
        return list(value)
    raise TypeError(f'{value!r} has no place in JSON')


encode = json.JSONEncoder(default=_plain).encode
"""JSON text, ASCII only; datetimes as 2006-01-02T15:04:05.999999."""
