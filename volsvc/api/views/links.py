"""Links of a thing to itself."""


def to(req, collection: str, id: str) -> list[dict]:
    """The two links that every thing carries: with the version and without."""
    base, project = req.application_url, req.context.project_id
    path = f'{project}/{collection}/{id}' if project else f'{collection}/{id}'
    return [{'rel': 'self', 'href': f'{base}/v3/{path}'}, {'rel': 'bookmark', 'href': f'{base}/{path}'}]
