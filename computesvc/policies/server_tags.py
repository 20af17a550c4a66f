"""Policies of tags of servers."""
from computesvc.policies.base import MEMBER, READER, rule

INDEX = 'os_compute_api:os-server-tags:index'
SHOW = 'os_compute_api:os-server-tags:show'
UPDATE = 'os_compute_api:os-server-tags:update'
UPDATE_ALL = 'os_compute_api:os-server-tags:update_all'
DELETE = 'os_compute_api:os-server-tags:delete'
DELETE_ALL = 'os_compute_api:os-server-tags:delete_all'

_PATH = '/servers/{server_id}/tags'

RULES = [
    rule(INDEX, READER, 'List the tags of a server.', f'GET {_PATH}'),
    rule(SHOW, READER, 'Ask whether a server has a tag.', f'GET {_PATH}/{{tag}}'),
    rule(UPDATE, MEMBER, 'Add a tag.', f'PUT {_PATH}/{{tag}}'),
    rule(UPDATE_ALL, MEMBER, 'Replace all tags.', f'PUT {_PATH}'),
    rule(DELETE, MEMBER, 'Remove a tag.', f'DELETE {_PATH}/{{tag}}'),
    rule(DELETE_ALL, MEMBER, 'Remove all tags.', f'DELETE {_PATH}'),
]
