"""A page of rows, as every list of this API answers it."""
from svckit.web import Page, links
from volsvc.api import filters, scope, versions

# By what rows are sorted that are alike in what was asked for.
_THEN = ('created_at', 'id')


def answer(req, name: str, rows, view, wanted, *, paged=True, counted=False) -> dict:
    """{name: [view(row), …], …links to the next page, 'count' if it is asked for and may be}.

    `rows` is the noun's module in volsvc.db, `wanted(req)` are its filters, read when paging has taken its words.
    """
    project = scope.listed(req)
    counted = counted and req.version >= versions.COUNT and filters.asked(req, 'with_count')
    page = Page.from_query(req.query if paged else {}, req.context.service.conf.api.max_limit, rows.SORT_KEYS,
                           lists=req.query_lists if paged else None, then=_THEN)
    chosen = wanted(req)
    with req.context.db.reader() as session:
        found = rows.page(session, page, chosen, project) if page.limit else []
        count = {'count': rows.count(session, chosen, project)} if counted else {}
    return {name: [view(row) for row in found], **links(req, name, found, page), **count}
