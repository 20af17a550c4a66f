"""Bodies of quotas."""
from computesvc.api.schemas.types import BOOLEAN, UUID, obj, wrapped

_LIMIT = {'type': ['integer', 'string'], 'pattern': '^-?[0-9]{1,9}$', 'minimum': -1, 'maximum': 2147483647}
KEPT = ('instances', 'cores', 'ram', 'metadata_items', 'key_pairs', 'server_groups', 'server_group_members')
FILES = ('injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes')
NETWORK = ('fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules')


def _set(*more):
    names = dict.fromkeys([*KEPT, *more], _LIMIT)
    return wrapped('quota_set', obj({**names, 'force': BOOLEAN, 'tenant_id': UUID}))


UPDATE = [((2, 1), _set(*FILES, *NETWORK)), ((2, 36), _set(*FILES)), ((2, 57), _set())]
