"""Quotas of a project, what is used of them, and the limits as clients ask for them."""
from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas import quota_sets as schemas
from computesvc.api.schemas.types import true
from computesvc.policies import quota_sets as policies
from svckit import quota
from svckit.web.handler import handler

# What this service does not keep is unlimited or nothing, by the names that old clients read.
FIXED = {'injected_files': 0, 'injected_file_content_bytes': 0, 'injected_file_path_bytes': 0,
         'fixed_ips': -1, 'floating_ips': -1, 'security_groups': -1, 'security_group_rules': -1}


@handler()
def show(req, id):
    req.context.authorize(policies.SHOW, {'project_id': id})
    return {'quota_set': {'id': id, **_shown(req, _limits(req, id))}}


@handler()
def defaults(req, id):
    req.context.authorize(policies.DEFAULTS, {'project_id': id})
    return {'quota_set': {'id': id, **_shown(req, _limits(req, ''))}}


@handler()
def detail(req, id):
    req.context.authorize(policies.DETAIL, {'project_id': id})
    used = _used(req, id)
    return {'quota_set': {'id': id, **{
        name: {'limit': limit, 'in_use': used.get(name, 0), 'reserved': 0}
        for name, limit in _shown(req, _limits(req, id)).items()}}}


@handler(body=schemas.UPDATE)
def update(req, id):
    """A limit below what is in use needs `force`."""
    req.context.authorize(policies.UPDATE, {'project_id': id})
    wish = req.data['quota_set']
    values = {name: int(value) for name, value in wish.items() if name in schemas.KEPT}
    if any(value < -1 for value in values.values()):
        raise errors.BadRequest('A quota limit must be -1 or greater.')
    used = _used(req, id)
    for name, value in values.items():
        if 0 <= value < used.get(name, 0) and not true(wish.get('force', False)):
            raise errors.BadRequest(f'Quota limit {value} for {name} must be greater than or equal to already used '
                                    f'and reserved {used[name]}.')
    req.context.db.run(lambda session: quota.set_limits(session, id, values))
    return {'quota_set': _shown(req, _limits(req, id))}


@handler(status=202)
def delete(req, id):
    """Back to the defaults."""
    req.context.authorize(policies.DELETE, {'project_id': id})
    req.context.db.run(lambda session: quota.clear_limits(session, id))


@handler()
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


def _shown(req, limits) -> dict:
    names = [*schemas.KEPT]
    if req.version < versions.NO_FILES:
        names += schemas.FILES
    if req.version < versions.NO_PROXIES:
        names += schemas.NETWORK
    return {name: limits[name] if name in limits else FIXED[name] for name in names}
