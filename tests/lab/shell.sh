# What a prompt in the lab's machine knows; bash reads it at its start.
PS1='lab:\w# '
HISTFILE=

cat <<'TEXT'
This is a storage host and a hypervisor host with a kernel of its own. Leave it by `exit`: nothing of it stays.

  volume group lab; iscsid, multipathd, udevd; portals 10.11.1.1 to 10.11.8.1 for targets
  up        starts both services on them (about 20 s); then for instance
                openstack volume create --size 1 first
                openstack volume create --size 1 --image guest root
                openstack server create --flavor m1.nano --no-network --volume root --wait guest
                openstack server add volume guest first; multipath -ll; iscsiadm -m session
                openstack volume set --size 2 first
TEXT

up() {
    python -m tests.lab.services /run/lab/box || return
    export OS_CLIENT_CONFIG_FILE=/run/lab/box/state/clouds.yaml OS_CLOUD=onebox
    export OS_VOLUME_API_VERSION=3.71 OS_COMPUTE_API_VERSION=2.89
}
