#!/bin/sh
# The first process of the lab's machine. The root is the host's file system, read-only; first it becomes the lower
# layer of an overlay whose upper one is memory, then everything of a storage host is set up, then the command runs.
# From the kernel's command line: lab= (the host's temporary folder for this machine), node=, terminal=ROWSxCOLUMNS.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

say() { echo "lab: $*" >&2; }

if [ "${1:-}" != inside ]; then
    mount -t tmpfs tmpfs /tmp
    mkdir -p /tmp/modules/lib/modules /tmp/root /tmp/memory
    mount -t proc proc /proc
    mount --bind /usr/lib/uml/modules /tmp/modules/lib/modules
    modprobe -d /tmp/modules overlay
    mount -t tmpfs -o size=100% tmpfs /tmp/memory
    mkdir /tmp/memory/upper /tmp/memory/work
    mount -t overlay overlay -o lowerdir=/,upperdir=/tmp/memory/upper,workdir=/tmp/memory/work /tmp/root
    umount /proc /tmp/modules/lib/modules
    exec switch_root /tmp/root "$0" inside 2>/dev/null      # it says that this is no initramfs
fi

# ------------------------------------------------------------------------------------------------ kernel and devices

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /lib/modules
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/udev /run/lvm /run/lab /run/host
mount --bind /usr/lib/uml/modules /lib/modules
dmesg -n 1
ln -sf /proc/self/fd /dev/fd

for word in $(cat /proc/cmdline); do
    case $word in
        lab=*) shared=${word#lab=} ;;
        node=*) node=${word#node=} ;;
        terminal=*) terminal=${word#terminal=} ;;
    esac
done
# Written through: the host reads it while we write.
mount -t hostfs -o "sync,$shared" none /run/host
if [ -n "${terminal:-}" ]; then exec </dev/console >/dev/console 2>&1; else exec </dev/null >>/run/host/said 2>&1; fi

mkdir -p /etc/target/pr         # must be there before the modules come: rtslib tells them of it
modprobe -a scsi_mod sd_mod dm-mod dm-multipath dm-round-robin dm-thin-pool dm-snapshot dm-crypt iscsi_tcp \
    target_core_mod iscsi_target_mod target_core_iblock target_core_file configfs loop tun
mount -t configfs configfs /sys/kernel/config

# libvirtd asks each QEMU what it can do before it answers anybody; 5 s for each is enough for one.
find /usr/bin -name 'qemu-system-*' ! -name qemu-system-x86_64 -delete

# --------------------------------------------------------------------------------------------------------- network

hostname "node$node"
echo "127.0.0.1 localhost node$node" >/etc/hosts
ip link set lo up
# Where portals listen: each of them a network that a test can take away. The first machine is the storage.
if [ "$node" = 1 ]; then
    for number in 1 2 3 4 5 6 7 8; do ip address add "10.11.$number.1/32" dev lo; done
fi
if [ -e /sys/class/net/vec0 ]; then
    ip address add "10.12.0.$node/24" dev vec0
    ip link set vec0 up
    [ "$node" = 1 ] || ip route add 10.11.0.0/16 via 10.12.0.1
fi

# --------------------------------------------------------------------------------------------------------- storage

cat >/etc/lvm/lvm.conf <<'CONF'
devices { use_devicesfile = 0  filter = [ "a|^/dev/loop|", "r|.*|" ]  global_filter = [ "a|^/dev/loop|", "r|.*|" ] }
activation { monitoring = 0 }
backup { backup = 0  archive = 0 }
CONF

cat >/etc/multipath.conf <<'CONF'
defaults {
    find_multipaths no
    user_friendly_names no
    polling_interval 1
    max_polling_interval 2
    no_path_retry queue
    path_grouping_policy multibus
    skip_kpartx yes
}
blacklist {
    devnode "^(loop|ubd|ram|dm-)"
}
CONF

# What the host's own initiator knows and is called is not ours, nor need it be readable.
mkdir -p /etc/iscsi /etc/multipath /var/lib/iscsi /run/lock/iscsi
for folder in /etc/iscsi /etc/multipath /var/lib/iscsi; do mount -t tmpfs tmpfs "$folder"; done
# A lost portal is noticed within seconds; then multipath decides, not iSCSI's patience.
cat >/etc/iscsi/iscsid.conf <<'CONF'
node.startup = manual
node.conn[0].timeo.noop_out_interval = 1
node.conn[0].timeo.noop_out_timeout = 2
node.conn[0].timeo.login_timeout = 3
node.conn[0].timeo.logout_timeout = 3
node.session.timeo.replacement_timeout = 3
node.session.initial_login_retry_max = 2
node.session.scan = manual
node.session.err_timeo.abort_timeout = 3
node.session.err_timeo.lu_reset_timeout = 3
node.session.err_timeo.tgt_reset_timeout = 3
CONF
echo "InitiatorName=iqn.2004-10.com.debian:lab-node$node" >/etc/iscsi/initiatorname.iscsi

/lib/systemd/systemd-udevd --daemon 2>/dev/null
udevadm trigger --subsystem-match=block --subsystem-match=misc      # the rest are some 2,000 terminals
udevadm settle

if [ "$node" = 1 ]; then
    truncate -s 100G /run/lab/disk
    losetup /dev/loop0 /run/lab/disk
    vgcreate -y lab /dev/loop0 >/dev/null 2>&1 || say 'there is no volume group'
fi
iscsid
multipathd
# Both answer before a command may ask.
for try in 1 2 3 4 5 6 7 8 9 10; do
    multipathd show daemon 2>&1 | grep -q idle && break
    sleep 0.2
done

# --------------------------------------------------------------------------------------------------------- command

if [ -n "${terminal:-}" ]; then
    stty rows "${terminal%x*}" cols "${terminal#*x}"
    setsid -c sh /run/host/command </dev/tty0 >/dev/tty0 2>&1       # /dev/console never sends a Ctrl-C
else
    sh /run/host/command
fi
echo $? >/run/host/status
sync /run/host/status
halt -f >/dev/null 2>&1
