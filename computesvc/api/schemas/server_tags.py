"""Bodies of tags."""
from computesvc.api.schemas.types import TAG, wrapped

MOST = 50       # of one server
REPLACE = wrapped('tags', {'type': 'array', 'items': TAG, 'maxItems': MOST})
