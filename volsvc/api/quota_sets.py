"""Quotas: what each project may use, and what those get that have no limits of their own."""
from svckit import quota
from svckit.web import handler
from volsvc import errors
from volsvc.api import filters
from volsvc.api.schemas import quota_sets as schemas
from volsvc.db import limits, types
from volsvc.policies import quota_sets as policies

OF_CLASS = 'class:default'
_PER_TYPE = ('volumes', 'gigabytes', 'snapshots')
_NO_QUOTA = ('tenant_id', 'project_id', 'id', 'class_name', 'force', 'skip_validation')
_NOT_COUNTED = ('per_volume_gigabytes',)


@handler()
def show(req, target_id):
    """A project's limits; with `usage` also what is used of them."""
    req.context.authorize(policies.SHOW, _target(target_id))
    with_usage = filters.asked(req, 'usage')
    with req.context.db.reader() as session:
        allowed = project_limits(req, session, target_id)
        used = quota.usage(session, target_id) if with_usage else {}
    if with_usage:
        allowed = {name: {'limit': limit, 'in_use': used.get(name, 0), 'reserved': 0}
                   for name, limit in allowed.items()}
    return {'quota_set': {'id': target_id, **allowed}}


@handler()
def defaults(req, target_id):
    """What a project without limits of its own may use."""
    req.context.authorize(policies.SHOW, _target(target_id))
    with req.context.db.reader() as session:
        return {'quota_set': {'id': target_id, **project_limits(req, session, OF_CLASS)}}


@handler(body=schemas.UPDATE)
def update(req, target_id):
    """Give a project limits of its own; none below what it uses already."""
    req.context.authorize(policies.UPDATE, _target(target_id))

    def change(session):
        wanted = _wanted(req, session, 'quota_set')
        used = quota.usage(session, target_id)
        for name, limit in wanted.items():
            if name not in _NOT_COUNTED and 0 <= limit < used.get(name, 0):
                raise errors.BadRequest(f'The limit of {name} must be at least {used[name]}, which are in use, '
                                        f'not {limit}.')
        quota.set_limits(session, target_id, wanted)
        return project_limits(req, session, target_id)
    return {'quota_set': req.context.db.run(change)}


@handler()
def delete(req, target_id):
    """Take a project back to the default limits."""
    req.context.authorize(policies.DELETE, _target(target_id))
    req.context.db.run(lambda session: quota.clear_limits(session, target_id))


@handler()
def show_class(req, name):
    """The limits of a quota class; all but `default` are the configured ones."""
    req.context.authorize(policies.CLASS_GET)
    with req.context.db.reader() as session:
        return {'quota_class_set': {'id': name, **project_limits(req, session, f'class:{name}')}}


@handler(body=schemas.CLASS_UPDATE)
def update_class(req, name):
    """Change the limits of all projects that have none of their own; only the class `default` is one."""
    req.context.authorize(policies.CLASS_UPDATE)
    if name != 'default':
        raise errors.BadRequest(f'There is no quota class {name[:80]!r}, only default.')

    def change(session):
        quota.set_limits(session, OF_CLASS, _wanted(req, session, 'quota_class_set'))
        return project_limits(req, session, OF_CLASS)
    return {'quota_class_set': req.context.db.run(change)}


def project_limits(req, session, project_id) -> dict[str, int]:
    """All limits of a project, those of volume types too; -1: none."""
    known = limits.defaults(req.context.service.conf)
    known |= {name: -1 for name in _of_types(session)}
    found = quota.limits(session, project_id, known)
    return {name: found[name] for name in known}


def _wanted(req, session, key) -> dict[str, int]:
    known = [*limits.RESOURCES, *_of_types(session)]
    wanted = {name: int(value) for name, value in req.data[key].items() if name not in _NO_QUOTA}
    for name in wanted:
        if name not in known:
            raise errors.BadRequest(f'There is no quota {name[:80]!r}; there are {", ".join(known)}.')
    if not wanted:
        raise errors.BadRequest(f'{key} must hold at least one limit.')
    return wanted


def _of_types(session) -> list[str]:
    return [f'{resource}_{name}' for name in types.names(session) for resource in _PER_TYPE]


def _target(project_id) -> dict:
    if len(project_id) > 255:
        raise errors.BadRequest('A project id has at most 255 characters.')
    return {'project_id': project_id, 'user_id': None}
