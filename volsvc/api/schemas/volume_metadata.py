"""Bodies of requests about a volume's metadata."""
from volsvc.api.schemas.types import PAIRS, only

ALL = only('metadata', PAIRS)
ONE = only('meta', {**PAIRS, 'minProperties': 1, 'maxProperties': 1})
