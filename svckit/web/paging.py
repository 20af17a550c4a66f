"""Pages of a list: limit, marker, offset and sort order in, links out."""
import dataclasses
import urllib.parse

from svckit import errors

_LARGEST_OFFSET = 2 ** 31 - 1


@dataclasses.dataclass(frozen=True)
class Page:
    """Which part of a list is asked for.

    `limit` items at most, after the item whose id is `marker`, `offset` of them
    skipped; sort: [(key, 'asc' or 'desc')], ending in the id so that it is total, and before
    that in whatever else rows with equal keys are sorted by.
    """
    limit: int
    marker: str | None
    offset: int
    sort: list[tuple[str, str]]

    @classmethod
    def from_query(cls, query: dict, max_limit: int, sort_keys, default_sort=(('created_at', 'desc'),),
                   lists: dict | None = None, then=('id',)) -> 'Page':
        """BadRequest for a limit, offset or sort key that makes no sense.

        A limit above `max_limit` means `max_limit`.  `sort=key:dir,key` as in Cinder, or
        `sort_key` and `sort_dir` as in Nova, which may repeat: `lists` is req.query_lists.
        """
        limit = _number(query, 'limit')
        sort = _sort(query, lists or {}, tuple(sort_keys)) or list(default_sort)
        sort += [(key, sort[-1][1]) for key in then if key not in [known for known, _ in sort]]
        return cls(limit=max_limit if limit is None else min(limit, max_limit),
                   marker=query.get('marker') or None, offset=_number(query, 'offset') or 0, sort=sort)


def links(req, collection: str, items: list, page: Page, id='id') -> dict:
    """{'volumes_links': [{'rel': 'next', …}]} if the page is full, {} otherwise."""
    if not items or len(items) < page.limit:
        return {}
    last = items[-1]
    marker = last[id] if isinstance(last, dict) else getattr(last, id)
    kept = [(name, value) for name, values in req.query_lists.items() for value in values
            if name not in ('marker', 'offset')]
    address = f"{req.path_url}?{urllib.parse.urlencode([*kept, ('marker', marker)])}"
    return {f'{collection}_links': [{'rel': 'next', 'href': address}]}


def _number(query, name):
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > _LARGEST_OFFSET:
        raise errors.BadRequest(f'{name} must be a number that is not negative, not {text[:40]!r}.')
    return int(text)


def _sort(query, lists, known) -> list[tuple[str, str]]:
    if query.get('sort'):
        if 'sort_key' in query or 'sort_dir' in query:
            raise errors.BadRequest('sort_key and sort_dir cannot be used together with sort.')
        pairs = [part.strip().partition(':') for part in query['sort'].split(',')]
        asked = [(key, direction or 'desc') for key, _, direction in pairs]
    else:
        keys = lists.get('sort_key') or [query[name] for name in ('sort_key',) if name in query]
        directions = lists.get('sort_dir') or [query[name] for name in ('sort_dir',) if name in query]
        if directions and not keys:
            keys = ['created_at']
        asked = [(key, directions[place] if place < len(directions) else 'desc')
                 for place, key in enumerate(keys)]
    for key, direction in asked:
        if key not in known:
            raise errors.BadRequest(f'{key[:40]!r} is not a key to sort by; known are {", ".join(known)}.')
        if direction not in ('asc', 'desc'):
            raise errors.BadRequest(f'Sort direction must be asc or desc, not {direction[:40]!r}.')
    return asked
