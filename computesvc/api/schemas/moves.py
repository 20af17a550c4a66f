"""Bodies of resize, migrate, confirm and revert."""
from computesvc.api.schemas.servers import DISK_CONFIG, FLAVOR
from computesvc.api.schemas.types import HOST, obj, wrapped

RESIZE = wrapped('resize', obj({'flavorRef': FLAVOR, 'OS-DCF:diskConfig': DISK_CONFIG}, ['flavorRef']))
CONFIRM, REVERT = wrapped('confirmResize', {}), wrapped('revertResize', {})
MIGRATE = [((2, 1), wrapped('migrate', {})),
           ((2, 56), wrapped('migrate', {'anyOf': [{'type': 'null'}, obj({'host': {'anyOf': [
               {'type': 'null'}, HOST]}})]}))]
