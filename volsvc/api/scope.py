"""Whose things a request may know of.

What belongs to another project does not exist for it: 404, never 403.
"""
from volsvc import errors
from volsvc.api.schemas.types import truth


def everybody(context) -> bool:
    """Whether it may know of every project's things: an administrator's or another service's."""
    return context.is_service or context.is_admin


def project(context) -> str | None:
    """The one project whose things it may know of; None: every project's."""
    return None if everybody(context) else context.project_id or ''


def owned_by(project_id: str) -> dict:
    """What policy looks at where a project itself is meant; BadRequest for what can be no project's id."""
    if len(project_id) > 255:
        raise errors.BadRequest('A project id has at most 255 characters.')
    return {'project_id': project_id, 'user_id': None}


def listed(req) -> str | None:
    """The project whose things a list is to hold; None: every project's.

    Administrators ask for more with `all_tenants`, and may name a project then.
    cinderclient sends it for everybody, so others are not held to it.
    """
    wanted = truth(req.query.pop('all_tenants', False))
    named = req.query.pop('project_id', None) or req.query.pop('tenant_id', None)
    if wanted and everybody(req.context):
        return named
    return req.context.project_id or ''
