"""What `POST /v3/auth/tokens` asks for, and whether it may have it."""
import dataclasses

import jsonschema
from webob import exc

from onebox.identity.directory import DOMAIN, Directory
from onebox.identity.tokens import Invalid, Token, Tokens

_NAME = {'type': 'string', 'minLength': 1, 'maxLength': 255}
_DOMAIN = {'type': 'object', 'properties': {'id': _NAME, 'name': _NAME}}
_NAMED = {'type': 'object', 'properties': {'id': _NAME, 'name': _NAME, 'domain': _DOMAIN}}
_USER = {**_NAMED, 'required': ['password'],
         'properties': {**_NAMED['properties'], 'password': {'type': 'string', 'maxLength': 4096}}}
SCHEMA = {
    'type': 'object',
    'required': ['auth'],
    'properties': {'auth': {
        'type': 'object',
        'required': ['identity'],
        'properties': {
            'identity': {
                'type': 'object',
                'required': ['methods'],
                'properties': {
                    'methods': {'type': 'array', 'items': {'type': 'string'}, 'minItems': 1},
                    'password': {'type': 'object', 'required': ['user'], 'properties': {'user': _USER}},
                    'token': {'type': 'object', 'required': ['id'], 'properties': {'id': {'type': 'string'}}},
                }},
            'scope': {'anyOf': [{'enum': ['unscoped']}, {'type': 'object', 'properties': {
                'project': _NAMED, 'domain': _DOMAIN,
                'unscoped': {'type': 'object'}, 'system': {'type': 'object'}}}]},
        }}}}
_VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

REFUSED = 'The request you have made requires authentication.'


@dataclasses.dataclass(frozen=True)
class Login:
    user: dict
    methods: list[str]
    parent: Token | None


def token_for(directory: Directory, tokens: Tokens, document: dict) -> tuple[str, Token]:
    """-> (text, Token); 400 for a request that makes no sense, else 401 without the reason."""
    if error := jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(document)):
        # Never the error's own text: it quotes the request, password included.
        where = '.'.join(str(part) for part in error.absolute_path) or 'the body'
        raise exc.HTTPBadRequest(f'Invalid authentication request: {where} breaks the rule {error.validator!r}.')
    login = _prove(directory, tokens, document['auth']['identity'])
    project_id = _scope(directory, login, document['auth'].get('scope', {}))
    return tokens.issue(login.user['id'], project_id, login.methods, login.parent)


def _prove(directory, tokens, identity) -> Login:
    for method in identity['methods']:
        if method not in ('password', 'token') or method not in identity:
            raise exc.HTTPUnauthorized(f'Authentication by {method[:40]!r} is not available here.')
    login = None
    for method in identity['methods']:
        found = (_by_password if method == 'password' else _by_token)(directory, tokens, identity[method])
        if login and login.user['id'] != found.user['id']:
            raise exc.HTTPUnauthorized(REFUSED)
        login = Login(found.user, identity['methods'], found.parent or (login and login.parent))
    return login


def _by_password(directory, tokens, given) -> Login:
    user = _look_up(given['user'], directory.user, directory.user_named)
    if not directory.authenticates(user, given['user']['password']):
        raise exc.HTTPUnauthorized(REFUSED)
    return Login(user, ['password'], None)


def _by_token(directory, tokens, given) -> Login:
    try:
        parent = tokens.read(given['id'])
    except Invalid:
        raise exc.HTTPUnauthorized(REFUSED) from None
    user = directory.user(parent.user_id)
    if not user or not user['enabled']:
        raise exc.HTTPUnauthorized(REFUSED)
    return Login(user, ['token'], parent)


def _scope(directory, login, scope) -> str | None:
    """The project's id; without a wish the user's default project, as Keystone does."""
    if scope == 'unscoped' or 'unscoped' in scope:
        return None
    if 'domain' in scope or 'system' in scope:
        raise exc.HTTPUnauthorized('Only projects can be a scope here, not domains or the system.')
    if 'project' not in scope:
        return login.parent.project_id if login.parent else login.user['default_project_id']
    project = _look_up(scope['project'], directory.project, directory.project_named)
    if not project or not project['enabled'] or not directory.roles_of(login.user['id'], project['id']):
        raise exc.HTTPUnauthorized(REFUSED)
    return project['id']


def _look_up(reference, by_id, by_name):
    """A user or project by id, or by name with its domain; 400 for neither."""
    if 'id' in reference:
        return by_id(reference['id'])
    domain = reference.get('domain', {})
    if 'name' not in reference or not domain:
        raise exc.HTTPBadRequest('A user or project is given by its id, or by its name and domain.')
    in_domain = domain['id'] == DOMAIN['id'] if 'id' in domain else domain.get('name') == DOMAIN['name']
    return by_name(reference['name']) if in_domain else None
