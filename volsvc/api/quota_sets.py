"""Quotas: what each project may use, and what those get that have no limits of their own."""
from svckit import quota
from svckit.web import handler
from volsvc import errors
from volsvc.api import filters
from volsvc.api.schemas import quota_sets as schemas
from volsvc.db import limits
from volsvc.policies import quota_sets as policies

DEFAULT = quota.of_class('default')
_NOT_COUNTED = ('per_volume_gigabytes',)


@handler(reads={'usage': None})
def show(req, target_id):
    """A project's limits; with `usage` also what is used of them."""
    req.context.authorize(policies.SHOW, _target(target_id))
    with_usage = filters.asked(req, 'usage')
    with req.context.db.reader() as session:
        titles = limits.titles(session)
        allowed = _limits(req, session, target_id, titles)
        used = quota.usage(session, target_id) if with_usage else {}
    if with_usage:
        allowed = {name: {'limit': limit, 'in_use': used.get(name, 0), 'reserved': 0}
                   for name, limit in allowed.items()}
    return {'quota_set': {'id': target_id, **_shown(allowed, titles)}}


@handler()
def defaults(req, target_id):
    """What a project without limits of its own may use."""
    req.context.authorize(policies.SHOW, _target(target_id))
    return {'quota_set': {'id': target_id, **_read(req, DEFAULT)}}


@handler(body=schemas.UPDATE)
def update(req, target_id):
    """Give a project limits of its own; none below what it uses already."""
    req.context.authorize(policies.UPDATE, _target(target_id))

    def change(session):
        titles = limits.titles(session)
        wanted = _wanted(req.data['quota_set'], titles)
        used = quota.usage(session, target_id)
        for name, limit in wanted.items():
            if name not in _NOT_COUNTED and 0 <= limit < used.get(name, 0):
                raise errors.BadRequest(f'The limit of {titles[name]} must be at least {used[name]}, which are in use, '
                                        f'not {limit}.')
        quota.set_limits(session, target_id, wanted)
        return _shown(_limits(req, session, target_id, titles), titles)
    return {'quota_set': req.context.db.run(change)}


@handler()
def delete(req, target_id):
    """Take a project back to the default limits."""
    req.context.authorize(policies.DELETE, _target(target_id))
    req.context.db.run(lambda session: quota.clear_limits(session, target_id))


@handler()
def show_class(req, name):
    """The limits of a quota class, and those of the class `default` where it has none of its own."""
    req.context.authorize(policies.CLASS_GET)
    return {'quota_class_set': {'id': name, **_read(req, _class(name))}}


@handler(body=schemas.CLASS_UPDATE)
def update_class(req, name):
    """Change the limits of a class.

    Those of `default` hold for all projects that have none of their own; others are kept
    and shown, but no project is in another class.
    """
    req.context.authorize(policies.CLASS_UPDATE)
    subject = _class(name)

    def change(session):
        titles = limits.titles(session)
        quota.set_limits(session, subject, _wanted(req.data['quota_class_set'], titles))
        return _shown(_limits(req, session, subject, titles), titles)
    return {'quota_class_set': req.context.db.run(change)}


def _read(req, project_id):
    with req.context.db.reader() as session:
        titles = limits.titles(session)
        return _shown(_limits(req, session, project_id, titles), titles)


def _limits(req, session, project_id, titles) -> dict[str, int]:
    """Every limit of a project or a class, those of volume types too; -1: none."""
    return quota.limits(session, project_id, dict.fromkeys(titles, -1) | limits.defaults(req.context.service.conf))


def _shown(values, titles) -> dict:
    return {title: values[name] for name, title in titles.items()}


def _wanted(body, titles) -> dict[str, int]:
    known = {title: name for name, title in titles.items()}
    wanted = {name: int(value) for name, value in body.items() if name not in schemas.NO_QUOTA}
    for name in wanted:
        if name not in known:
            raise errors.BadRequest(f'There is no quota {name[:80]!r}; there are {", ".join(known)}.')
    if not wanted:
        raise errors.BadRequest('The body must hold at least one limit.')
    return {known[name]: value for name, value in wanted.items()}


def _class(name) -> str:
    """As limits of classes are kept."""
    subject = quota.of_class(name)
    if len(subject) > 255:
        raise errors.BadRequest("A quota class's name has at most 249 characters.")
    return subject


def _target(project_id) -> dict:
    if len(project_id) > 255:
        raise errors.BadRequest('A project id has at most 255 characters.')
    return {'project_id': project_id, 'user_id': None}
