"""Bodies of requests about the types of volumes that are made without one."""
from volsvc.api.schemas.types import NAME, only, record

SET = only('default_type', record({'volume_type': NAME}, ['volume_type']))
