"""Limits: a project's quota and its use, as clients show it to users."""
from svckit import quota
from svckit.web import handler
from volsvc.api import versions
from volsvc.db import limits
from volsvc.policies import quota_sets as policies

_LIMITS = {'gigabytes': 'maxTotalVolumeGigabytes', 'volumes': 'maxTotalVolumes', 'snapshots': 'maxTotalSnapshots',
           'backups': 'maxTotalBackups', 'backup_gigabytes': 'maxTotalBackupGigabytes'}
_USED = {'volumes': 'totalVolumesUsed', 'gigabytes': 'totalGigabytesUsed', 'snapshots': 'totalSnapshotsUsed',
         'backups': 'totalBackupsUsed', 'backup_gigabytes': 'totalBackupGigabytesUsed'}


@handler(reads={'project_id': versions.LIMITS_OF_PROJECT})
def index(req):
    """Those of the own project; of another with `project_id`, which only administrators' requests heed."""
    context, project = req.context, req.context.project_id or ''
    named = req.query.get('project_id') or req.query.get('tenant_id')
    if named and req.version >= versions.LIMITS_OF_PROJECT and context.can(policies.OTHER_LIMITS):
        project = named
    with context.db.reader() as session:
        allowed = quota.limits(session, project, limits.defaults(context.service.conf))
        used = quota.usage(session, project)
    shown = {title: allowed[name] for name, title in _LIMITS.items()}
    if context.can(policies.USED_LIMITS):
        shown |= {title: used.get(name, 0) for name, title in _USED.items()}
    return {'limits': {'rate': [], 'absolute': shown}}
