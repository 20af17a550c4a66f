"""Policies of key pairs."""
from computesvc.policies.base import rule

INDEX = 'os_compute_api:os-keypairs:index'
SHOW = 'os_compute_api:os-keypairs:show'
CREATE = 'os_compute_api:os-keypairs:create'
DELETE = 'os_compute_api:os-keypairs:delete'

_OWNER = 'rule:admin_api or user_id:%(user_id)s'

RULES = [
    rule(INDEX, _OWNER, 'List key pairs.', 'GET /os-keypairs'),
    rule(SHOW, _OWNER, 'Show a key pair.', 'GET /os-keypairs/{keypair_name}'),
    rule(CREATE, _OWNER, 'Import a public key.', 'POST /os-keypairs'),
    rule(DELETE, _OWNER, 'Delete a key pair.', 'DELETE /os-keypairs/{keypair_name}'),
]
