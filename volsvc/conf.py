"""Options of volsvc; each enabled backend has a section of its own (`backend`)."""
from oslo_config import cfg

from svckit import peer

DEFAULT = [
    cfg.ListOpt('enabled_backends', default=['file'],
                help='The storage backends that workers of this machine serve. Each is a section of this file.'),
    cfg.StrOpt('default_volume_type', default='__DEFAULT__', help='The type of a volume that is made without one.'),
    cfg.StrOpt('storage_availability_zone', default='nova', help="Availability zone of this machine's backends."),
    cfg.StrOpt('default_availability_zone', help='Availability zone of volumes made without one; none: any.'),
    cfg.StrOpt('state_path', default='/var/lib/volsvc', help='Where drivers keep things without a path of their own.'),
    cfg.BoolOpt('no_snapshot_gb_quota', default=False,
                help='Whether the size of snapshots is left out of the quota of gigabytes.'),
    cfg.FloatOpt('attachment_wait', default=30.0, min=0.1,
                 help='Seconds that a request to connect or disconnect waits for the storage backend.'),
    cfg.FloatOpt('ask_hosts_timeout', default=5.0, min=0.1,
                 help='Seconds that an extend waits to hear from the compute service whether hosts can take it.'),
    cfg.FloatOpt('sweep_interval', default=300.0, min=0.1,
                 help="Seconds between two looks at whether volumes grew on their backend without this service's "
                      'doing.'),
    cfg.FloatOpt('keep_operations', default=7 * 86400.0, min=0, help='Seconds to remember an operation that ended.'),
    cfg.FloatOpt('message_ttl', default=30 * 86400.0, min=0, help='Seconds that a message to a user is kept.'),
]

QUOTA = [
    cfg.IntOpt('volumes', default=10, min=-1, help='Volumes of a project; -1: no limit.'),
    cfg.IntOpt('gigabytes', default=1000, min=-1, help='GiB of all volumes and snapshots of a project; -1: no limit.'),
    cfg.IntOpt('snapshots', default=10, min=-1, help='Snapshots of a project; -1: no limit.'),
    cfg.IntOpt('backups', default=10, min=-1, help='Shown to clients; there are none yet.'),
    cfg.IntOpt('backup_gigabytes', default=1000, min=-1, help='Shown to clients; there are none yet.'),
    cfg.IntOpt('groups', default=10, min=-1, help='Shown to clients; there are none yet.'),
    cfg.IntOpt('per_volume_gigabytes', default=-1, min=-1, help='GiB of one volume; -1: no limit.'),
]

BACKEND = [
    cfg.StrOpt('volume_driver', help='"file", "lvm", "memory", or a class as module:Class. By default the name of the '
                                      'section.'),
    cfg.StrOpt('volume_backend_name',
               help="What a volume type's extra spec volume_backend_name names. By default the section's name."),
    cfg.StrOpt('path', default='$state_path/volumes', help='File driver: the folder of the volumes.'),
    cfg.StrOpt('preallocation', default='sparse', choices=['sparse', 'full'],
               help='File driver: "sparse" files take space as they are written, "full" ones from the start.'),
    cfg.StrOpt('volume_group', help='LVM driver: the volume group of the volumes.'),
    cfg.StrOpt('lvm_type', default='thin', choices=['thin', 'thick'],
               help='LVM driver: "thin" volumes take space as they are written, "thick" ones from the start.'),
    cfg.StrOpt('thin_pool', default='volumes',
               help='LVM driver: the thin pool of the volumes. It is made if it is not there, of nearly all that is '
                    'free in the volume group.'),
    cfg.StrOpt('volume_clear', default='zero', choices=['none', 'zero'],
               help='LVM driver: "zero" overwrites what a thick volume held when it is deleted. With "none" later '
                    'volumes can show it to others. Thin ones need nothing.'),
    cfg.StrOpt('lvm_conf_folder',
               help="LVM driver: the folder of lvm.conf, which root alone can write. By default the system's."),
    cfg.StrOpt('image_folder', default='$state_path/images',
               help='Where images other than raw are packed on their way from a volume and, by the LVM driver, '
                    'unpacked on their way to one.'),
    cfg.StrOpt('privsep_helper',
               help='LVM driver: the command that starts the privileged daemon, for a worker that is not root. By '
                    'default sudo -n with the privsep-helper of the environment that the worker runs in.'),
    cfg.ListOpt('target_portals', default=['127.0.0.1:3260'],
                help='LVM driver: address:port of each portal at which hosts reach volumes by iSCSI; an IPv6 address '
                     'is in brackets. Several are paths of one volume to hosts with multipath.'),
    cfg.StrOpt('target_prefix', default='iqn.2010-10.org.openstack:',
               help='LVM driver: what the names of iSCSI targets begin with.'),
    cfg.FloatOpt('max_over_subscription_ratio', default=20.0, min=1.0,
                 help='How many times the space there is may be promised, where space is taken as it is written.'),
    cfg.IntOpt('reserved_percentage', default=0, min=0, max=100,
               help='Per cent of the space there is that are not for new volumes, nor for growing ones.'),
    cfg.IntOpt('capacity_gb', default=1024 * 1024, min=0, help='Memory driver: GiB it claims to have.'),
    cfg.BoolOpt('online_extend', default=True, help='Memory driver: whether it grows volumes that are in use.'),
]

OPTS = {
    'DEFAULT': DEFAULT,
    'quota': QUOTA,
    'compute': peer.options('compute', 'nova'),
    'images': peer.options('image', 'glance'),
    # These two need no section of the operator's; others are registered as enabled_backends names them.
    'file': BACKEND,
    'memory': BACKEND,
}


def list_opts():
    """For oslo.config's sample generator."""
    return [(None if group == 'DEFAULT' else group, options) for group, options in OPTS.items() if group != 'memory']


def backend(conf, name: str):
    """The options of one backend."""
    conf.register_opts(BACKEND, name)
    return conf[name]
