"""The HTTP API, in the shapes of Keystone's v3.

https://docs.openstack.org/api-ref/identity/v3/
"""
import datetime

from webob import exc

from onebox import rest
from onebox.identity import login
from onebox.identity.catalog import Catalog
from onebox.identity.directory import Directory
from onebox.identity.tokens import Invalid, Token, Tokens

# 3.14 is the last version of the API document; it brought application credentials
# as the last thing, which a client finds missing by 404.
VERSION = {'id': 'v3.14', 'status': 'stable', 'updated': '2020-04-07T00:00:00Z',
           'media-types': [{'base': 'application/json', 'type': 'application/vnd.openstack.identity-v3+json'}]}


class Identity:
    """The identity service's WSGI application is `.application`."""

    def __init__(self, directory: Directory, tokens: Tokens, catalog: Catalog):
        self.directory = directory
        self.tokens = tokens
        self.catalog = catalog
        self.application = rest.Application(self._routes(), fault)

    def _routes(self):
        routes = {
            '/': {'GET': self.versions},
            '/v3': {'GET': self.version},
            '/healthcheck': {'GET': lambda request: None},
            '/v3/auth/tokens': {'POST': self.log_in, 'GET': self.show_token, 'DELETE': self.withdraw},
            '/v3/auth/catalog': {'GET': self.show_catalog},
            '/v3/auth/projects': {'GET': self.own_projects},
            '/v3/auth/domains': {'GET': self.own_domains},
            '/v3/users/{id}/projects': {'GET': self.projects_of_user},
            '/v3/role_assignments': {'GET': self.role_assignments},
        }
        for kind, singular, rows in (
                ('users', 'user', self.directory.users), ('projects', 'project', self.directory.projects),
                ('domains', 'domain', self.directory.domains), ('roles', 'role', self.directory.roles),
                ('services', 'service', self.catalog.services), ('endpoints', 'endpoint', self.catalog.endpoints),
                ('regions', 'region', self.catalog.regions)):
            routes[f'/v3/{kind}'] = {'GET': self._lister(kind, rows)}
            routes[f'/v3/{kind}/{{id}}'] = {'GET': self._shower(kind, singular, rows)}
        return routes

    # Discovery

    def versions(self, request):
        document = {'versions': {'values': [self._version(request)]}}
        return rest.json_response(document, 300, {'Location': f'{request.application_url}/v3/'})

    def version(self, request):
        return {'version': self._version(request)}

    def _version(self, request):
        return {**VERSION, 'links': [{'rel': 'self', 'href': f'{request.application_url}/v3/'}]}

    # Tokens

    def log_in(self, request):
        text, token = login.token_for(self.directory, self.tokens, rest.json_body(request))
        return rest.json_response(self._describe(token, 'nocatalog' not in request.GET), 201,
                                  {'X-Subject-Token': text, 'Vary': 'X-Auth-Token'})

    def show_token(self, request):
        """A token may be looked at by itself, by services and by administrators."""
        caller, _ = self._caller(request)
        text = request.headers.get('X-Subject-Token', '')
        if text != request.headers.get('X-Auth-Token'):
            self._require(caller, 'admin', 'service')
        token = self._subject(text, request.GET.get('allow_expired', '0').lower() in ('1', 'true'))
        return rest.json_response(self._describe(token, 'nocatalog' not in request.GET),
                                  headers={'X-Subject-Token': text, 'Vary': 'X-Auth-Token'})

    def withdraw(self, request):
        caller, _ = self._caller(request)
        text = request.headers.get('X-Subject-Token', '')
        token = self._subject(text)
        if token.user_id != caller.user_id:
            self._require(caller, 'admin')
        self.tokens.withdraw(token)
        return rest.json_response(None, 204)

    def show_catalog(self, request):
        caller, _ = self._caller(request)
        return {'catalog': self._catalog_of(caller), 'links': _links(request)}

    # What a user may see of themselves

    def own_projects(self, request):
        _, user = self._caller(request)
        return self._list(request, 'projects', self.directory.projects_of(user['id']))

    def own_domains(self, request):
        self._caller(request)
        return self._list(request, 'domains', self.directory.domains)

    def projects_of_user(self, request, id):
        caller, _ = self._caller(request)
        if caller.user_id != id:
            self._require(caller, 'admin', 'service')
        return self._list(request, 'projects', self.directory.projects_of(id))

    # What administrators and services may see of everything

    def role_assignments(self, request):
        caller, _ = self._caller(request)
        user_id, project_id = request.GET.get('user.id'), request.GET.get('scope.project.id')
        if user_id != caller.user_id:
            self._require(caller, 'admin', 'service')
        names = 'include_names' in request.GET
        return {'role_assignments': [
            {'user': _reference(user, names), 'role': _reference(role, names, domain=False),
             'scope': {'project': _reference(project, names)},
             'links': {'assignment': f'{request.application_url}/v3/projects/{project["id"]}/users/{user["id"]}'
                                     f'/roles/{role["id"]}'}}
            for user, project, role in self.directory.grants()
            if user_id in (None, user['id']) and project_id in (None, project['id'])
            and request.GET.get('role.id') in (None, role['id'])], 'links': _links(request)}

    def _lister(self, kind, rows):
        def list_all(request):
            caller, _ = self._caller(request)
            if kind != 'regions':
                self._require(caller, 'admin', 'service')
            return self._list(request, kind, rows)
        return list_all

    def _shower(self, kind, singular, rows):
        def show(request, id):
            caller, user = self._caller(request)
            if not self._own(kind, id, user):
                self._require(caller, 'admin', 'service')
            for row in rows:
                if row['id'] == id:
                    return {singular: _view(request, kind, row)}
            raise exc.HTTPNotFound(f'Could not find {singular}: {id}.')
        return show

    def _own(self, kind, id, user) -> bool:
        own = {'users': [user], 'projects': self.directory.projects_of(user['id'])}
        return kind in ('regions', 'domains') or any(row['id'] == id for row in own.get(kind, []))

    def _list(self, request, kind, rows):
        wanted = {key: value for key, value in request.GET.items()
                  if key in ('name', 'domain_id', 'enabled', 'type', 'service_id', 'interface', 'region_id', 'id')}
        chosen = [row for row in rows if all(_same(row.get(key), value) for key, value in wanted.items())]
        return {kind: [_view(request, kind, row) for row in chosen], 'links': _links(request)}

    # The caller

    def _caller(self, request) -> tuple[Token, dict]:
        """Who asks; 401 without a good token."""
        return self.authenticated(request.headers.get('X-Auth-Token', ''))

    def authenticated(self, text: str) -> tuple[Token, dict]:
        """(the token, its user); 401 for a token that is no good."""
        try:
            token = self.tokens.read(text)
        except Invalid:
            raise exc.HTTPUnauthorized(login.REFUSED) from None
        user = self.directory.user(token.user_id)
        if not user or not user['enabled']:
            raise exc.HTTPUnauthorized(login.REFUSED)
        return token, user

    def _require(self, caller: Token, *roles):
        """403 unless the caller has one of the roles in the project of its token."""
        held = self.directory.roles_of(caller.user_id, caller.project_id) if caller.project_id else []
        if not any(role['name'] in roles for role in held):
            raise exc.HTTPForbidden('You are not authorized to perform the requested action.')

    def _subject(self, text, allow_expired=False) -> Token:
        try:
            token = self.tokens.read(text, allow_expired)
        except Invalid:
            raise exc.HTTPNotFound('Could not find token.') from None
        if not (self.directory.user(token.user_id) or {}).get('enabled'):
            raise exc.HTTPNotFound('Could not find token.')
        return token

    def _describe(self, token: Token, with_catalog: bool) -> dict:
        user = self.directory.user(token.user_id)
        described = {'methods': token.methods, 'audit_ids': token.audit_ids,
                     'user': {**_reference(user), 'password_expires_at': None},
                     'issued_at': _time(token.issued_at), 'expires_at': _time(token.expires_at)}
        if token.project_id:
            described |= {'project': _reference(self.directory.project(token.project_id)), 'is_domain': False,
                          'roles': self.directory.roles_of(token.user_id, token.project_id)}
            if with_catalog:
                described['catalog'] = self._catalog_of(token)
        return {'token': described}

    def _catalog_of(self, token: Token) -> list:
        return self.catalog.of(token.project_id) if token.project_id else []


def fault(request, error):
    """Keystone's error format."""
    response = rest.json_response(
        {'error': {'code': error.status_int, 'message': error.detail or error.explanation, 'title': error.title}},
        error.status_int)
    if error.status_int == 401:
        response.headers['WWW-Authenticate'] = f'Keystone uri="{request.application_url}/v3"'
    if 'Allow' in error.headers:
        response.headers['Allow'] = error.headers['Allow']
    return response


def _view(request, kind, row) -> dict:
    shown = {key: value for key, value in row.items() if key != 'password'}
    if kind == 'projects':
        shown |= {'is_domain': False, 'parent_id': row['domain_id'], 'tags': [], 'options': {}}
    elif kind == 'users':
        shown |= {'options': {}, 'password_expires_at': None}
    elif kind == 'roles':
        shown |= {'domain_id': None, 'description': None, 'options': {}}
    elif kind == 'endpoints':
        shown['url'] = row['url'].replace('{project_id}', '%(project_id)s')
    return {**shown, 'links': {'self': f'{request.application_url}/v3/{kind}/{row["id"]}'}}


def _reference(row, names=True, domain=True) -> dict:
    found = {'id': row['id']}
    if names:
        found['name'] = row['name']
        if domain:
            found['domain'] = {'id': 'default', 'name': 'Default'}
    return found


def _links(request) -> dict:
    return {'self': request.url, 'next': None, 'previous': None}


def _same(value, text: str) -> bool:
    """Whether a row's value is what a query string says."""
    if isinstance(value, bool):
        return value == (text.lower() in ('', '1', 'true', 'yes'))
    return value == text


def _time(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ')
