"""Key pairs: public keys that a user imported.  Private keys are never made here."""
import base64
import binascii
import hashlib

from computesvc import errors
from computesvc.api.schemas import keypairs as schemas
from computesvc.api.versions import v
from computesvc.api.views.servers import moment
from computesvc.db import keypairs
from computesvc.db.models import Keypair
from computesvc.policies import keypairs as policies
from svckit.web.handler import handler
from svckit.web.response import Response

TYPES, USERS = v(2), v(10)


@handler()
def index(req):
    user_id = _user(req, policies.INDEX)
    with req.context.db.reader() as session:
        found = keypairs.of_user(session, user_id)
    return {'keypairs': [{'keypair': _view(req, row)} for row in found]}


@handler()
def show(req, name):
    user_id = _user(req, policies.SHOW)
    with req.context.db.reader() as session:
        row = keypairs.get(session, user_id, name)
    return {'keypair': _view(req, row) | {'id': row.id, 'user_id': row.user_id, 'deleted': False, 'deleted_at': None,
                                          'created_at': moment(row.created_at), 'updated_at': moment(row.updated_at)}}


@handler(body=schemas.CREATE)
def create(req):
    """Import a public key; from 2.92 on that is all there is, and before it as well here."""
    user_id = _user(req, policies.CREATE, req.data['keypair'].get('user_id'))
    wish = req.data['keypair']
    if not wish.get('public_key'):
        raise errors.BadRequest('Private keys are not made here: bring a public_key.')
    row = Keypair(user_id=user_id, name=wish['name'], type=wish.get('type', 'ssh'), public_key=wish['public_key'],
                  fingerprint=fingerprint(wish['public_key']))
    with req.context.db.transaction() as session:
        keypairs.add(session, row)
    return Response({'keypair': _view(req, row) | {'user_id': user_id}}, 201 if req.version >= TYPES else 200)


@handler()
def delete(req, name):
    user_id = _user(req, policies.DELETE)
    with req.context.db.transaction() as session:
        keypairs.remove(session, keypairs.get(session, user_id, name))
    return Response(None, 204 if req.version >= TYPES else 202)


def fingerprint(public_key: str) -> str:
    """The MD5 of an OpenSSH key, as Nova shows it; raises BadRequest for what is no key."""
    try:
        raw = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        raise errors.BadRequest('Keypair data is invalid: failed to generate fingerprint') from None
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ':'.join(digest[place:place + 2] for place in range(0, 32, 2))


def _user(req, policy, user_id=None) -> str:
    user_id = user_id or req.query.get('user_id') or req.context.user_id
    req.context.authorize(policy, {'user_id': user_id, 'project_id': req.context.project_id})
    return user_id


def _view(req, row):
    shown = {'name': row.name, 'public_key': row.public_key, 'fingerprint': row.fingerprint}
    return shown | ({'type': row.type} if req.version >= TYPES else {})
