"""Policies of resizing and migrating servers."""
from computesvc.policies.base import ADMIN, MEMBER, rule

RESIZE = 'os_compute_api:servers:resize'
CONFIRM = 'os_compute_api:servers:confirm_resize'
REVERT = 'os_compute_api:servers:revert_resize'
MIGRATE = 'os_compute_api:os-migrate-server:migrate'
MIGRATE_TO = 'os_compute_api:os-migrate-server:migrate:host'

_ACTION = 'POST /servers/{server_id}/action'

RULES = [
    rule(RESIZE, MEMBER, 'Give a server another flavor.', f'{_ACTION} (resize)'),
    rule(CONFIRM, MEMBER, 'Keep a resized or migrated server as it is now.', f'{_ACTION} (confirmResize)'),
    rule(REVERT, MEMBER, 'Put a resized or migrated server back as it was.', f'{_ACTION} (revertResize)'),
    rule(MIGRATE, ADMIN, 'Migrate a server to another host.', f'{_ACTION} (migrate)'),
    rule(MIGRATE_TO, ADMIN, 'Migrate a server to a host by its name.', f'{_ACTION} (migrate)'),
]
