"""Volumes that are no disk of this host: RBD and NFS; and what a host says of itself."""

import os

import pytest

import brick
from brick import errors, host, privileged

GIB = 1 << 30
RBD = {'name': 'volumes/volume-1', 'hosts': ['10.0.0.1', '10.0.0.2'], 'ports': ['6789', 6789], 'auth_enabled': True,
       'auth_username': 'cinder', 'secret_uuid': '5b2c', 'cluster_name': 'ceph'}
NFS = {'export': 'nas.example.org:/volumes', 'name': 'volume-1', 'options': '-o soft'}


def test_rbd_is_the_hypervisors():
    connector = brick.connector_for('rbd')
    assert connector.connect(RBD) == {
        'path': 'volumes/volume-1', 'type': 'network', 'protocol': 'rbd', 'username': 'cinder', 'secret_uuid': '5b2c',
        'hosts': [{'name': '10.0.0.1', 'port': '6789'}, {'name': '10.0.0.2', 'port': '6789'}]}
    assert connector.connect({'name': 'volumes/volume-1', 'hosts': ['mon']})['hosts'] == [{'name': 'mon'}]
    assert connector.grow(RBD, GIB) == GIB and connector.size(RBD) == 0 and connector.paths(RBD) == []
    connector.disconnect(RBD)


@pytest.mark.parametrize('wrong, sentence', [
    ({'name': 'volume-1'}, 'of the form pool/image'), ({'name': None}, 'of the form pool/image'),
    ({'name': 'volumes/'}, 'of the form pool/image'), ({'ports': [1]}, '2 hosts and 1 ports'),
    ({'secret_uuid': None}, "lacks 'auth_username' or 'secret_uuid'")])
def test_rbd_without_what_it_needs(wrong, sentence):
    with pytest.raises(errors.BadConnection, match=sentence):
        brick.connector_for('rbd').connect(RBD | wrong)


@pytest.fixture
def nas(tmp_path, monkeypatch):
    """A program `mount` that mounts by putting a file where the share has one; it notes what it was told."""
    program = tmp_path / 'bin' / 'mount'
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "$@" >>{tmp_path}/told\n'
                       'case "$*" in *minorversion=2*) exit 32;; esac\n'
                       'for folder; do :; done\ntruncate -s 1G "$folder/volume-1"\n')
    program.chmod(0o755)
    monkeypatch.setitem(privileged._ENVIRONMENT, 'PATH', str(program.parent))         # and no real one
    privileged.context.set_client_mode(False)
    yield tmp_path
    privileged.context.set_client_mode(True)


def test_nfs_is_mounted_and_read(nas):
    connector = brick.connector_for('nfs', mount_point_base=str(nas / 'mnt'))
    assert connector.paths(NFS) == []
    device = connector.connect(NFS)
    assert device['type'] == 'file' and device['path'].startswith(f'{nas}/mnt/')
    assert (nas / 'told').read_text().splitlines()[-1].startswith('-t nfs -o vers=4,minorversion=1 -o soft nas.example')
    assert connector.paths(NFS) == [brick.Path(device['path'], GIB, portal=NFS['export'])]
    os.truncate(device['path'], 2 * GIB)
    assert connector.grow(NFS, 2 * GIB) == connector.size(NFS) == 2 * GIB
    with pytest.raises(errors.DeviceTooSmall, match='3221225472 are wanted'):
        connector.grow(NFS, 3 * GIB)
    connector.disconnect(NFS)


def test_nfs_that_is_not_there(nas):
    (nas / 'bin' / 'mount').write_text('#!/bin/sh\necho "mount.nfs: No route to host" >&2\nexit 32\n')
    with pytest.raises(errors.ConnectFailed, match='could not be mounted: .*No route to host'):
        brick.connector_for('nfs', mount_point_base=str(nas / 'mnt')).connect(NFS)


@pytest.mark.parametrize('wrong', [{'export': 'nas:/../etc'}, {'name': '../volume-1'}, {'name': ''}, {'export': None}])
def test_nfs_names(wrong):
    with pytest.raises(errors.BadConnection):
        brick.connector_for('nfs').connect(NFS | wrong)


def test_properties_of_a_host(tmp_path):
    for path, text in {'etc/iscsi/initiatorname.iscsi': '## comment\nInitiatorName=iqn.1993-08.org.debian:01:1\n',
                       'sys/class/dmi/id/product_uuid': '4c4c4544\n', 'etc/nvme/hostnqn': 'nqn.2014-08.org:uuid:1\n'
                       }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert host.properties('compute-1', '10.0.0.1', multipath=True, root=str(tmp_path)) == {
        'host': 'compute-1', 'ip': '10.0.0.1', 'platform': os.uname().machine, 'os_type': 'linux', 'multipath': True,
        'enforce_multipath': False, 'do_local_attach': False, 'initiator': 'iqn.1993-08.org.debian:01:1',
        'system uuid': '4c4c4544', 'nqn': 'nqn.2014-08.org:uuid:1'}
    assert 'initiator' not in host.properties('compute-1', '10.0.0.1', root=str(tmp_path / 'empty'))
