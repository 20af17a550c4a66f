"""The list of extensions: what clients of the time before microversions look at."""
from svckit.web import handler
from volsvc import errors
from volsvc.policies import extensions as policies

_UPDATED = '2013-06-27T00:00:00+00:00'
_KNOWN = {
    'os-availability-zone': ('AvailabilityZones', 'Availability zones.'),
    'os-extended-services': ('ExtendedServices', 'Why a service is disabled.'),
    'os-extended-snapshot-attributes': ('ExtendedSnapshotAttributes', 'The owner and progress of a snapshot.'),
    'os-quota-class-sets': ('QuotaClasses', 'The default quota.'),
    'os-quota-sets': ('Quotas', 'Quotas of projects.'),
    'os-services': ('Services', 'Services and their state.'),
    'os-types-extra-specs': ('TypesExtraSpecs', 'Extra specs of volume types.'),
    'os-types-manage': ('TypesManage', 'Volume types made and changed.'),
    'os-used-limits': ('UsedLimits', 'How much of the limits is used.'),
    'os-vol-host-attr': ('VolumeHostAttribute', 'Which backend holds a volume.'),
    'os-vol-image-meta': ('VolumeImageMetadata', 'Metadata of the image a volume was made from.'),
    'os-vol-mig-status-attr': ('VolumeMigStatusAttribute', "How a volume's migration stands."),
    'os-vol-tenant-attr': ('VolumeTenantAttribute', 'Which project owns a volume.'),
    'os-volume-actions': ('VolumeActions', 'What can be done with volumes.'),
    'os-volume-type-access': ('VolumeTypeAccess', 'Who may use types that are not public.'),
    'os-admin-actions': ('AdminActions', 'What only administrators do with volumes.'),
    'capabilities': ('Capabilities', 'What backends can do.'),
    'os-snapshot-actions': ('SnapshotActions', 'How far a snapshot that a compute service makes is.'),
    'scheduler-stats': ('Scheduler_stats', 'Pools that volumes can be made in.'),
}


@handler()
def index(req):
    """All of them."""
    req.context.authorize(policies.LIST)
    return {'extensions': [_shown(alias) for alias in sorted(_KNOWN)]}


@handler()
def show(req, alias):
    """One, by its alias."""
    req.context.authorize(policies.LIST)
    if alias not in _KNOWN:
        raise errors.NotFound('Extension', alias)
    return {'extension': _shown(alias)}


def _shown(alias):
    name, description = _KNOWN[alias]
    return {'alias': alias, 'name': name, 'description': description, 'updated': _UPDATED, 'links': []}
