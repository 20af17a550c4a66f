"""Quotas of a project, what is used of them, and the limits as clients ask for them."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import quota_sets as schemas
from computesvc.api.schemas.types import true
from computesvc.policies import quota_sets as policies
from svckit import quota
from svckit.web.handler import handler

OF_CLASS = 'class:default'
# What this service does not keep is unlimited or nothing, by the names that old clients read.
FIXED = {'injected_files': 0, 'injected_file_content_bytes': 0, 'injected_file_path_bytes': 0,
         'fixed_ips': -1, 'floating_ips': -1, 'security_groups': -1, 'security_group_rules': -1}


@handler(query=schemas.QUERY)
def show(req, id):
    req.context.authorize(policies.SHOW, {'project_id': id})
    return {'quota_set': {'id': id, **_shown(req, _limits(req, id))}}


@handler()
def defaults(req, id):
    req.context.authorize(policies.DEFAULTS, {'project_id': id})
    return {'quota_set': {'id': id, **_shown(req, _limits(req, ''))}}


@handler(query=schemas.QUERY)
def detail(req, id):
    req.context.authorize(policies.DETAIL, {'project_id': id})
    used = _used(req, id)
    return {'quota_set': {'id': id, **{
        name: {'limit': limit, 'in_use': used.get(name, 0), 'reserved': 0}
        for name, limit in _shown(req, _limits(req, id)).items()}}}


@handler(body=schemas.UPDATE, query=schemas.QUERY)
def update(req, id):
    """A limit below what is in use needs `force`."""
    req.context.authorize(policies.UPDATE, {'project_id': id})
    if req.query.get('user_id'):
        raise errors.BadRequest('Users have no quota of their own here, only projects.')
    wish = req.data['quota_set']
    values = asked(wish)

    def change(session):
        used = {} if true(wish.get('force', False)) else quota.usage(session, id)
        for name, value in values.items():
            if 0 <= value < used.get(name, 0):
                raise errors.BadRequest(f'Quota limit {value} for {name} must be greater than or equal to already '
                                        f'used and reserved {used[name]}.')
        quota.set_limits(session, id, values)
    req.context.db.run(change)
    return {'quota_set': _shown(req, _limits(req, id))}


@handler(status=202, query=schemas.QUERY)
def delete(req, id):
    """Back to the defaults."""
    req.context.authorize(policies.DELETE, {'project_id': id})
    if not req.query.get('user_id'):
        req.context.db.run(lambda session: quota.clear_limits(session, id))


@handler()
def show_class(req, name):
    """The limits of those without their own; every class but `default` has the configured ones."""
    req.context.authorize(policies.CLASS_SHOW)
    return {'quota_class_set': {'id': name, **_of_class(req, name)}}


@handler(body=schemas.UPDATE_CLASS)
def update_class(req, name):
    """Change the limits of all projects that have none of their own: only the class `default` is one."""
    req.context.authorize(policies.CLASS_UPDATE)
    if name != 'default':
        raise errors.BadRequest(f'There is no quota class {name[:80]!r}, only default.')
    values = asked(req.data['quota_class_set'])
    req.context.db.run(lambda session: quota.set_limits(session, OF_CLASS, values))
    return {'quota_class_set': _of_class(req, name)}


def asked(wish: dict) -> dict[str, int]:
    """The limits in a body, of what is kept; raises BadRequest below -1."""
    values = {name: int(value) for name, value in wish.items() if name in schemas.KEPT}
    if any(value < -1 for value in values.values()):
        raise errors.BadRequest('A quota limit must be -1 or greater.')
    return values


def _of_class(req, name) -> dict:
    """Quotas of networks left classes, and those of groups came, with 2.50."""
    limits = _limits(req, OF_CLASS) if name == 'default' else req.context.service.quota_defaults
    found = _shown(req, limits, versions.GROUPS_IN_CLASSES)
    if req.version < versions.GROUPS_IN_CLASSES:
        del found['server_groups'], found['server_group_members']
    return found


@handler(query=schemas.LIMITS_QUERY)
def limits(req):
    """GET /limits."""
    context = req.context
    context.authorize(policies.LIMITS)
    project_id = req.query.get('tenant_id') or context.project_id
    if project_id != context.project_id:
        context.authorize(policies.OTHER_LIMITS)
    limit, used = _limits(req, project_id), _used(req, project_id)
    absolute = {
        'maxTotalInstances': limit['instances'], 'maxTotalCores': limit['cores'], 'maxTotalRAMSize': limit['ram'],
        'maxServerMeta': limit['metadata_items'], 'maxTotalKeypairs': limit['key_pairs'],
        'maxServerGroups': limit['server_groups'], 'maxServerGroupMembers': limit['server_group_members'],
        'totalInstancesUsed': used.get('instances', 0), 'totalCoresUsed': used.get('cores', 0),
        'totalRAMUsed': used.get('ram', 0), 'totalServerGroupsUsed': 0}
    if req.version < versions.NO_IMAGE_META:
        absolute['maxImageMeta'] = limit['metadata_items']
    if req.version < versions.NO_FILES:
        absolute |= {'maxPersonality': 0, 'maxPersonalitySize': 0}
    if req.version < versions.NO_PROXIES:
        absolute |= {'maxTotalFloatingIps': -1, 'maxSecurityGroups': -1, 'maxSecurityGroupRules': -1,
                     'totalFloatingIpsUsed': 0, 'totalSecurityGroupsUsed': 0}
    return {'limits': {'rate': [], 'absolute': absolute}}


def _limits(req, project_id) -> dict:
    with req.context.db.reader() as session:
        return quota.limits(session, project_id, req.context.service.quota_defaults)


def _used(req, project_id) -> dict:
    with req.context.db.reader() as session:
        return quota.usage(session, project_id)


def _shown(req, limits, without_network=versions.NO_PROXIES) -> dict:
    names = [*schemas.KEPT]
    if req.version < versions.NO_FILES:
        names += schemas.FILES
    if req.version < without_network:
        names += schemas.NETWORK
    return {name: limits[name] if name in limits else FIXED[name] for name in names}
