"""Bodies and queries of servers."""
from computesvc.api.schemas.types import (
    BOOLEAN,
    HOST,
    METADATA,
    NAME,
    POSITIVE,
    SIZE_GB,
    TAG,
    TEXT,
    UUID,
    obj,
    wrapped,
)

IMAGE_OR_NOTHING = {'type': 'string', 'maxLength': 255}
FLAVOR = {'type': ['string', 'integer'], 'minLength': 1, 'maxLength': 255}
ADDRESS = {'type': ['string', 'null'], 'maxLength': 45}
_NETWORK = {'fixed_ip': {'type': ['string', 'null']}, 'port': {'type': ['string', 'null']},
            'uuid': {'type': 'string', 'maxLength': 255}}
DISK_CONFIG = {'enum': ['AUTO', 'MANUAL']}
LEGACY_DISK = obj({
    'virtual_name': {'type': 'string', 'maxLength': 255}, 'volume_id': UUID, 'snapshot_id': UUID,
    'volume_size': SIZE_GB, 'device_name': {'type': 'string', 'maxLength': 255}, 'delete_on_termination': BOOLEAN,
    'no_device': {}, 'connection_info': {'type': 'string', 'maxLength': 65535}})
_DISK = {
    'boot_index': {'type': ['integer', 'string', 'null'], 'pattern': '^-?[0-9]{1,9}$', 'minimum': -1,
                   'maximum': 2147483647},
    'uuid': {'type': ['string', 'null'], 'maxLength': 255}, 'image_id': UUID, 'volume_id': UUID, 'snapshot_id': UUID,
    'source_type': {'enum': ['volume', 'image', 'snapshot', 'blank']},
    'destination_type': {'enum': ['local', 'volume']},
    'volume_size': {**SIZE_GB, 'type': ['integer', 'string', 'null']},
    'device_name': {'type': ['string', 'null'], 'maxLength': 255}, 'delete_on_termination': BOOLEAN,
    'guest_format': TEXT, 'device_type': TEXT, 'disk_bus': TEXT, 'no_device': {},
    'virtual_name': TEXT, 'connection_info': {}}


def _many(item: dict) -> dict:
    return {'type': 'array', 'items': obj(item), 'maxItems': 26}


_CREATE = {
    'name': NAME, 'imageRef': IMAGE_OR_NOTHING, 'flavorRef': FLAVOR, 'adminPass': {'type': 'string'},
    'metadata': METADATA, 'networks': {'type': 'array', 'items': obj(_NETWORK)}, 'OS-DCF:diskConfig': DISK_CONFIG,
    'accessIPv4': ADDRESS, 'accessIPv6': ADDRESS, 'personality': {'type': 'array', 'maxItems': 0},
    'availability_zone': NAME, 'block_device_mapping': {'type': 'array', 'items': LEGACY_DISK, 'maxItems': 26},
    'block_device_mapping_v2': _many(_DISK), 'config_drive': BOOLEAN,
    'key_name': {**NAME, 'type': ['string', 'null']}, 'min_count': POSITIVE, 'max_count': POSITIVE,
    'return_reservation_id': BOOLEAN,
    'security_groups': {'type': 'array', 'items': obj({'name': NAME}, ['name'])},
    'user_data': {'type': ['string', 'null'], 'maxLength': 65535},
}
_HINTS = {'type': 'object'}


def _create(properties, required=('name', 'flavorRef')):
    return obj({'server': obj(properties, required), 'os:scheduler_hints': _HINTS,
                'OS-SCH-HNT:scheduler_hints': _HINTS}, ['server'])


def _networks(item: dict) -> dict:
    return {'anyOf': [{'type': 'array', 'items': obj(item)}, {'enum': ['none', 'auto']}]}


# What each version changed of a new server's properties; None took one away.
_CHANGES = [
    (1, {}),
    (19, {'description': TEXT}),
    (32, {'block_device_mapping_v2': _many({**_DISK, 'tag': TAG}),
          'networks': {'type': 'array', 'items': obj({**_NETWORK, 'tag': TAG})}}),
    (33, {'block_device_mapping_v2': _many(_DISK)}),
    (37, {'networks': _networks(_NETWORK)}),
    (42, {'block_device_mapping_v2': _many({**_DISK, 'tag': TAG}), 'networks': _networks({**_NETWORK, 'tag': TAG})}),
    (52, {'tags': {'type': 'array', 'items': TAG, 'maxItems': 50}}),
    (57, {'personality': None}),
    (63, {'trusted_image_certificates': {'type': ['array', 'null'], 'maxItems': 50}}),
    (67, {'block_device_mapping_v2': _many({**_DISK, 'tag': TAG, 'volume_type': {'type': ['string', 'null']}})}),
    (74, {'host': HOST, 'hypervisor_hostname': HOST}),
    (90, {'hostname': {'type': 'string', 'minLength': 1, 'maxLength': 63, 'pattern': '^[a-zA-Z0-9-]*$'}}),
    (94, {'hostname': {**HOST, 'pattern': r'^[a-zA-Z0-9-.]*$'}}),
]


def _steps():
    properties = dict(_CREATE)
    for minor, change in _CHANGES:
        properties = {name: value for name, value in (properties | change).items() if value is not None}
        required = ('name', 'flavorRef', 'networks') if minor >= 37 else ('name', 'flavorRef')
        yield (2, minor), _create(properties, required)


CREATE = list(_steps())

_UPDATE = {'name': NAME, 'OS-DCF:diskConfig': DISK_CONFIG, 'accessIPv4': ADDRESS, 'accessIPv6': ADDRESS}
_HOSTNAME = {'type': ['string', 'null'], 'minLength': 1, 'maxLength': 63, 'pattern': r'^[a-zA-Z0-9-]*$'}
_FULL_HOSTNAME = {**_HOSTNAME, 'maxLength': 255, 'pattern': r'^[a-zA-Z0-9-.]*$'}
UPDATE = [
    ((2, 1), wrapped('server', obj(_UPDATE))),
    ((2, 19), wrapped('server', obj({**_UPDATE, 'description': TEXT}))),
    ((2, 90), wrapped('server', obj({**_UPDATE, 'description': TEXT, 'hostname': _HOSTNAME}))),
    ((2, 94), wrapped('server', obj({**_UPDATE, 'description': TEXT, 'hostname': _FULL_HOSTNAME}))),
]

FILTERS = {
    'name', 'status', 'host', 'node', 'flavor', 'image', 'uuid', 'changes-since', 'changes-before', 'deleted',
    'all_tenants', 'project_id', 'tenant_id', 'user_id', 'availability_zone', 'vm_state', 'task_state', 'power_state',
    'reservation_id', 'locked', 'key_name', 'description', 'hostname', 'ip', 'ip6', 'tags', 'tags-any', 'not-tags',
    'not-tags-any', 'config_drive', 'launch_index', 'created_at', 'launched_at', 'terminated_at', 'progress',
    'access_ip_v4', 'access_ip_v6', 'root_device_name', 'soft_deleted', 'auto_disk_config', 'kernel_id', 'ramdisk_id',
    'limit', 'marker', 'sort_key', 'sort_dir', 'instance_uuid', 'display_description', 'display_name', 'metadata',
}
_ANY = {'type': 'string', 'maxLength': 1024}
QUERY = [
    ((2, 1), {'type': 'object', 'additionalProperties': _ANY}),
    ((2, 75), {'type': 'object', 'properties': dict.fromkeys(sorted(FILTERS), _ANY), 'additionalProperties': False}),
]

_NOTHING = {}
START, STOP = wrapped('os-start', _NOTHING), wrapped('os-stop', _NOTHING)
PAUSE, UNPAUSE = wrapped('pause', _NOTHING), wrapped('unpause', _NOTHING)
UNLOCK, FORCE_DELETE = wrapped('unlock', _NOTHING), wrapped('forceDelete', _NOTHING)
LOCK = [((2, 1), wrapped('lock', _NOTHING)),
        ((2, 73), wrapped('lock', {'anyOf': [{'type': 'null'}, obj({'locked_reason': {
            'type': 'string', 'minLength': 1, 'maxLength': 255}})]}))]
REBOOT = wrapped('reboot', obj({'type': {'enum': ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']}}, ['type']))
RESET_STATE = wrapped('os-resetState', obj({'state': {'enum': ['active', 'error']}}, ['state']))
CONSOLE = wrapped('os-getConsoleOutput', obj({'length': {
    'type': ['integer', 'string', 'null'], 'pattern': '^-?[0-9]{1,9}$', 'minimum': -1, 'maximum': 2147483647}}))
METADATA_ALL = wrapped('metadata', METADATA)
METADATA_ONE = wrapped('meta', {**METADATA, 'minProperties': 1, 'maxProperties': 1})
