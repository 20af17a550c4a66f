"""Options of computesvc."""
from oslo_config import cfg

from svckit import peer

DEFAULT = [
    cfg.HostAddressOpt('my_ip', default='127.0.0.1', help='The address of this host that storage sees.'),
    cfg.StrOpt('state_path', default='/var/lib/computesvc', help='Where an agent keeps local root disks.'),
    cfg.StrOpt('default_availability_zone', default='nova', help='The zone of hosts.'),
    cfg.StrOpt('internal_availability_zone', default='internal', help='The zone of conductors.'),
    cfg.BoolOpt('allow_resize_to_same_host', default=False,
                help='Whether a resize may leave a server on its host, where that is the best one for it.'),
    cfg.IntOpt('resize_confirm_window', default=0, min=0,
               help='Seconds after which a resize or migration that nobody confirmed or reverted is confirmed by '
                    'itself; 0: never.'),
    cfg.IntOpt('shelved_offload_time', default=0,
               help='Seconds that a shelved server stays on its host; 0: it is taken off at once, -1: it stays. One '
                    'whose root is a volume never stays.'),
    cfg.FloatOpt('reserve_wait', default=5.0,
                 help='Seconds that a request to attach waits for the word of the volume service.'),
]

AGENT = [
    cfg.StrOpt('hypervisor', default='libvirt', choices=['libvirt', 'memory'],
               help='"memory" only remembers servers: for benchmarks and tests.'),
    cfg.StrOpt('libvirt_uri', default='qemu:///system', help='Where libvirtd is.'),
    cfg.StrOpt('virt_type', default='auto', choices=['auto', 'kvm', 'qemu'],
               help='How guests run under libvirt: "kvm", "qemu" (emulation, slow), or what libvirt offers.'),
    cfg.BoolOpt('volume_use_multipath', default=False,
                help='Whether a volume that is offered by several ways is connected by all of them, under multipathd.'),
    cfg.BoolOpt('volume_enforce_multipath', default=False,
                help='Whether attaching fails while multipathd does not run; otherwise one way is used then.'),
    cfg.IntOpt('device_scan_attempts', default=3, min=1, help='How often a new device is looked for.'),
    cfg.StrOpt('nfs_mount_point_base', help='Folder below which shares are mounted. By default: mnt in state_path.'),
    cfg.StrOpt('privsep_helper',
               help='The command that starts the daemon for what only root may do, where the agent is not root. '
                    'By default: sudo -n, and the privsep-helper of the same environment.'),
    cfg.StrOpt('lock_path', help='Folder of the locks that keep two processes of this host from connecting to one '
                                 'target at once: the same for all of them. By default: locks in state_path.'),
    cfg.BoolOpt('resume_guests_state_on_host_boot', default=False,
                help='Whether guests that ran when this host went down are started again when it is up; otherwise '
                     'they are off then.'),
    cfg.FloatOpt('shutdown_timeout', default=60.0, min=0,
                 help='Seconds that a guest is given to shut down by itself before it is cut off.'),
    cfg.StrOpt('disk_export_ports', default='10809-10872', regex=r'^\d{1,5}-\d{1,5}$',
               help='Ports at my_ip, FIRST-LAST, at which the hosts that servers move to read their local disks '
                    '(NBD with TLS; each disk takes one while its server moves).'),
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
    cfg.FloatOpt('cpu_allocation_ratio', default=4.0, help='Virtual processors for each of a host\'s.'),
    cfg.FloatOpt('ram_allocation_ratio', default=1.0, help='Memory given out for each byte that a host has.'),
    cfg.FloatOpt('disk_allocation_ratio', default=1.0, help='Disk given out for each byte that a host has.'),
]

QUOTA = [
    cfg.IntOpt('instances', default=10, help='Servers of a project; -1 is without limit, here and below.'),
    cfg.IntOpt('cores', default=20, help='Virtual processors of a project.'),
    cfg.IntOpt('ram', default=50 * 1024, help='Memory of a project, MiB.'),
    cfg.IntOpt('metadata_items', default=128, help='Pieces of metadata of a server.'),
    cfg.IntOpt('key_pairs', default=100, help='Key pairs of a user.'),
    cfg.IntOpt('server_groups', default=10, help='Server groups of a project; there are none yet.'),
    cfg.IntOpt('server_group_members', default=10, help='Members of a server group; there are none yet.'),
]

OPTS = {
    'DEFAULT': DEFAULT,
    'agent': AGENT,
    'conductor': CONDUCTOR,
    'scheduler': SCHEDULER,
    'quota': QUOTA,
    'cinder': peer.options('volumev3', 'cinder'),
    'glance': peer.options('image', 'glance'),
}


def list_opts():
    """For oslo.config's sample generator."""
    return [(None if group == 'DEFAULT' else group, options) for group, options in OPTS.items()]
