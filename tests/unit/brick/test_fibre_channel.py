"""Fibre Channel on a copy of /sys, see fabric.py."""

import pytest

import brick
from brick import errors, host, privileged
from tests.unit.brick.fabric import GIB, LUN, TARGETS, WWID, Fabric


@pytest.fixture
def fabric(tmp_path, monkeypatch):
    monkeypatch.setattr(privileged, 'SYS', str(tmp_path / 'sys'))
    brick.setup(lock_path=str(tmp_path / 'locks'))
    privileged.context.set_client_mode(False)
    yield Fabric(tmp_path)
    privileged.context.set_client_mode(True)


@pytest.fixture
def data():
    return {'target_discovered': True, 'target_wwn': [wwn.upper() for wwn in TARGETS.values()], 'target_lun': LUN,
            'initiator_target_map': {'21000024FF000000': [TARGETS['host6'].upper()],
                                     '21000024ff000001': [TARGETS['host7']]}}


def test_properties(fabric):
    found = host.properties('compute-1', '10.0.0.1', root=str(fabric.root))
    assert found['wwpns'] == ['21000024ff000000', '21000024ff000001']
    assert found['wwnns'] == ['20000024ff000000', '20000024ff000001']
    assert 'initiator' not in found
    fabric._write('sys/class/fc_host/host6/port_state', 'Linkdown')
    assert host.properties('compute-1', '10.0.0.1', root=str(fabric.root))['wwpns'] == ['21000024ff000001']


def test_connect(fabric, data):
    """Both adapters scan their own port only, and the disk is found by its WWN."""
    connector = brick.connector_for('fibre_channel', root=str(fabric.root))
    assert connector.paths(data) == []
    device = connector.connect(data)
    assert device == {'path': f'/dev/disk/by-id/scsi-3{WWID}', 'type': 'block'}
    assert connector.connect(data) == device
    assert [(path.name, path.portal, path.size) for path in connector.paths(data)] == [
        ('sdb', TARGETS['host6'], GIB), ('sdc', TARGETS['host7'], GIB)]


def test_no_such_lun(fabric, data):
    connector = brick.connector_for('fibre_channel', root=str(fabric.root), scan_attempts=1)
    with pytest.raises(errors.ConnectFailed, match='LUN 6 of 500a098280feeba5 could not be connected: Unable to find'):
        connector.connect(data | {'target_lun': 6})


def test_no_adapter(tmp_path, fabric, data):
    connector = brick.connector_for('fibre_channel', root=str(tmp_path / 'empty'), scan_attempts=1)
    with pytest.raises(errors.ConnectFailed, match='could not be connected: .*Fibre Channel'):
        connector.connect(data)
