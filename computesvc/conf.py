"""Options of computesvc."""
from keystoneauth1 import loading
from oslo_config import cfg


def _optional(option):
    """keystoneauth wants auth_url always; an agent or a test may have none."""
    option.required = False
    return option


def _peer(service_type: str, service_name: str) -> list:
    """Options of a section that says how to reach another service."""
    adapter = loading.get_adapter_conf_options(include_deprecated=False)
    return [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *map(_optional, loading.get_auth_plugin_conf_options('password')),
        *(option for option in adapter if option.dest not in ('service_type', 'service_name')),
        cfg.StrOpt('service_type', default=service_type),
        cfg.StrOpt('service_name', default=service_name),
        cfg.FloatOpt('answer_timeout', default=30.0, help='Seconds to wait for an answer.'),
    ]


DEFAULT = [
    cfg.HostAddressOpt('my_ip', default='127.0.0.1', help='The address of this host that storage sees.'),
    cfg.StrOpt('state_path', default='/var/lib/computesvc', help='Where an agent keeps local root disks.'),
    cfg.StrOpt('default_availability_zone', default='nova'),
    cfg.StrOpt('internal_availability_zone', default='internal'),
    cfg.FloatOpt('reserve_wait', default=5.0,
                 help='Seconds that a request to attach waits for the word of the volume service.'),
]

AGENT = [
    cfg.StrOpt('hypervisor', default='libvirt', choices=['libvirt', 'memory']),
    cfg.StrOpt('libvirt_uri', default='qemu:///system'),
    cfg.FloatOpt('heartbeat_interval', default=2.0, help='Seconds between two reports to the conductor.'),
    cfg.FloatOpt('sweep_interval', default=180.0,
                 help='Seconds between two comparisons of device sizes with the recorded volume sizes.'),
]

CONDUCTOR = [
    cfg.FloatOpt('sweep_interval', default=60.0, help='Seconds between two rounds of housekeeping.'),
    cfg.FloatOpt('keep_deleted', default=7 * 86400.0, help='Seconds to remember a deleted server.'),
    cfg.FloatOpt('keep_operations', default=7 * 86400.0, help='Seconds to remember an operation that ended.'),
]

SCHEDULER = [
    cfg.FloatOpt('cpu_allocation_ratio', default=4.0),
    cfg.FloatOpt('ram_allocation_ratio', default=1.0),
    cfg.FloatOpt('disk_allocation_ratio', default=1.0),
]

QUOTA = [
    cfg.IntOpt('instances', default=10),
    cfg.IntOpt('cores', default=20),
    cfg.IntOpt('ram', default=50 * 1024, help='MiB'),
    cfg.IntOpt('metadata_items', default=128),
    cfg.IntOpt('key_pairs', default=100),
    cfg.IntOpt('server_groups', default=10),
    cfg.IntOpt('server_group_members', default=10),
]

OPTS = {
    'DEFAULT': DEFAULT,
    'agent': AGENT,
    'conductor': CONDUCTOR,
    'scheduler': SCHEDULER,
    'quota': QUOTA,
    'cinder': _peer('volumev3', 'cinder'),
    'glance': _peer('image', 'glance'),
}


def list_opts():
    """For oslo.config's sample generator."""
    return [(None if group == 'DEFAULT' else group, options) for group, options in OPTS.items()]
