"""Bodies of quotas."""
from computesvc.api.schemas.types import BOOLEAN, UUID, obj, wrapped

_LIMIT = {'type': ['integer', 'string'], 'pattern': '^-?[0-9]{1,9}$', 'minimum': -1, 'maximum': 2147483647}
KEPT = ('instances', 'cores', 'ram', 'metadata_items', 'key_pairs', 'server_groups', 'server_group_members')
FILES = ('injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes')
NETWORK = ('fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules')


_ANY = {'type': 'string', 'maxLength': 255}


def _set(name, *more, **others):
    names = dict.fromkeys([*KEPT, *more], _LIMIT)
    return wrapped(name, obj({**names, **others}))


def _steps(name, **others):
    return [((2, 1), _set(name, *FILES, *NETWORK, **others)), ((2, 36), _set(name, *FILES, **others)),
            ((2, 57), _set(name, **others))]


UPDATE = _steps('quota_set', force=BOOLEAN, tenant_id=UUID)
# Classes lost the quotas of networks later than projects.
UPDATE_CLASS = [(version if version != (2, 36) else (2, 50), schema)
                for version, schema in _steps('quota_class_set', id=_ANY, class_name=_ANY)]
QUERY = [((2, 1), obj({}, extra=True)), ((2, 75), obj({'user_id': _ANY}))]
LIMITS_QUERY = [((2, 1), obj({}, extra=True)), ((2, 75), obj({'tenant_id': _ANY, 'reserved': _ANY}))]
