"""Nothing that is not a name of its kind gets anywhere near a path, a command or the kernel."""

import pytest

from brick import names, programs
from brick.connectors import fibre_channel, iscsi
from brick.errors import BadConnection

GOOD = [
    (names.device, 'sda'), (names.device, 'sdaaa'), (names.device, 'dm-12'), (names.device, 'nvme0n1'),
    (names.wwid, '36001405bdfa964fc24244b2ac54045bc'), (names.wwid, '1LIO-ORG_FILEIO:bdfa964f-c242'),
    (names.dm_map, 'mpatha'), (names.dm_map, 'crypt-36001405bdfa'), (names.hctl, '0:0:0:1'),
    (names.iqn, 'iqn.2010-10.org.openstack:volume-5b2c'), (names.iqn, 'iqn.1992-08.com.netapp:sn.135:vs.3'),
    (names.iqn, 'iqn.2000-01.com.synology:Disk_Station.Target-1'), (names.iqn, 'eui.02004567A425678D'),
    (names.iqn, 'naa.52004567BA64678D'), (names.portal, '10.0.0.1:3260'), (names.portal, 'san.example.org:3260'),
    (names.portal, '[fd00::1]:3260'), (names.nfs_share, 'nas:/export/volumes'), (names.nfs_share, '[fd00::1]:/x'),
    (names.device_path, '/dev/sdb'), (names.device_path, '/dev/mapper/mpatha'), (names.folder, '/var/lib/x'),
    (names.device_path, '/dev/disk/by-path/pci-0000:05:00.3-fc-0x500a-lun-1'), (names.mount_options, 'vers=4.2,soft'),
]
BAD = [
    (names.device, '../sda'), (names.device, 'sda;reboot'), (names.device, '-a'), (names.device, ''),
    (names.device, 'sda\n'), (names.device, None), (names.device, 5), (names.wwid, '-f'), (names.wwid, 'a b'),
    (names.wwid, 'a/b'), (names.dm_map, '../control'), (names.hctl, '0:0:0'), (names.iqn, 'iqn.2010-13.org:x'),
    (names.iqn, 'iqn.2010-10.org/../../etc'), (names.iqn, 'iqn.2010-10.org:a b'), (names.iqn, 'volume-1'),
    (names.iqn, 'iqn.2010-10.org.openstack:' + 'x' * 220), (names.iqn, 'eui.12'), (names.iqn, 'iqn.2010-10.org:x\n'),
    (names.portal, '10.0.0.1'), (names.portal, '10.0.0.1:0'), (names.portal, '10.0.0.1:65536'),
    (names.portal, 'fd00::1:3260'), (names.portal, '[10.0.0.1]:3260'), (names.portal, '--help:3260'),
    (names.portal, 'a b:3260'), (names.portal, '[fe80::1%eth0]:3260'), (names.portal, '10.0.0.1:٣'),
    (names.wwn, '500a098280feeb'), (names.wwn, '500a098280feeba5; reboot'), (names.wwn, None), (names.lun, -1),
    (names.lun, True), (names.lun, '1x'), (names.lun, None), (names.nfs_share, 'nas'), (names.nfs_share, '-o:/x'),
    (names.nfs_share, 'nas:/../etc'), (names.nfs_share, 'nas:/a b'), (names.file_name, '../x'), (names.file_name, ''),
    (names.device_path, '/dev/../etc/shadow'), (names.device_path, '/dev/mapper/../sda'),
    (names.device_path, '/etc/shadow'), (names.folder, '/var/../etc'), (names.folder, 'var'),
    (names.mount_options, '--bind'), (names.mount_options, 'exec=`x`'), (names.number, '-1'),
]


@pytest.mark.parametrize('grammar, name', GOOD)
def test_names_of_the_kind(grammar, name):
    assert grammar(name) == name


@pytest.mark.parametrize('grammar, name', BAD)
def test_what_is_no_such_name(grammar, name):
    with pytest.raises(BadConnection, match=r' .*\.$'):
        grammar(name)


def test_forms():
    assert names.wwn('0x500A098280FEEBA5') == names.wwn('50:0a:09:82:80:fe:eb:a5') == '500a098280feeba5'
    assert names.lun('17') == names.lun(17) == 17
    assert names.split_portal('[fd00::1]:3260') == ('fd00::1', 3260)


@pytest.mark.parametrize('secret', ['', 'two\nlines', 'x' * 256, None, 'ümlaut', ' leading'])
def test_a_secret_is_not_in_the_sentence(secret):
    with pytest.raises(BadConnection) as said:
        names.chap(secret, 'CHAP secret')
    assert str(said.value) == 'The CHAP secret must be 1 to 255 printable characters.'
    assert names.chap('p"a\'s s=#word', 'CHAP secret')


@pytest.mark.parametrize('words', [
    'iscsiadm -m node', 'iscsiadm -m node -T iqn.2010-10.org.openstack:v -p 10.0.0.1:3260 --login',
    'iscsiadm -m node -T iqn.2010-10.org.openstack:v -p 10.0.0.1:3260 --op delete',
    'iscsiadm -m node -T iqn.2010-10.org.openstack:v -p 10.0.0.1:3260 --interface default --op new',
    'multipath -f 36001405bdfa', 'multipath -f /dev/disk/by-id/dm-uuid-mpath-36001405bdfa', 'multipath -C dm-0',
    'multipath -a 36001405bdfa', 'multipath -r', 'blockdev --flushbufs /dev/sda', 'lsblk -o NAME,RO -l -n',
    'mount -t nfs -o vers=4,minorversion=2 nas:/export /var/lib/brick/mnt/d41d8'])
def test_what_os_brick_runs(words):
    assert programs.check(words.split()) == words.split()


@pytest.mark.parametrize('words', [
    '', 'sh -c reboot', 'tee /etc/passwd', '/sbin/iscsiadm -m node', 'iscsiadm -m session', 'iscsiadm -m fw',
    'iscsiadm --op', 'iscsiadm -m node --logout', 'iscsiadm -m node -T iqn.2010-10.org.openstack:v --op delete',
    'iscsiadm -m node -T ../x -p 10.0.0.1:3260', 'iscsiadm -m node -T iqn.2010-10.org.openstack:v -p 10.0.0.1',
    'iscsiadm -m node -T iqn.2010-10.org.openstack:v -p 10.0.0.1:3260 --op update -n node.startup -v automatic',
    'multipath -F', 'multipath -f -F', 'multipath -c /dev/sda', 'multipath -f', 'blockdev --setro /dev/sda',
    'blockdev --flushbufs', 'blockdev --flushbufs /etc/shadow', 'dd if=/dev/sda of=/dev/null',
    'mount -t ext4 /dev/sda /mnt',
    'mount -t nfs nas:/export /mnt/../etc', 'mount -t nfs --bind nas:/export /mnt',
    'mount -t nfs -o vers=4 -o --move nas:/export /mnt'])
def test_what_nobody_runs(words):
    with pytest.raises(BadConnection):
        programs.check(words.split())


def test_targets_of_iscsi():
    one = {'target_portal': '10.0.0.1:3260', 'target_iqn': 'iqn.2010-10.org.openstack:v', 'target_lun': 1}
    assert iscsi.targets(one) == [('10.0.0.1:3260', 'iqn.2010-10.org.openstack:v', 1)]
    several = one | {'target_portals': ['10.0.0.1:3260', '10.0.0.2:3260']}
    assert [portal for portal, _, lun in iscsi.targets(several) if lun == 1] == several['target_portals']
    with pytest.raises(BadConnection, match='2 portals, 3 targets and 1 LUNs|2 portals, 3 targets and 2 LUNs'):
        iscsi.targets(several | {'target_iqns': [one['target_iqn']] * 3})
    with pytest.raises(BadConnection, match='is not the address:port'):
        iscsi.targets({})


def test_targets_of_fibre_channel():
    wwns = ['500A098280FEEBA5', '500a098290feeba5']
    assert fibre_channel.targets({'target_wwn': wwns, 'target_lun': 3}) == [(wwns[0].lower(), 3), (wwns[1], 3)]
    assert fibre_channel.targets({'target_wwn': wwns[1], 'target_lun': 3}) == [(wwns[1], 3)]
    assert fibre_channel.targets({'target_wwns': wwns, 'target_luns': [1, 2]}) == [(wwns[0].lower(), 1), (wwns[1], 2)]
    with pytest.raises(BadConnection, match='2 ports and 3 LUNs'):
        fibre_channel.targets({'target_wwns': wwns, 'target_luns': [1, 2, 3]})
    with pytest.raises(BadConnection, match="no 'target_wwn'"):
        fibre_channel.targets({'target_lun': 1})


def test_what_os_brick_is_told():
    """Nothing that is secret, and nothing that makes it ask a portal for more."""
    data = {'target_portal': '10.0.0.1:3260', 'target_iqn': 'iqn.2010-10.org.openstack:v', 'target_lun': 1,
            'auth_method': 'CHAP', 'auth_username': 'u', 'auth_password': 's3cret', 'discovery_auth_method': 'CHAP',
            'discovery_auth_username': 'd', 'discovery_auth_password': 's3cret', 'encrypted': True}
    told = iscsi.IscsiConnector().properties(data)
    assert 's3cret' not in repr(told) and 'discovery_auth_method' not in told and 'encrypted' not in told
    assert told['target_portals'] == ['10.0.0.1:3260'] and told['auth_method'] == 'CHAP'
    with pytest.raises(BadConnection, match="'Kerberos' is no way"):
        iscsi.IscsiConnector().properties(data | {'auth_method': 'Kerberos'})
    with pytest.raises(BadConnection, match='The CHAP password must be'):
        iscsi.IscsiConnector().properties({key: data[key] for key in data if key != 'auth_password'})
