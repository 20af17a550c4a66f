"""The list of extensions, for clients old enough to ask."""
from computesvc import errors
from computesvc.policies import extensions as policies
from svckit.web.handler import handler

NAMES = {
    'os-volumes': 'Volumes', 'os-extended-volumes': 'ExtendedVolumes', 'os-server-external-events':
    'ServerExternalEvents', 'os-instance-actions': 'InstanceActions', 'os-availability-zone': 'AvailabilityZone',
    'os-quota-sets': 'Quotas', 'os-services': 'Services', 'os-hypervisors': 'Hypervisors', 'os-flavor-extra-specs':
    'FlavorExtraSpecs', 'os-flavor-manage': 'FlavorManage', 'os-console-output': 'ConsoleOutput', 'os-keypairs':
    'Keypairs', 'OS-EXT-STS': 'ExtendedStatus', 'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes', 'OS-EXT-AZ':
    'ExtendedAvailabilityZone', 'os-block-device-mapping-v2-boot': 'BlockDeviceMappingV2Boot', 'os-pause-server':
    'PauseServer', 'os-used-limits': 'UsedLimits', 'os-flavor-access': 'FlavorAccess',
}


def _view(alias):
    return {'alias': alias, 'name': NAMES[alias], 'description': f'{NAMES[alias]} support.', 'links': [],
            'namespace': 'http://docs.openstack.org/compute/ext/fake_xml', 'updated': '2014-12-03T00:00:00Z'}


@handler()
def index(req):
    req.context.authorize(policies.LIST)
    return {'extensions': [_view(alias) for alias in sorted(NAMES)]}


@handler()
def show(req, alias):
    req.context.authorize(policies.LIST)
    if alias not in NAMES:
        raise errors.NotFound(f'Extension {alias} could not be found.')
    return {'extension': _view(alias)}
