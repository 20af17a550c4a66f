"""Key pairs of users; of a private key made here only its user hears, once."""
from computesvc import errors, keys
from computesvc.api import versions
from computesvc.api.schemas import keypairs as schemas
from computesvc.api.views.servers import moment
from computesvc.db import keypairs
from computesvc.db.models import Keypair
from computesvc.policies import keypairs as policies
from svckit import quota
from svckit.web.handler import handler
from svckit.web.paging import Page, links
from svckit.web.response import Response


@handler(query=schemas.LIST)
def index(req):
    """By name; in pages since 2.35."""
    user_id = _user(req, policies.INDEX)
    paged = req.version >= versions.KEYPAIR_PAGES
    page = Page.from_query(req.query if paged else {}, req.context.service.conf.api.max_limit, ())
    with req.context.db.reader() as session:
        if page.marker:
            keypairs.get(session, user_id, page.marker)
        found = keypairs.of_user(session, user_id, after=page.marker, limit=page.limit if paged else None)
    more = links(req, 'keypairs', found, page, id='name') if paged else {}
    return {'keypairs': [{'keypair': _view(req, row)} for row in found], **more}


@handler(query=schemas.ONE)
def show(req, name):
    user_id = _user(req, policies.SHOW)
    with req.context.db.reader() as session:
        row = keypairs.get(session, user_id, name)
    return {'keypair': _view(req, row) | {'id': row.id, 'user_id': row.user_id, 'deleted': False, 'deleted_at': None,
                                          'created_at': moment(row.created_at), 'updated_at': moment(row.updated_at)}}


@handler(body=schemas.CREATE, also=(201,))
def create(req):
    """Import a public key; before 2.92 one can also be made here, and its private part is in the answer only."""
    wish = req.data['keypair']
    user_id = _user(req, policies.CREATE, wish.get('user_id'))
    kind, private = wish.get('type', 'ssh'), None
    public = wish.get('public_key')
    if public is None:
        if kind != 'ssh':
            raise errors.BadRequest('Certificates are not made here: bring a public_key.')
        private, public = keys.generate()
    row = Keypair(user_id=user_id, name=wish['name'].strip(), type=kind, public_key=public,
                  fingerprint=keys.fingerprint(kind, public))
    req.context.db.run(lambda session: _add(session, req.context, row))
    shown = _view(req, row) | {'user_id': user_id} | ({'private_key': private} if private else {})
    return Response({'keypair': shown}, 201 if req.version >= versions.KEYPAIR_TYPES else 200)


def _add(session, context, row):
    most = quota.limits(session, context.project_id, context.service.quota_defaults)['key_pairs']
    if 0 <= most <= keypairs.count(session, row.user_id):
        raise errors.Forbidden('Quota exceeded, too many key pairs.')
    keypairs.add(session, row)


@handler(status=202, query=schemas.ONE, also=(204,))
def delete(req, name):
    user_id = _user(req, policies.DELETE)
    with req.context.db.transaction() as session:
        keypairs.remove(session, keypairs.get(session, user_id, name))
    return Response(None, 204 if req.version >= versions.KEYPAIR_TYPES else 202)


def _user(req, policy, user_id=None) -> str:
    """Whose key pairs: since 2.10 administrators may name another user."""
    asked = req.query.get('user_id') if req.version >= versions.KEYPAIR_USERS else None
    user_id = user_id or asked or req.context.user_id
    req.context.authorize(policy, {'user_id': user_id, 'project_id': req.context.project_id})
    return user_id


def _view(req, row):
    shown = {'name': row.name, 'public_key': row.public_key, 'fingerprint': row.fingerprint}
    return shown | ({'type': row.type} if req.version >= versions.KEYPAIR_TYPES else {})
