"""Bodies of actions that make images of volumes, and change what a volume keeps of its image."""
from volsvc.api import versions
from volsvc.api.schemas.types import BOOLEAN, NAME, PAIRS, only, record

_TEXT = {'type': 'string', 'maxLength': 65535}
_UPLOAD = {'image_name': NAME, 'force': BOOLEAN,
           'disk_format': {'enum': ['raw', 'vmdk', 'vdi', 'qcow2', 'vhd', 'vhdx', 'ploop']},
           'container_format': {'type': 'string', 'minLength': 1, 'maxLength': 255}}
_PARAMETERS = {'visibility': {'enum': ['community', 'public', 'private', 'shared']}, 'protected': BOOLEAN}

UPLOAD = [('3.0', only('os-volume_upload_image', record(_UPLOAD, ['image_name']))),
          (versions.UPLOAD_PARAMETERS, only('os-volume_upload_image', record(_UPLOAD | _PARAMETERS, ['image_name'])))]
SHOW: dict = only('os-show_image_metadata', {})
SET = only('os-set_image_metadata', record(
    {'metadata': {**PAIRS, 'patternProperties': {pattern: _TEXT for pattern in PAIRS['patternProperties']}}},
    ['metadata']))
UNSET = only('os-unset_image_metadata', record({'key': {'type': 'string', 'minLength': 1, 'maxLength': 255}}, ['key']))
