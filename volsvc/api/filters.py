"""Filters of lists: which a request may use, and what their values mean.

Up to 3.30 an unknown filter is passed over, from 3.31 on it is refused.
"""
import ast
import datetime

from volsvc import errors
from volsvc.api import versions
from volsvc.api.schemas.types import truth

PAGING = ('limit', 'marker', 'offset', 'sort', 'sort_key', 'sort_dir', 'with_count')
OPERATORS = ('gt', 'gte', 'lt', 'lte', 'eq', 'neq')


def read(known, since=None) -> dict:
    """What a list that takes these filters reads of its query, and since when."""
    likes = {name: versions.LIKE_FILTERS for name in known if name.endswith('~')}
    return dict.fromkeys((*PAGING, 'all_tenants', 'project_id', *known)) | {'with_count': versions.COUNT} | likes | (
        since or {})


def chosen(req, known) -> dict[str, str]:
    """The query's filters among `known`; a name that ends in ~ (like) came with 3.34."""
    found = {}
    for name, value in req.query.items():
        base = name.removesuffix('~')
        likes = name != base and req.version >= versions.LIKE_FILTERS
        if name in known and (name == base or likes):
            found[name] = value
        elif req.version >= versions.FILTERS_CHECKED and name not in PAGING:
            raise errors.BadRequest(f'Invalid filters {name[:80]} are found in query options.')
    return found


def boolean(name: str, value: str, strict: bool) -> bool:
    """Before 3.2 everything that is not false was true."""
    if value.lower() in ('true', 't', '1'):
        return True
    if value.lower() in ('false', 'f', '0'):
        return False
    if strict:
        raise errors.BadRequest(f"Invalid input received: {name}={{'{value[:40]}'}}: it must be true or false.")
    return True


def number(name: str, value: str) -> int:
    """A whole number that fits a size; BadRequest otherwise."""
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise errors.BadRequest(f'{name} must be a number, not {value[:40]!r}.')
    return int(value)


def pairs(name: str, value: str) -> dict[str, str]:
    """From "{'a': 'b'}", as Python or JSON write it."""
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(part, str) for pair in found.items() for part in pair):
        raise errors.BadRequest(f"{name} must look like {{'key': 'value'}}, not {value[:80]!r}.")
    return found


def moments(name: str, value: str) -> list[tuple[str, datetime.datetime]]:
    """From 'gt:2026-01-01T00:00:00,lt:2026-02-01T00:00:00'; a moment alone means that very one."""
    found = []
    for part in value.split(','):
        operator, colon, text = part.strip().partition(':')
        if operator not in OPERATORS:
            operator, text = 'eq', part.strip()
        found.append((operator, _moment(name, text)))
    return found


def _moment(name, text):
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
        return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise errors.BadRequest(f'Invalid {name} value: {text[:40]!r} is no moment in ISO 8601.') from None


def asked(req, name: str) -> bool:
    """A switch of the query such as with_count=True."""
    return truth(req.query.get(name, False))
