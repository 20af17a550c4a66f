"""Bodies of POST /volumes/{id}/action."""
from volsvc.api.schemas.types import BOOLEAN, SIZE, only, record

ANYTHING: dict = {}
_STATUS = {'type': ['string', 'null'], 'maxLength': 32}

EXTEND = only('os-extend', record({'new_size': SIZE}, ['new_size']))
EXTEND_COMPLETION = only('os-extend_volume_completion', record({'error': {'anyOf': [BOOLEAN, {'type': 'null'}]}}))
REVERT = only('revert', record({'snapshot_id': {'type': ['string', 'null'], 'maxLength': 36}}))
RESET_STATUS = only('os-reset_status', record(
    {'status': _STATUS, 'attach_status': {'enum': ['attached', 'detached', None]},
     'migration_status': {'enum': [None, 'none', 'migrating', 'error', 'success', 'completing', 'starting']}},
    minProperties=1))
FORCE_DELETE = only('os-force_delete', ANYTHING)
SET_BOOTABLE = only('os-set_bootable', record({'bootable': BOOLEAN}, ['bootable']))
UPDATE_READONLY = only('os-update_readonly_flag', record({'readonly': BOOLEAN}, ['readonly']))
