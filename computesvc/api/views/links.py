"""Links of a thing to itself."""


def to(req, collection: str, id: str) -> list[dict]:
    """The two links that every thing carries: with the version and without."""
    base = req.application_url
    return [{'rel': 'self', 'href': f'{base}/v2.1/{collection}/{id}'},
            {'rel': 'bookmark', 'href': f'{base}/{collection}/{id}'}]


def bookmark(req, collection: str, id: str) -> list[dict]:
    return [{'rel': 'bookmark', 'href': f'{req.application_url}/{collection}/{id}'}]
