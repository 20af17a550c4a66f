"""Policies of the lists of migrations."""
from computesvc.policies.base import ADMIN, rule

INDEX = 'os_compute_api:os-migrations:index'
INDEX_ALL = 'os_compute_api:os-migrations:index:all_projects'
INDEX_HOST = 'os_compute_api:os-migrations:index:host'
OF_SERVER = 'os_compute_api:servers:migrations:index'
OF_SERVER_HOST = 'os_compute_api:servers:migrations:index:host'
SHOW = 'os_compute_api:servers:migrations:show'

RULES = [
    rule(INDEX, ADMIN, 'List migrations, without their hosts.', 'GET /os-migrations'),
    rule(INDEX_ALL, ADMIN, 'List migrations of all projects.', 'GET /os-migrations'),
    rule(INDEX_HOST, ADMIN, 'See the hosts of migrations.', 'GET /os-migrations'),
    rule(OF_SERVER, ADMIN, 'List migrations of a server that are under way.', 'GET /servers/{server_id}/migrations'),
    rule(OF_SERVER_HOST, ADMIN, 'See their hosts.', 'GET /servers/{server_id}/migrations'),
    rule(SHOW, ADMIN, 'Show a migration that is under way.', 'GET /servers/{server_id}/migrations/{migration_id}'),
]
