"""Metadata of volumes and snapshots: pairs of text that their owners keep with them."""
from volsvc import errors

MOST = 128


def change(req, for_update, thing, changed) -> dict:
    """The metadata afterwards; `changed` makes it from what it is at that moment."""
    def write(session):
        row = for_update(session, thing.id)
        meta = changed(row.meta)
        if len(meta) > MOST:
            raise errors.TooLarge(f'A {type(thing).__name__.lower()} keeps at most {MOST} pairs of metadata.')
        row.meta = meta
        return meta
    return req.context.db.run(write)


def value(thing, key: str) -> str:
    """NotFound if there is no such pair."""
    if key not in thing.meta:
        raise errors.NotFound(f'{type(thing).__name__} {thing.id} has no metadata with the key {key[:80]}.')
    return thing.meta[key]
