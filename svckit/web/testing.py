"""Requests that are almost right: for every route, made from its own schemas.

No request may end in a 5xx answer.  Handlers added later are tried without anyone
listing them.
"""
import json
import urllib.parse
from collections.abc import Iterator

from svckit.web.handler import Actions, ByVersion, Handler
from svckit.web.schema import Schema

QUOTES = '\'"%s;--'
NO_ID = '00000000-0000-0000-0000-000000000000'
ODD = [None, True, -1, 0, 2 ** 31, 2 ** 63 - 1, 1.5, '', ' ', 'x' * 300, '\U0001f600' * 300, QUOTES, '\u202e',
       [], [None], {}, {'x': {}}, NO_ID, '9' * 30, 'é' * 9000]
ODD_TEXTS = ['', '-1', '9' * 30, 'x' * 300, '\U0001f600', QUOTES, '{}', '2026-99-99', 'in:', NO_ID]
QUERY = ['limit', 'marker', 'offset', 'sort', 'sort_key', 'sort_dir', 'name', 'status', 'metadata', 'all_tenants',
         'created_at', 'changes-since', 'size', 'project_id']
_LONGEST = 60000


def requests(routes, known: dict[str, list[str]]) -> Iterator[tuple[str, str, object]]:
    """(method, path with its query, body) of each; `known` has good values for the names in paths."""
    for route, methods in routes.items():
        for method, chosen in methods.items():
            handlers = list(_handlers(chosen))
            bodies = [body for handler in handlers for body in _bodies(handler)] or [None]
            good, *others = _paths(route, known)
            yield from ((method, good, body) for body in bodies)
            yield from ((method, path, bodies[0]) for path in others)
            if method == 'GET':
                yield from ((method, f'{good}?{query}', None) for query in _queries(handlers))


def _handlers(chosen, action=None):
    if isinstance(chosen, Handler):
        yield chosen if action is None else (action, chosen)
    elif isinstance(chosen, ByVersion):
        for _, one in chosen.choices:
            yield from _handlers(one, action)
    elif isinstance(chosen, Actions):
        for name, one in chosen.handlers.items():
            yield from _handlers(one, name)


def _paths(route, known):
    """The route with good values, then with each name in turn an odd one."""
    names = [part[1:-1] for part in route.split('/') if part[:1] == '{']
    good = {name: known.get(name, ['unknown']) for name in names}
    for number in range(max((len(values) for values in good.values()), default=1)):
        yield _filled(route, {name: values[min(number, len(values) - 1)] for name, values in good.items()})
    for name in names:
        for odd in ODD_TEXTS:
            if odd and name != 'project_id':
                yield _filled(route, {other: values[0] for other, values in good.items()} | {name: odd})


def _filled(route, values):
    for name, value in values.items():
        route = route.replace(f'{{{name}}}', urllib.parse.quote(value, safe=''))
    return route


def _queries(handlers):
    names = dict.fromkeys(QUERY)
    for handler in handlers:
        for schema in _steps(getattr(handler, 'query', None)):
            names.update(dict.fromkeys(schema.get('properties', {})))
    return [urllib.parse.urlencode({name: odd}) for name in names for odd in ODD_TEXTS]


def _bodies(handler):
    name, handler = handler if isinstance(handler, tuple) else (None, handler)
    steps = _steps(handler.body)
    if not steps:
        return [{name: odd} for odd in ODD] if name else []
    found = []
    for schema in (steps[0], steps[-1])[:len(steps)]:
        good = _example(schema)
        found += [good, *_altered(good)]
    return [body for body in found if len(json.dumps(body)) < _LONGEST]


def _steps(schema: Schema | None) -> list[dict]:
    return [step.schema for _, step in schema._steps] if schema else []


def _example(schema: dict):
    """Something that the schema may well take."""
    for way in ('anyOf', 'oneOf', 'allOf'):
        if way in schema:
            return _example(schema[way][0])
    if 'enum' in schema or 'const' in schema:
        return schema.get('const', schema.get('enum', [None])[0])
    kind = schema.get('type', 'string')
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == 'object':
        found = {name: _example(part) for name, part in schema.get('properties', {}).items()}
        return found or {'key': 'value'}
    if kind == 'array':
        return [_example(schema.get('items', {}))]
    return {'integer': schema.get('minimum', 1), 'number': 1, 'boolean': True, 'null': None}.get(kind, _text(schema))


def _text(schema):
    if schema.get('format') == 'uuid' or '{8}' in schema.get('pattern', '') or '{12}' in schema.get('pattern', ''):
        return '11111111-1111-1111-1111-111111111111'
    return '1' if '0-9' in schema.get('pattern', '') else 'x' * max(schema.get('minLength', 1), 1)


def _altered(value):
    """The value with one thing in it made odd, each in turn; and with one thing missing or too much."""
    yield from ODD
    if isinstance(value, dict):
        for name, item in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            for odd in _altered(item):
                yield {**value, name: odd}
        for odd in ('unknown', '', 'x' * 300, '\U0001f600'):
            yield {**value, odd: 'x'}
    elif isinstance(value, list) and value:
        for odd in _altered(value[0]):
            yield [odd]
        yield value * 2
        yield value * 300
