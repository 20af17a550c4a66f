"""The API described in OpenAPI 3.1, made from the route table and the handlers' schemas: GET /openapi.json.

A document is of one microversion: what that does not have is not in it, and bodies are
as it takes them.  Nothing is written here about a single address.
"""
import re

from svckit.web import faults
from svckit.web.handler import Actions, ByVersion, Handler

# What each error means wherever it appears.
MEANINGS = {
    400: 'The request is not valid, or nothing that can be done as things are.',
    401: 'The request has no valid token.',
    403: 'The policy does not allow it.',
    404: 'There is no such thing, or none that this token may know of, or not at this microversion.',
    406: 'This microversion is not spoken here.',
    409: 'Somebody else is at work on it, or its state is another than this needs.',
    412: 'It has changed since it was read.',
    413: 'A quota is exceeded, or the body is too large.',
    415: 'The body is not JSON.',
    503: 'A service that this needs does not answer; it may be asked again.',
}
_ALWAYS = (400, 401, 403, 404, 406, 503)
_WRITING = (409, 413)
_BODY = (415,)


def document(routes: dict, versions, version, url: str) -> dict:
    """All of the API that exists at `version`, served below `url`."""
    title = f'{versions.service_types[0].capitalize()} API'
    return {
        'openapi': '3.1.0',
        'info': {'title': title, 'version': str(version), 'description': _introduction(versions)},
        'servers': [{'url': url}],
        'security': [{'token': []}],
        'paths': {path: operations for path, methods in routes.items()
                  if (operations := _operations(path, methods, version))},
        'components': {
            'securitySchemes': {'token': {'type': 'apiKey', 'in': 'header', 'name': 'X-Auth-Token'}},
            'parameters': {'version': _version_header(versions, version)},
            'headers': {'request': {'description': 'The name of this request in logs.', 'required': True,
                                    'schema': {'type': 'string', 'pattern': '^req-'}}},
            'responses': {str(status): _fault(status) for status in MEANINGS}},
    }


def _introduction(versions) -> str:
    return (f'Microversions {versions.min} to {versions.max}; this describes the one that the request for it named in '
            f'OpenStack-API-Version, or the newest. The project can be left out of a path.')


def _operations(path, methods, version) -> dict:
    found = {method.lower(): _operation(method, path, handlers, version) for method, chosen in methods.items()
             if (handlers := offered(chosen, version))}
    names = re.findall(r'{(\w+)}', path)
    if found and names:
        found['parameters'] = [{'name': name, 'in': 'path', 'required': True,
                                'schema': {'type': 'string', 'minLength': 1}} for name in names]
    return found


def offered(chosen, version) -> dict[str | None, Handler]:
    """What a method of a route runs at this version: {None: handler}, or for actions {name: handler}."""
    if isinstance(chosen, ByVersion):
        return next((offered(one, version) for low, one in reversed(chosen.choices) if low <= version), {})
    handlers = chosen.handlers if isinstance(chosen, Actions) else {None: chosen}
    return {name: one for name, one in handlers.items() if one.offered(version)}


def _operation(method, path, handlers, version) -> dict:
    actions = None not in handlers
    title, text = _told(next(iter(handlers.values()))) if not actions else ('One of the actions below.', '')
    found = {'operationId': re.sub(r'\W+', '-', f'{method.lower()}{path.partition("}")[2] or path}').strip('-'),
             'tags': [noun(path)], 'summary': title,
             'parameters': [{'$ref': '#/components/parameters/version'}, *_query(handlers, version)],
             'responses': _responses(method, list(handlers.values()))}
    if text:
        found['description'] = text
    if schema := _actions(handlers, version) if actions else _body(handlers[None], version):
        found['requestBody'] = {'required': True, 'content': {'application/json': {'schema': schema}}}
    return found


def _actions(handlers, version) -> dict:
    """One of several bodies, told apart by their only key."""
    bodies = []
    for name, handler in handlers.items():
        title, text = _told(handler)
        anything = {'type': 'object', 'properties': {name: {}}, 'required': [name], 'additionalProperties': False}
        body = _body(handler, version) or anything
        bodies.append({'title': name, 'description': f'{title} {text}'.strip(), **body})
    return {'oneOf': bodies}


def _body(handler, version) -> dict | None:
    """None if it takes none; a handler without a schema for this version takes any object."""
    return None if handler.body is None else handler.body.at(version) or {'type': 'object'}


def _query(handlers, version) -> list[dict]:
    found = {}
    for handler in handlers.values():
        schema = handler.query.at(version) if handler.query else None
        found |= (schema or {}).get('properties', {})
        found |= {name: {'type': 'string'} for name, since in handler.reads.items() if (since or version) <= version}
    return [{'name': name, 'in': 'query', 'schema': schema} for name, schema in found.items()]


def _responses(method, handlers) -> dict:
    """What is read is always JSON; what a change answers may be empty, and is not described."""
    headers = {'X-OpenStack-Request-ID': {'$ref': '#/components/headers/request'}}
    content = {'content': {'application/json': {'schema': {'type': 'object'}}}}
    found = {status: {'$ref': f'#/components/responses/{status}'} for status in _errors(method, handlers)}
    for handler in handlers:
        for status in (handler.status, *handler.also):
            if status < 400:
                found[status] = {'description': _told(handler)[0], 'headers': headers,
                                 **(content if method == 'GET' and status != 204 else {})}
    return {str(status): found[status] for status in sorted(found)}


def _errors(method, handlers) -> set[int]:
    declared = {status for handler in handlers for status in handler.also if status >= 400}
    writing = _WRITING if method != 'GET' else ()
    body = _BODY if any(handler.body for handler in handlers) else ()
    return {*_ALWAYS, *writing, *body, *declared}


def _fault(status) -> dict:
    """The error's form; retryAfter is there where asking again later may do."""
    if status == 412:
        return {'description': MEANINGS[status]}
    inner = {'type': 'object', 'required': ['code', 'message'], 'additionalProperties': False, 'properties': {
        'code': {'const': status}, 'message': {'type': 'string'}, 'retryAfter': {'type': 'string'}}}
    name = faults.NAMES.get(status, 'computeFault')
    schema = {'type': 'object', 'required': [name], 'properties': {name: inner}, 'additionalProperties': False}
    return {'description': MEANINGS[status], 'content': {'application/json': {'schema': schema}}}


def _version_header(versions, version) -> dict:
    name = versions.service_types[0]
    return {'name': 'OpenStack-API-Version', 'in': 'header', 'required': version != versions.min,
            'description': 'The microversion of the request.', 'schema': {'const': f'{name} {version}'}}


def noun(path) -> str:
    """'volumes' of /v3/{project_id}/volumes/{volume_id}."""
    return next(part for part in path.split('/')[2:] if part[:1] != '{')


def _told(handler) -> tuple[str, str]:
    """(first sentence, the rest) of what a handler says of itself."""
    title, _, text = (handler.__doc__ or '').partition('\n')
    return title.strip(), ' '.join(text.split())
